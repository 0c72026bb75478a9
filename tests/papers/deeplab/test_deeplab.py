"""lightnn/papers/deeplab: the ways have the same weights; a quick run fills the table and resumes."""

import numpy as np
import pytest

from lightnn import Tensor, data
from lightnn.journal import Journal
from lightnn.papers import deeplab
from lightnn.papers.deeplab import experiment, segmentation
from lightnn.papers.lab.session import Session


def test_all_ways_to_segment_have_the_same_weights_and_one_loss_is_by_hand(rng):
    models = [segmentation.network(way, rng=0) for way in segmentation.WAYS]
    shapes = [[p.shape for p in m.parameters()] for m in models]
    assert shapes[0] == shapes[1] == shapes[2]
    outputs, labels = rng.standard_normal((2, 11, 3, 4)), rng.integers(0, 11, (2, 3, 4))
    z = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
    by_hand = np.mean([-np.log(z[n, labels[n, i, j], i, j]) for n in range(2) for i in range(3) for j in range(4)])
    np.testing.assert_allclose(segmentation.pixel_loss(Tensor(outputs), labels).item(), by_hand)


def test_rows_of_text_are_a_picture_again(rng):
    numbers = rng.integers(0, 16, (2, 5, 7))
    lines = experiment.rows(numbers)
    assert [len(row) for row in lines[0]] == [7] * 5
    np.testing.assert_array_equal([deeplab.picture(each) for each in lines], numbers)


@pytest.mark.thorough
@pytest.mark.compiled
def test_a_quick_run_fills_the_table_and_resumes_without_training(images, tmp_path, monkeypatch):
    monkeypatch.setattr(data, "load_fashion_mnist", lambda: images)
    monkeypatch.setattr(experiment, "QUICK", experiment.Subject(scenes=20, epochs=1, test_scenes=4, seeds=2))
    session = Session(Journal(tmp_path), quick=True, progress=False, say=lambda line: None)
    result = deeplab.reproduce(session)
    text = deeplab.format_tables(result)
    assert max(map(len, text.splitlines())) <= 80 and "dilation" in text
    assert set(result["found"]) == set(segmentation.WAYS)
    assert {np.shape(deeplab.picture(each)) for each in result["images"] + result["labels"]} == {(64, 64)}
    monkeypatch.setattr(experiment, "train", None)  # nothing is trained again
    assert deeplab.reproduce(session) == result
