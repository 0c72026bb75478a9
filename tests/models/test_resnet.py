"""lightnn/models/resnet.py and vgg.py: published counts, torchvision's outputs, shortcuts by hand."""

import numpy as np
import pytest

import lightnn
from lightnn import Tensor, metrics, models


@pytest.mark.parametrize(
    ("make", "parameters", "macs", "size"),
    [
        (models.resnet18, 11_689_512, 1_814_073_344, 224),
        (models.resnet34, 21_797_672, 3_663_761_408, 224),
        (models.resnet20, 269_722, 40_551_040, 32),
        (models.resnet56, 853_018, 125_485_696, 32),
        (models.resnet110, 1_727_962, 252_887_680, 32),
        (models.vgg16_cifar, 14_982_474 + 8_448, 313_463_808, 32),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_counts_are_the_published_ones(make, parameters, macs, size):
    """He 2016: 0.27, 0.85 and 1.7 million for 20, 56 and 110 layers; torchvision: 1.81 and 3.66 billion MACs;
    Li 2017: 3.13e8 and 1.5e7 for VGG-16."""
    model = make(rng=0)
    assert metrics.count_parameters(model) == parameters
    if size < 100:
        assert metrics.count_macs(model, (1, 3, size, size)) == macs
    else:  # at 32 x 32 every map is 1/49; the classifier stays
        fc = model.fc.weight.size
        assert metrics.count_macs(model, (1, 3, 32, 32)) == (macs - fc) // 49 + fc


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["resnet18", "resnet34"])
def test_with_torchvisions_state_the_outputs_are_torchvisions(name, torch, torchvision, rng):
    theirs = getattr(torchvision.models, name)(num_classes=7).eval()
    ours = getattr(models, name)(num_classes=7, rng=0).eval()
    state = {k: v.numpy() for k, v in theirs.state_dict().items() if not k.endswith("num_batches_tracked")}
    ours.load_state_dict(state)
    x = rng.standard_normal((2, 3, 64, 64)).astype(np.float32)
    with torch.no_grad():
        want = theirs(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(ours(Tensor(x)).data, want, rtol=1e-3, atol=1e-4)


def test_a_shortcut_without_weights_takes_every_second_pixel_and_adds_channels_of_zeros(rng):
    block = models.cifar_resnet(8, 4, rng=0).layer2[0]
    x = rng.standard_normal((2, 4, 6, 6)).astype(np.float32)
    y = block.shortcut(Tensor(x)).data
    assert y.shape == (2, 8, 3, 3)
    np.testing.assert_array_equal(y[:, 2:6], x[:, :, ::2, ::2])
    assert not y[:, :2].any() and not y[:, 6:].any()


@pytest.mark.parametrize("depth", [7, 2, 9])
def test_a_depth_that_has_no_stages_is_refused(depth):
    with pytest.raises(ValueError, match=rf"cifar_resnet: want a depth of 6 n \+ 2, n >= 1, got {depth}"):
        models.cifar_resnet(depth)


@pytest.mark.parametrize("projection", [False, True])
def test_forward_backward_and_the_file(projection, rng, tmp_path):
    from lightnn import functional as F

    net, x = models.cifar_resnet(8, 4, projection, rng=0), rng.standard_normal((3, 3, 8, 8), np.float32)
    F.cross_entropy(net(Tensor(x)), np.array([1, 2, 3])).backward()
    assert all(np.isfinite(p.grad).all() for p in net.parameters())
    lightnn.save(net, tmp_path / "net.lnn")
    np.testing.assert_array_equal(lightnn.predict(lightnn.load(tmp_path / "net.lnn"), x), lightnn.predict(net, x))
