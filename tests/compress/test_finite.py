"""lightnn/compress/finite.py: NaN and infinite weights are refused by every call that compresses, before it changes
anything, and the layer is named where the caller knows its name."""

import numpy as np
import pytest

from lightnn import compress, models, nn
from lightnn.compress.finite import check_finite
from lightnn.compress.transforms import log_codes, use_powers_of_two
from lightnn.nn import Parameter
from lightnn.papers.deep_compression.experiment import share_layers
from lightnn.papers.lab.pruning import prune_to

BAD = [np.nan, np.inf, -np.inf]


def a_weight(bad, dtype=np.float32):
    w = np.random.default_rng(0).standard_normal((6, 5)).astype(dtype)
    w[2, 3] = bad
    return w


def test_the_message_counts_and_shows_the_first():
    check_finite("a", np.zeros((3, 0)))
    check_finite("a", np.arange(3))
    with pytest.raises(ValueError, match=r"^fc1: want finite numbers, got 2 of 6 that are not: -inf at \(0, 1\)$"):
        check_finite("fc1", np.array([[0, -np.inf, 1], [2, np.nan, 3]]))


ARRAYS = {
    "threshold": lambda w: compress.threshold(w, 1.0),
    "threshold of what is left": lambda w: compress.threshold(w, 1.0, np.ones(w.shape, bool)),
    "quality_for": lambda w: compress.quality_for(w, 0.5),
    "filter_norms": compress.filter_norms,
    "filter_norms of order 2": lambda w: compress.filter_norms(w, 2),
    "greedy_norms": lambda w: compress.greedy_norms(w, [0]),
    "smallest": lambda w: compress.smallest(w[2], 1),
    "kmeans": lambda w: compress.kmeans(w.ravel(), 2),
    "log_codes": lambda w: log_codes(w, 4, 0),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("call", ARRAYS)
def test_an_array_that_is_not_finite_is_refused(call, dtype, bad):
    ARRAYS[call](a_weight(1.0, dtype))
    with pytest.raises(
        ValueError, match=r"^(threshold|quality_for: w|filter_norms|smallest|kmeans|log_codes): want finite"
    ):
        ARRAYS[call](a_weight(bad, dtype))


@pytest.mark.parametrize("bad", BAD)
def test_what_was_removed_before_does_not_count(bad):
    w, mask = a_weight(bad), np.ones((6, 5), bool)
    mask[2, 3] = False
    assert np.isfinite(compress.threshold(w, 1.0, mask))
    p = Parameter(w)
    compress.set_mask(p, mask)
    p.data[2, 3] = bad  # under the mask, where the network does not see it
    assert compress.prune(p, 0.5) < 1 and np.isfinite(p().data).all()
    assert compress.greedy_norms(w, [3]).shape == (6,)


PARAMETERS = {
    "prune": lambda p: compress.prune(p, 1.0),
    "prune_to_fraction": lambda p: compress.prune_to_fraction(p, 0.5),
    "prune_to_share": lambda p: compress.prune_to_share(p, 0.5),
    "share": lambda p: compress.share(p, 2),
    "use_powers_of_two": lambda p: use_powers_of_two(p, 4),
    "GradualPruning": lambda p: compress.GradualPruning([(p, 0.5)], 1, 1).step(),
    "sensitivity": lambda p: compress.sensitivity(nn.Sequential(), {"fc": p}, lambda model: 0.5, [0.5]),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("call", PARAMETERS)
def test_a_parameter_that_is_not_finite_is_refused_and_stays_as_it_was(call, bad):
    p = Parameter(a_weight(bad))
    data = p.data.copy()
    with pytest.raises(ValueError, match="want finite"):
        PARAMETERS[call](p)
    assert p.values is None and p.support is None
    np.testing.assert_array_equal(p.data, data)


@pytest.mark.parametrize("bad", BAD)
def test_training_that_diverges_does_not_go_on_to_prune(bad):
    good, p = Parameter(a_weight(1.0)), Parameter(a_weight(1.0))
    pruning = compress.GradualPruning([(good, 0.5), (p, 0.5)], n=4, dt=1)
    pruning.step()
    p.data[0, 0] = bad
    with pytest.raises(ValueError, match=r"^GradualPruning, step 1: keeps\[1\]: want finite numbers, got 1 of 30"):
        pruning.step()


def a_network(bad):
    model = models.lenet5(rng=0)
    model.conv2.weight.data[4, 3, 2, 1] = bad
    return model


def selected(model):
    found = compress.channels(model, (1, 1, 28, 28))
    scores = {layer: np.full(len(ids), model.conv2.weight.data.max()) for layer, ids in found.layers.items()}
    return compress.select(found, scores, {"conv2": 0.5})


def selected_greedily(model):
    return compress.select_greedily(model, compress.channels(model, (1, 1, 28, 28)), {"conv2": 0.5})


NETWORKS = {
    "norms": lambda model: compress.prune_filters(model, (1, 1, 28, 28), {"conv1": 0.5}),
    "select": selected,
    "select_greedily": selected_greedily,
    "prune_to": lambda model: prune_to(model, {"conv1": 0.5, "conv2": 0.5}),
    "share_layers": lambda model: share_layers(model, (8, 8, 5, 5, 5)),
    "sensitivity": lambda model: compress.sensitivity(model, {"conv2.weight": model.conv2.weight}, len, [0.5]),
}


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("call", NETWORKS)
def test_a_caller_that_knows_the_layer_names_it(call, bad):
    model = a_network(bad)
    with pytest.raises(ValueError, match=f"^{call}: .*conv2.*: want finite"):
        NETWORKS[call](model)
    if call != "share_layers":
        assert all(p.support is None for p in model.parameters())
