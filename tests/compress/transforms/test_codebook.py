"""lightnn/compress/transforms/codebook.py: a few values that all weights of a layer share."""

import numpy as np
import pytest

from lightnn.compress import Codebook


@pytest.mark.parametrize("k", [1, 2, 16, 300])
def test_it_obeys_the_laws_of_a_transform(laws, k):
    rng = np.random.default_rng(k)
    laws(
        lambda latent: Codebook(
            rng.standard_normal(k).astype(latent.dtype), np.asarray(rng.integers(0, k, latent.shape))
        )
    )


def test_it_shows_how_many_values_and_bits_it_has():
    assert repr(Codebook(np.zeros(16), np.zeros(3, int))) == "Codebook(16 values, 4 bits)"
