"""lightnn/data/photographs.py: resizing against Pillow and by property; what is no photograph; the thousand names."""

import importlib.util

import numpy as np
import pytest

from lightnn.data import photographs
from lightnn.data.photographs import (
    cubic_matrix,
    imagenet_classes,
    load_photograph,
    read_photograph,
    resize,
    to_imagenet,
)

needs_photos = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("PIL", "skimage")),
    reason="the group photos is not installed: pip install -e .[photos]",
)


def photo(rng, height=20, width=30):
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("before", "after"), [(7, 7), (9, 4), (4, 9), (1, 5), (300, 224)])
def test_rows_sum_to_one_and_a_flat_picture_stays_flat(before, after):
    A = cubic_matrix(before, after)
    assert A.shape == (after, before)
    np.testing.assert_allclose(A.sum(1), 1)
    np.testing.assert_allclose(A[::-1, ::-1], A, atol=1e-12)  # mirrored as the picture is


def test_resizing_by_hand(rng):
    np.testing.assert_allclose(cubic_matrix(5, 5), np.eye(5), atol=1e-12)
    # halfway between four pixels Keys' cubic weighs them -1/16, 9/16, 9/16, -1/16
    np.testing.assert_allclose(cubic_matrix(8, 16)[7, 2:6] @ [0, 1, 0, 0], (1.5 / 64 - 2.5 / 16 + 1), atol=1e-12)
    x = photo(rng)
    np.testing.assert_array_equal(resize(x, 20, 30), x)


@needs_photos
@pytest.mark.parametrize("size", [(11, 13), (40, 45), (224, 224)])
def test_resizing_is_pillows_to_a_rounding(size, rng):
    from PIL import Image

    x = np.kron(90 + photo(rng, 12, 15) // 4, np.ones((4, 4, 1), np.uint8))  # so that nothing is clipped in between
    want = np.asarray(Image.fromarray(x).resize(size[::-1], Image.Resampling.BICUBIC), float)
    assert np.abs(resize(x, *size) - want).max() < 1.6  # Pillow rounds after each direction


def test_the_middle_square_is_taken_and_normalized(rng):
    x = np.zeros((40, 64, 3), np.uint8)
    x[:, 12:52] = 255
    y = to_imagenet(x, 32)
    assert y.shape == (3, 32, 32) and y.dtype == np.float32 and y.flags.c_contiguous
    np.testing.assert_allclose(y[:, 16, 16], (1 - photographs.MEAN) / photographs.STD, rtol=1e-5)


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 4)), np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_photograph_is_refused(wrong):
    with pytest.raises(ValueError, match="to_imagenet: want a photograph, uint8"):
        to_imagenet(wrong)


@needs_photos
def test_files_of_all_modes_are_read_alike(tmp_path, rng):
    from PIL import Image

    x = photo(rng)
    Image.fromarray(x).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_photograph(tmp_path / "a.png"), x)
    Image.fromarray(x[..., 0]).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read_photograph(tmp_path / "grey.png"), x[..., :1].repeat(3, 2))
    clear = np.dstack([x, np.zeros(x.shape[:2], np.uint8)])
    Image.fromarray(clear).save(tmp_path / "clear.png")
    assert (read_photograph(tmp_path / "clear.png") == 255).all()
    turned = Image.Exif()
    turned[274] = 6
    Image.fromarray(x).save(tmp_path / "turned.png", exif=turned)
    np.testing.assert_array_equal(read_photograph(tmp_path / "turned.png"), x.transpose(1, 0, 2)[:, ::-1])


@needs_photos
def test_a_file_that_is_no_picture_is_named(tmp_path):
    (tmp_path / "a.jpg").write_text("no picture")
    with pytest.raises(ValueError, match=r"a\.jpg: it is no picture that Pillow knows"):
        read_photograph(tmp_path / "a.jpg")
    (tmp_path / "cut.png").write_bytes(
        (photographs.folder_of("skimage", "scikit-image") / "data/coffee.png").read_bytes()[:2000]
    )
    with pytest.raises(ValueError, match=r"cut\.png: "):
        read_photograph(tmp_path / "cut.png")
    with pytest.raises(FileNotFoundError):
        read_photograph(tmp_path / "nothing.png")


@needs_photos
@pytest.mark.parametrize("name", photographs.PHOTOGRAPHS)
def test_every_photograph_is_there(name):
    assert load_photograph(name).ndim == 3


def test_a_missing_package_is_named_with_its_remedy():
    with pytest.raises(ValueError, match=r"want the package nowhere-on-pypi, .* pip install -e \.\[photos\]"):
        photographs.folder_of("nowhere_to_be_found", "nowhere-on-pypi")


def test_the_thousand_names():
    names = imagenet_classes()
    assert len(names) == len(set(names)) == 1000 and all(name.strip() == name and name for name in names)
    assert (names[0], names[285], names[967], names[999]) == ("tench", "Egyptian cat", "espresso", "toilet tissue")


@pytest.mark.oracle
def test_the_names_are_torchvisions(torchvision):
    weights = torchvision.models.get_model_weights("resnet18").IMAGENET1K_V1
    assert list(imagenet_classes()) == weights.meta["categories"]
