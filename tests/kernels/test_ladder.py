"""lightnn/kernels/ladder.py: every step equals the definition, and stays short."""

import inspect

import numpy as np
import pytest

from lightnn.functional import plain
from lightnn.kernels import ladder

CASES = {  # n, c, height, width, o, kernel, stride, padding
    "3x3": (2, 3, 6, 7, 5, (3, 3), 1, 1),
    "stride 2": (1, 2, 7, 6, 9, (3, 3), 2, 1),
    "1x1": (2, 4, 3, 5, 3, (1, 1), 1, 0),
    "1x1, stride 3": (1, 2, 8, 7, 2, (1, 1), 3, 0),
    "padding over kernel": (1, 1, 3, 4, 2, (2, 3), 2, 3),
    "one output": (1, 2, 4, 4, 1, (4, 4), 1, 0),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda t: t.__name__)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("step", ladder.LADDER, ids=lambda f: f.__name__)
def test_every_step_equals_the_definition(step, case, dtype, rng):
    n, c, height, width, o, kernel, s, p = case
    x = rng.standard_normal((n, c, height, width)).astype(dtype)
    w = rng.standard_normal((o, c, *kernel)).astype(dtype)
    y = step(x, w, s, p)
    assert y.dtype == dtype and y.flags.c_contiguous
    tolerance = 1e-12 if dtype == np.float64 else 1e-4
    np.testing.assert_allclose(y, plain.conv2d(x, w, (s, s), (p,) * 4, (1, 1)), rtol=tolerance, atol=tolerance)


def test_seven_short_steps_say_what_they_gain():
    assert len(ladder.LADDER) == 7
    for number, step in enumerate(ladder.LADDER, 1):
        inner = getattr(ladder, f"_{step.__name__}", None)
        lines = sum(len(inspect.getsource(getattr(f, "py_func", f)).splitlines()) for f in (step, inner) if f)
        assert lines <= 25
        assert inspect.getdoc(step).startswith(f"Step {number}. ")
