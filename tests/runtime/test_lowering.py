"""Lowered networks: what is replaced, what stays, what it computes, and the bytes it holds."""

import copy

import numpy as np
import pytest
from numba import config

import lightnn
from lightnn import compress, metrics, models, nn, runtime
from lightnn.tensor import Tensor, no_grad

TOLERANCE = 1e-5 if config.DISABLE_JIT else 1e-6  # rounding: lenet's fc1 adds up 800 products, the dense way in blocks


def pruned(model, keep=0.1, bits=None):
    for name, p in list(model.named_parameters()):
        if name.endswith("weight") and p.ndim > 1:
            compress.prune(p, compress.quality_for(p.data, keep))
            if bits is not None:
                compress.share(p, bits)
    return model


def kinds(model):
    return [type(m).__name__ for m in model.modules() if not list(m.members())]


def answers(model, x):
    with no_grad():
        return model.eval()(Tensor(x)).data


@pytest.mark.parametrize("bits", [None, 5])
@pytest.mark.parametrize("build", [models.lenet5, models.lenet_300_100])
def test_a_lowered_lenet_answers_as_it_did(build, bits, rng):
    model = pruned(build(rng=0), bits=bits)
    x = rng.standard_normal((3, 1, 28, 28), np.float32)
    lowered = runtime.lower(model)
    np.testing.assert_allclose(answers(lowered, x), answers(model, x), rtol=0, atol=TOLERANCE)
    assert {type(m) for m in lowered.modules()}.isdisjoint({nn.Linear, nn.Conv2d, compress.Mask, compress.Codebook})


def test_the_network_itself_is_left_as_it_was(rng):
    model = pruned(models.lenet_300_100(rng=0), bits=4).train()
    x = rng.standard_normal((2, 1, 28, 28), np.float32)
    before, answer, shape = model.state_dict(), answers(copy.deepcopy(model), x), repr(model)
    lowered = runtime.lower(model)
    for stored in (a for m in lowered.modules() for a in vars(m).values() if isinstance(a, np.ndarray)):
        stored[...] = 0
    assert model.training and not lowered.training and repr(model) == shape
    assert all(p.requires_grad for p in model.parameters())
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    np.testing.assert_array_equal(answers(model, x), answer)


class Branches(nn.Module):
    """Layers in a list, in a tuple, one of them twice, below a container, and a subclass."""

    class Doubled(nn.Linear):
        def forward(self, x):
            return super().forward(x) * 2

    def __init__(self):
        self.shared = nn.Linear(6, 6, rng=0)
        self.branches = [nn.Linear(6, 6, rng=1), nn.Sequential(nn.Linear(6, 6, rng=2), nn.ReLU()), self.shared]
        self.pair = (nn.Linear(6, 6, rng=3), nn.Dropout(0.5, rng=0))
        self.plain, self.doubled = nn.Linear(6, 6, rng=4), Branches.Doubled(6, 6, rng=5)

    def forward(self, x):
        x = self.shared(x)
        for branch in (*self.branches, *self.pair, self.plain, self.doubled):
            x = x + branch(x)
        return x


def test_layers_are_found_wherever_they_stand_and_only_those_with_a_mask(rng):
    model = pruned(Branches(), keep=0.5)
    model.plain.weight.support = None
    lowered = runtime.lower(model)
    assert lowered.shared is lowered.branches[2] and isinstance(lowered.shared, runtime.SparseLinear)
    assert isinstance(lowered.branches[0], runtime.SparseLinear) and isinstance(lowered.pair, tuple)
    assert isinstance(lowered.branches[1][0], runtime.SparseLinear) and isinstance(
        lowered.pair[0], runtime.SparseLinear
    )
    assert type(lowered.plain) is nn.Linear and type(lowered.doubled) is Branches.Doubled
    x = rng.standard_normal((4, 6), np.float32)
    np.testing.assert_allclose(answers(lowered, x), answers(model, x), rtol=0, atol=TOLERANCE)
    assert not lowered(Tensor(x)).requires_grad  # nor outside of no_grad


def test_grouped_and_depthwise_layers_stay(rng):
    model = nn.Sequential(nn.Conv2d(4, 4, 3, groups=4, rng=0), nn.Conv2d(4, 6, 1, rng=0), nn.Conv2d(6, 6, 1, groups=2))
    lowered = runtime.lower(pruned(model, keep=0.5))
    assert [type(m).__name__ for m in lowered] == ["Conv2d", "SparseConv2d", "Conv2d"]
    x = rng.standard_normal((2, 4, 7, 7), np.float32)
    np.testing.assert_allclose(answers(lowered, x), answers(model, x), rtol=0, atol=TOLERANCE)


def test_a_layer_alone_and_a_network_without_masks():
    layer = pruned(nn.Linear(5, 3, rng=0), keep=0.5)
    assert isinstance(runtime.lower(layer), runtime.SparseLinear)
    assert kinds(runtime.lower(models.lenet5(rng=0))) == kinds(models.lenet5(rng=0))


def test_lowering_twice_changes_nothing(rng):
    once = runtime.lower(pruned(models.lenet_300_100(rng=0)))
    twice = runtime.lower(once)
    x = rng.standard_normal((2, 1, 28, 28), np.float32)
    np.testing.assert_array_equal(answers(once, x), answers(twice, x))


def test_wrong_uses_are_one_clear_line(tmp_path):
    with pytest.raises(TypeError, match="lower: want a Module, got dict"):
        runtime.lower({})
    lowered = runtime.lower(pruned(models.lenet_300_100(rng=0)))
    with pytest.raises(RuntimeError, match="does not train"):
        lowered.train()(Tensor(np.zeros((1, 1, 28, 28), np.float32)))
    with pytest.raises(TypeError, match="save: fc1 is SparseLinear here, Linear in the lenet_300_100"):
        lightnn.save(lowered, tmp_path / "a.lnn")


def test_held_bytes_of_a_layer_by_hand():
    layer = nn.Linear(8, 3, rng=0)
    compress.set_mask(layer.weight, np.arange(24).reshape(3, 8) % 4 == 0)  # 6 elements
    [row] = runtime.held_bytes(runtime.lower(layer))
    assert (row.module, row.kind) == ("", "SparseLinear")
    assert row.parts == {"values": 24, "indices": 24, "pointers": 16, "codebook": 0, "bias": 12}
    assert row.held == 76 and row.dense == 4 * 24 + 12
    compress.share(layer.weight, 1)
    [row] = runtime.held_bytes(runtime.lower(layer))
    assert row.parts == {"values": 6, "indices": 24, "pointers": 16, "codebook": 8, "bias": 12}


def test_held_bytes_adds_up_and_counts_every_array():
    model = nn.Sequential(nn.Conv2d(3, 8, 3, rng=0), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8, rng=0))
    lowered = runtime.lower(pruned(model, keep=0.3))
    held = runtime.held_bytes(lowered)
    arrays = {name: a for name, a in model.state_dict().items() if "num_batches" not in name}  # that is training's
    used = [a for name, a in lowered.state_dict().items() if "num_batches" not in name]
    assert held.held == sum(row.held for row in held) == sum(a.nbytes for a in used)
    assert [row.module for row in held] == ["0", "1", "3"]
    assert held.dense == sum(a.nbytes for name, a in arrays.items() if "support" not in name)


def test_held_bytes_prints_a_table_of_80_columns():
    held = runtime.held_bytes(runtime.lower(pruned(models.lenet5(rng=0), bits=5)))
    lines = str(held).splitlines()
    assert len(lines) == 6 and max(map(len, lines)) <= 80
    assert lines[0].split() == ["module", "values", "indices", "pointers", "codebook", "bias", "held", "dense"]
    assert lines[-1].split()[0] == "total" and lines[-1].split()[-2] == f"{held.held:,}"
    assert str(runtime.Held()).splitlines()[-1].split() == ["total", "0", "0"]
    assert "<td" in held._repr_html_()


def test_a_lowered_network_is_traced(rng):
    model = pruned(models.lenet5(rng=0), keep=0.1, bits=5)
    dense, lowered = metrics.trace(model, (2, 1, 28, 28)), metrics.trace(runtime.lower(model), (2, 1, 28, 28))
    ops = [row for row in lowered if row.op.startswith("sparse")]
    assert [(row.module, row.op) for row in ops] == [
        ("conv1", "sparse_conv2d"), ("conv2", "sparse_conv2d"), ("fc1", "sparse_linear"), ("fc2", "sparse_linear"),
    ]  # fmt: skip
    assert [row.macs for row in ops] == [2 * n for n in (50 * 576, 2500 * 64, 40_000, 500)]
    assert [row.parameters for row in ops] == [50 + 20, 2500 + 50, 40_000 + 500, 500 + 10]
    held = {row.module: row.held for row in runtime.held_bytes(runtime.lower(model))}
    fc1 = ops[2]
    assert fc1.moved_bytes == held["fc1"] + 4 * 2 * (800 + 500) and fc1.activation_bytes == 4 * 2 * 500
    assert lowered.macs == pytest.approx(0.1 * dense.macs, rel=1e-3)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_a_shared_layer_holds_its_codes_and_computes_the_same_bits(groups, rng):
    model = nn.Sequential(
        nn.Conv2d(4, 8, 3, padding=1, groups=groups, rng=0), nn.Flatten(), nn.Linear(8 * 49, 5, rng=1)
    )
    for layer in (model[0], model[2]):
        compress.share(layer.weight, 4)
    lowered, x = runtime.lower(model), rng.standard_normal((2, 4, 7, 7), np.float32)
    assert kinds(lowered) == ["CodebookConv2d", "Flatten", "CodebookLinear"]
    np.testing.assert_array_equal(answers(lowered, x), answers(model, x))
    row = runtime.held_bytes(lowered)[-1]
    assert row.parts == {"values": 8 * 49 * 5, "codebook": 64, "bias": 20} and row.dense == 4 * 8 * 49 * 5 + 20
    with pytest.raises(RuntimeError, match="CodebookConv2d: a lowered network does not train"):
        lowered.train()(Tensor(x))


def test_the_report_says_what_stays_and_why():
    model = Branches()
    pruned(model, keep=0.5).plain.weight.support = None
    compress.share(model.branches[0].weight, 2)
    report = runtime.lower_report(model)
    said = {row.module: (row.weight, row.runs_as, row.why) for row in report}
    assert said["shared"] == ("mask", "SparseLinear", "")
    assert said["branches.0"] == ("codebook + mask", "SparseLinear", "")
    assert said["plain"] == ("plain", "Linear", "its weight is not compressed")
    assert said["doubled"][1:] == ("Doubled", "it is a subclass of Linear and may compute something else")
    text = str(report).splitlines()
    assert text[0].split() == ["module", "layer", "weight", "runs", "as"] and max(map(len, text)) <= 80
    assert "doubled stays: it is a subclass of Linear and may compute something else" in text
    assert "<th" in report._repr_html_()
    assert {row.why for row in runtime.lower_report(runtime.lower(model))} >= {"it is lowered already"}


def test_the_report_names_groups_and_unknown_pairs():
    model = pruned(nn.Sequential(nn.Conv2d(4, 4, 3, groups=4, rng=0), nn.BatchNorm2d(4)), keep=0.5)
    compress.set_mask(model[1].weight, np.arange(4) > 0)
    assert [row.why for row in runtime.lower_report(model)] == [
        "it has 4 groups, and the sparse kernel takes one",
        "no runtime layer computes BatchNorm2d on mask: it runs on plain numbers",
    ]
    stays = runtime.lower(model).network[1].weight
    assert not stays.data[0] and stays.support is None


def test_a_pair_has_one_runtime_layer():
    with pytest.raises(ValueError, match="Linear with None, mask is SparseLinear already"):
        runtime.lowers(nn.Linear, support="mask")(type("Other", (), {}))
