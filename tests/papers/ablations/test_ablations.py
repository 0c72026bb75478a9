"""lightnn/papers/ablations: networks that differ in one thing only, a quick run of all of them, and its tables."""

import dataclasses

import numpy as np
import pytest

from lightnn import Tensor, data, metrics
from lightnn.journal import Journal
from lightnn.papers import ablations
from lightnn.papers.ablations import blocks, depth, scaling, tables
from lightnn.papers.lab.session import Session

IMAGE = (1, 1, 28, 28)


def counts(make):
    model = make(rng=0)
    return metrics.count_parameters(model), metrics.count_macs(model, IMAGE)


@pytest.mark.parametrize("name", blocks.QUESTIONS)
def test_the_variants_of_a_question_have_in_common_what_it_says(name):
    question = blocks.QUESTIONS[name]
    parameters, macs = zip(*(counts(make) for make in question.variants.values()))
    near = {"MACs": macs, "parameters": parameters}.get(question.equal, (1, 1))
    assert max(near) <= 1.05 * min(near) and len(question.variants) >= 2


def test_plain_and_residual_nets_have_the_same_weights_and_only_one_adds_its_input():
    plain, residual = (depth.network(kind, 8, rng=3) for kind in (False, True))
    for a, b in zip(plain.parameters(), residual.parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)
    x = np.random.default_rng(0).random(IMAGE, np.float32)
    assert not np.allclose(plain(Tensor(x)).data, residual(Tensor(x)).data)


def test_without_batch_norm_gradients_of_a_plain_net_shrink_or_grow_by_layer_and_each_layer_has_one(rng):
    x, y = rng.random((8, 1, 28, 28), np.float32), np.arange(8) % 10
    model = depth.without_norm(depth.network(False, 14, rng=0), 0)
    norms = depth.gradient_norms(model, x, y)
    assert len(norms) == 13 and all(n > 0 for n in norms)


def test_scaling_by_each_way_costs_about_as_many_macs():
    for phi in (1, 2, 3):
        macs = []
        for way in scaling.WAYS.values():
            d, w, r = way(phi)
            size = round(scaling.BASE_SIZE * r)
            macs.append(metrics.count_macs(scaling.network(d, w, rng=0), (1, 1, size, size)))
        assert max(macs) <= 1.15 * min(macs)


def test_shrinking_keeps_the_mean_and_each_pixel_is_the_mean_of_its_area(rng):
    x = rng.random((2, 1, 28, 28), np.float32)
    np.testing.assert_allclose(scaling.shrink(x, 14), x.reshape(2, 1, 14, 2, 14, 2).mean((3, 5)), rtol=1e-5)
    np.testing.assert_array_equal(scaling.shrink(x, 28), x)
    np.testing.assert_allclose(scaling.shrink(x, 10).mean(), x.mean(), rtol=1e-5)


@pytest.mark.thorough
@pytest.mark.compiled
def test_a_quick_run_fills_the_tables_and_resumes_without_training(images, tmp_path, monkeypatch):
    monkeypatch.setattr(data, "load_fashion_mnist", lambda: images)
    few = dataclasses.replace(ablations.QUICK, images=100, test_images=50, depths=(8,), phis=(0, 1))
    monkeypatch.setattr(ablations.experiment, "QUICK", few)
    session = Session(Journal(tmp_path), quick=True, progress=False, say=lambda line: None)
    result = ablations.reproduce(session)
    text = ablations.format_tables(result)
    assert max(map(len, text.splitlines())) <= 80 and "bottleneck" in text
    assert set(ablations.PAPER.records(result)) == {"ablations.json", "scaling.json"}
    nets = result["scaling"]["networks"]
    assert [(n["way"], n["phi"]) for n in nets] == [("base", 0), *((way, 1) for way in scaling.WAYS)]
    monkeypatch.setattr(ablations.experiment, "follow", None)  # nothing is trained again
    again = ablations.reproduce(session)
    assert again == result


def test_a_difference_is_seed_by_seed():
    assert tables.differences({"accuracy %": [80.0, 82.0]}, {"accuracy %": [79.0, 83.0]}) == [1.0, -1.0]
