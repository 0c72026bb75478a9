"""lightnn/kernels/conv/planes.py: how large the output is."""

import pytest

from lightnn.kernels.conv.planes import out_size


@pytest.mark.parametrize("size", [1, 4, 7, 28, 224])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3, 5])
def test_as_many_windows_as_fit(size, kernel, stride):
    for before, after in ((0, 0), (1, 1), (0, 2), (3, 1)):
        for dilation in (1, 2, 4):
            covered = dilation * (kernel - 1) + 1
            starts = [
                start for start in range(0, size + before + after, stride) if start + covered <= size + before + after
            ]
            assert out_size(size, kernel, stride, before, after, dilation) == max(len(starts), 0) or not starts


def test_the_sizes_everybody_knows():
    assert out_size(28, 5, 1, 0, 0) == 24  # LeNet-5's first convolution
    assert out_size(224, 7, 2, 3, 3) == 112  # ResNet's stem
    assert out_size(224, 11, 4, 2, 2) == 55  # AlexNet's
    assert out_size(33, 3, 1, 6, 6, 6) == 33  # DeepLab's, dilated by 6
