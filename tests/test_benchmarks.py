"""tests/benchmarks/convolution.py: both sides of a comparison compute the same thing."""

import pathlib
import runpy

import numpy as np
import pytest

SUITE = runpy.run_path(str(pathlib.Path(__file__).parent / "benchmarks" / "convolution.py"))
CASES = [
    (2, 4, 9, 6, 3, 1, 1, 1, 1),
    (2, 4, 9, 6, 3, 2, 1, 1, 2),
    (1, 4, 9, 4, 5, 2, 2, 1, 4),
    (1, 2, 9, 3, 3, 1, 2, 2, 1),
]


def same(pairs):
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours(), np.asarray(theirs()).reshape(ours().shape), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_plain_numpy_computes_what_the_kernels_do(case):
    same(SUITE["convolution"](case, None))


@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES)
def test_pytorch_is_asked_for_what_the_kernels_do(case, torch):
    def gradient(call):
        result = call()
        return next(r for r in result if r is not None) if isinstance(result, tuple) else result

    same([(ours, lambda f=theirs: gradient(f)) for ours, theirs in SUITE["convolution"](case, torch)])


def test_slices_shift_as_the_kernel_does():
    [(ours, theirs)], _ = SUITE["shifting"]((2, 20, 6), None)
    np.testing.assert_array_equal(ours(), theirs())


def test_the_suite_has_the_shapes_that_it_promises():
    assert {name: len(cases) for name, cases in SUITE["FAMILIES"].items()} == {
        "dense": 26,
        "depthwise": 40,
        "grouped": 20,
        "shift": 10,
    }
