"""lightnn/papers/kill_lite0: the experiment on a small Lite network, and its table."""

import json

import numpy as np
import pytest

from lightnn import compress, models, nn
from lightnn.journal import Journal
from lightnn.papers import kill_lite0 as killing
from lightnn.papers.kill_lite0 import experiment
from lightnn.papers.lab.photographs import Fold
from lightnn.papers.lab.session import Session


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    x = np.random.default_rng(0).standard_normal((20, 3, 32, 32)).astype(np.float32)
    fold = Fold(x[:12], x[12:], tuple("aabbccdd"))
    small = experiment.Subject(calibration=1, test=1, seen=6, k=8, iterations=3, epochs=1)
    journal = Journal(tmp_path_factory.mktemp("run"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            experiment, "efficientnet_lite0", lambda: models.efficientnet_lite(0.2, 0.3, num_classes=8, rng=0).eval()
        )
        patch.setattr(experiment, "folds", lambda *args: [fold])
        patch.setattr(experiment, "QUICK", small)
        result = killing.reproduce(Session(journal, quick=True, progress=False, say=lambda line: None))
    return journal, result


@pytest.mark.compiled
@pytest.mark.thorough
def test_what_is_measured(run):
    _, result = run
    assert json.loads(json.dumps(result)) == result
    assert list(result["ways"]) == list(killing.WAYS) and result["crops"] == 8 and result["photographs"] == 4
    assert all(0 <= way["top-1 %"] <= way["top-5 %"] <= 100 for way in result["ways"].values())
    assert all(way["bytes"] < result["float bytes"] / 3 for way in result["ways"].values())
    assert max(map(len, killing.format_tables(result).splitlines())) <= 80


@pytest.mark.compiled
@pytest.mark.thorough
def test_blocks_for_the_large_layers_and_shared_values_for_the_others(run):
    journal, _ = run
    corrected, tuned = (journal.network(name, None)[0] for name in ("weighted, biases", "weighted, tuned"))
    kinds = {path: type(m.weight.values) for path, m in tuned.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    assert kinds["fc"] is kinds["conv_head"] is compress.Product
    assert kinds["conv_stem"] is kinds["blocks.0.depthwise_conv"] is compress.Codebook
    assert not any(isinstance(m, nn.BatchNorm2d | nn.Dropout | nn.StochasticDepth) for m in tuned.modules())
    assert (tuned.fc.weight.values.codebook.data != corrected.fc.weight.values.codebook.data).any()
    np.testing.assert_array_equal(tuned.conv_stem.weight().data, corrected.conv_stem.weight().data)


def test_half_of_the_images_are_mirrored(rng):
    x = rng.standard_normal((40, 1, 2, 3)).astype(np.float32)
    y = experiment.mirrored(x, np.random.default_rng(0))
    same = [np.array_equal(a, b) for a, b in zip(x, y)]
    assert y.dtype == np.float32 and 10 < sum(same) < 30
    assert all(np.array_equal(b, a if kept else a[..., ::-1]) for a, b, kept in zip(x, y, same))
