"""lightnn/compress/transforms/soft.py: weights of Quantization Networks."""

import math

import numpy as np
import pytest

from lightnn import Tensor, nn
from lightnn import functional as F
from lightnn.compress import (
    RisingTemperature,
    SoftQuantizer,
    encode,
    first_scales,
    kmeans_biases,
    linear_biases,
    rising_temperature,
    set_temperature,
    soft_quantizer,
    step_heights,
    use_soft_quantizer,
)
from lightnn.nn import Parameter

LEVELS = [(-1, 1), (-1, 0, 1), (-4, -2, -1, 0, 1, 2, 4)]


@pytest.mark.parametrize("Y", LEVELS)
@pytest.mark.parametrize("biases", [kmeans_biases, linear_biases])
def test_it_obeys_the_laws_of_a_transform(laws, Y, biases):
    laws(lambda latent: use_soft_quantizer(Parameter(latent), Y, biases))
