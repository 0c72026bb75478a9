"""lightnn/models/summarizing.py: a line for each layer, and totals that agree with the trace."""

import numpy as np
import pytest

from lightnn import metrics, models, nn


def test_by_hand():
    """LeNet-5 of the papers: 430,500 weights, 2,293,000 MACs."""
    found = models.summary(models.lenet5(rng=0), (1, 1, 28, 28))
    assert [layer.path for layer in found] == ["conv1", "pool", "conv2", "flatten", "fc1", "relu", "fc2"]
    first = found[0]
    assert first == ("conv1", "Conv2d", (1, 20, 24, 24), 520, 288_000, 4 * 20 * 24 * 24)
    pool = found[1]  # it runs twice: the last output, and the bytes of both
    assert pool.output == (1, 50, 4, 4) and pool.activation_bytes == 4 * (20 * 12 * 12 + 50 * 4 * 4)
    assert (found.parameters, found.macs) == (431_080, 2_293_000) and found.unused == 0
    text = str(found)
    assert "conv1" in text and "1x20x24x24" in text and text.splitlines()[-1].split() == [
        "total", "431,080", "2,293,000", f"{found.activation_bytes:,}",
    ]  # fmt: skip
    assert "<table>" in found._repr_html_() and repr(found) == "Summary(7 layers, 431,080 parameters, 2,293,000 MACs)"


@pytest.mark.compiled
@pytest.mark.parametrize("name", ["mobilenet_v3_small", "squeezenet1_1", "shufflenet_v1", "cifar_resnet"])
def test_totals_are_those_of_the_trace(name):
    model = getattr(models, name)(rng=0)
    found, trace = models.summary(model, (2, 3, 32, 32)), metrics.trace(model, (2, 3, 32, 32))
    assert found.macs == trace.macs and found.parameters == metrics.count_parameters(model)
    assert found.activation_bytes == sum(r.activation_bytes for r in trace if r.op != "dropout")


@pytest.mark.compiled
def test_parts_that_do_not_run_are_counted_apart():
    model = models.googlenet(width_mult=0.1, rng=0)
    found = models.summary(model, (1, 3, 32, 32))
    aux = sum(p.size for name, p in model.named_parameters() if name.startswith("aux"))
    assert found.unused == aux > 0 and found.parameters == metrics.count_parameters(model)
    assert "parts that did not run" in str(found) and model.training


def test_a_module_used_in_two_places_is_one_line():
    layer = nn.Linear(3, 3, rng=0)
    found = models.summary(nn.Sequential(layer, nn.ReLU(), layer), (2, 3))
    assert [m.path for m in found] == ["0", "1"] and found.macs == 2 * 2 * 9 and found.parameters == 12


def test_errors():
    with pytest.raises(TypeError, match="summary: want a Module, got int"):
        models.summary(3, (1, 2))
    with pytest.raises(ValueError, match="summary: input_shape: want ints"):
        models.summary(nn.ReLU(), (0, 2))


def test_the_network_is_left_as_it_was():
    model = models.cifar_resnet(8, 4, rng=0)
    before = model.state_dict()
    models.summary(model, (1, 3, 8, 8))
    assert all(np.array_equal(a, before[name]) for name, a in model.state_dict().items())
