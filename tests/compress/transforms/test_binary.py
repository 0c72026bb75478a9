"""lightnn/compress/transforms/binary.py: weights of one bit."""

import numpy as np
import pytest

from lightnn.compress import Binary, StochasticBinary, use_binary_filters
from lightnn.nn import Parameter


@pytest.mark.parametrize("alpha", [1.0, np.nan, 0.25])
def test_it_obeys_the_laws_of_a_transform(laws, alpha):
    laws(lambda latent: Binary(alpha))


def test_with_a_scale_for_each_filter_too(laws):
    laws(lambda latent: use_binary_filters(Parameter(latent)))


def test_random_signs_obey_them_in_eval_mode(laws):
    laws(lambda latent: StochasticBinary(rng=0).eval())
