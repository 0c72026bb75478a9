"""lightnn/bench/quantization.py on a few images: every row, and what each column should show."""

import json

import numba
import numpy as np
import pytest

from lightnn import Tensor, nn
from lightnn.bench import quantization
from lightnn.bench.quantization import CONTROL, INTEGERS, WAYS, Way, cosine
from lightnn.papers.lab import stage

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training convolutions takes the compiler"),
]
CHOSEN = (CONTROL, "weights, 1 bit", "weights, 8 bit", "activations, 2 bit", "gradients, 4 bit", "TernGrad")


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 160)
    x = ((rng.random((10, 1, 28, 28)) < 0.2)[y] * rng.random((160, 1, 28, 28))).astype(np.float32)
    return stage.Images((x[:100], y[:100]), (x[100:], y[100:]), (None, None))


@pytest.fixture(scope="module")
def run(images):
    """(result, lines) for a few rows, one step."""
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "mnist", lambda: images)
        patch.setattr(quantization, "CALIBRATION", 40)
        patch.setattr(quantization, "WAYS", {name: WAYS[name] for name in CHOSEN})
        patch.setattr(
            quantization.networks, "measure", lambda *_: {"float32 ms": 3, "folded ms": 2, "int8 ms": 1, "ratio": 2}
        )
        result = quantization.run((0, 1), 1, lambda text: lines.extend(text.split("\n")))
    return result, lines


def test_the_table_fits_80_columns_and_the_result_is_plain(run):
    result, lines = run
    assert max(map(len, lines)) <= 80
    assert json.loads(json.dumps(result)) == result
    assert list(result["rows"]) == [*CHOSEN, INTEGERS]
    assert all(len(found) == 2 for row in result["rows"].values() for found in row.values())


def test_the_control_has_no_mismatch_and_sends_every_number(run):
    rows = run[0]["rows"]
    assert rows[CONTROL]["cosine"] == pytest.approx([1, 1])
    assert rows[CONTROL]["bytes sent a step"] == [4 * (431_080 + 8)] * 2  # a checksum for each parameter
    assert rows["TernGrad"]["bytes sent a step"][0] < rows[CONTROL]["bytes sent a step"][0] / 15
    assert rows["weights, 1 bit"]["bytes sent a step"] == rows[CONTROL]["bytes sent a step"]


def test_fewer_bits_are_smaller_files_and_larger_mismatch(run):
    result = run[0]
    files, cosines = ({name: row[key][0] for name, row in result["rows"].items() if key in row}
                      for key in ("file bytes", "cosine"))  # fmt: skip
    assert files["weights, 1 bit"] < files["weights, 8 bit"] < files[CONTROL] / 3
    assert abs(files["activations, 2 bit"] - files[CONTROL]) < 1000
    assert 0 < cosines["weights, 1 bit"] < cosines["weights, 8 bit"] < 1
    energies = {name: parts["total"] for name, parts in result["energy pJ"].items()}
    assert energies["weights, 1 bit"] < energies[INTEGERS] < energies["activations, 2 bit"] < energies[CONTROL]


def test_training_with_fewer_bits_holds_more_bytes(run):
    memory = run[0]["training bytes"]
    assert memory["weights, 8 bit"]["saved"] > memory[CONTROL]["saved"]
    assert memory["gradients, 4 bit"] == memory[CONTROL]
    assert memory[CONTROL]["total"] < 40e6  # the batch, not the data set


def test_a_loss_that_is_not_finite_is_said(images, run):
    model = quantization.network(0)
    model.fc2.weight.data[:] = np.nan
    assert quantization.trained(model, Way(), images, 0, 1)["loss"] is None
    rows = {**run[0]["rows"], CONTROL: {**run[0]["rows"][CONTROL], "loss": [None, 1.0], "bytes sent a step": [None, 1]}}
    assert "diverged" in quantization.format_table({**run[0], "rows": rows})


def test_the_ways_quantize_what_they_say():
    model = quantization.network(0)
    both = quantization.quantized(model, Way(2, 4))
    assert [type(m).__name__ for m in both.modules() if isinstance(m, nn.PACT)] == ["PACT"] * 3
    assert all(p.values.bits == 2 for p in quantization.weights_of(both)) and model.fc1.weight.values is None
    assert len(np.unique(both.fc1.weight().data)) <= 4
    assert quantization.quantized(model, Way(1)).fc1.weight.values.kind == "dorefa"
    x = Tensor(np.zeros((1, 1, 28, 28), np.float32))
    np.testing.assert_array_equal(quantization.quantized(model, Way())(x).data, model(x).data)


def test_cosine():
    a, b = [np.array([3.0]), np.array([[0.0, 4.0]])], [np.array([3.0]), np.array([[4.0, 0.0]])]
    assert cosine(a, a) == pytest.approx(1) and cosine(a, b) == pytest.approx(9 / 25)
    assert cosine(a, [-part for part in a]) == pytest.approx(-1) and cosine(a, [0 * part for part in a]) == 0
