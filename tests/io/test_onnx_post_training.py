"""Networks that `quantize` has made, as ONNX files: ONNX Runtime gives the same classes, and the same codes up to one
step, from both forms.

A layer's codes differ by one step at most from the simulation's for the same input (test_onnx_quantized): its bias is
rounded to int32 and its sums are exact. Over many layers steps add up, so networks of eight layers or more get two.
"""

import numpy as np
import pytest

from lightnn import Tensor, compress, io, models, nn, runtime

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.oracle

CASES = {  # architecture: its options, channels and size of the image, the steps that its output may differ by
    "lenet_300_100": ({}, 1, 28, 1),
    "lenet5": ({}, 1, 28, 1),
    "filternet_grouped": ({"width": 4}, 1, 12, 1),
    "cifar_resnet": ({"depth": 8, "width": 4}, 3, 16, 2),
    "shift_resnet": ({"depth": 8, "expansion": 2}, 3, 16, 2),
    "filternet_separable": ({"width": 4}, 1, 12, 2),
}


def settled(model, x):
    """The model with the statistics of x in its batch norms."""
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    for m in norms:
        m.momentum = 1.0
    model.train()(Tensor(x))
    for m in norms:
        m.momentum = 0.1
    return model.eval()


@pytest.mark.parametrize("write", [io.to_onnx, io.to_onnx_integers])
@pytest.mark.parametrize("name", CASES)
def test_the_classes_and_codes_are_those_of_the_simulation(name, write, tmp_path):
    options, channels, size, most = CASES[name]
    x = np.random.default_rng(0).random((32, channels, size, size), np.float32)
    options = options if name.startswith("lenet") else {**options, "in_channels": channels}
    model = compress.quantize(settled(models.ARCHITECTURES[name](**options, rng=0), x), x)
    want = model(Tensor(x)).numpy()
    write(model, tmp_path / "net.onnx", (1, *x.shape[1:]))
    (got,) = onnxruntime.InferenceSession(tmp_path / "net.onnx").run(None, {"input": x})
    step = np.diff(np.unique(want)).min()
    assert np.abs(np.rint((got - want) / step)).max() <= most
    top = np.sort(want, 1)
    clear = top[:, -1] - top[:, -2] > (2 * most + 0.5) * step
    integers = runtime.lower_integers(model, x.shape)(x).numpy()  # lightnn's own: a mean is rounded twice
    assert np.abs(np.rint((got - integers) / step)).max() <= 2 * most + 2
    assert clear.mean() > 0.5 and (got.argmax(1) == want.argmax(1))[clear].all()
