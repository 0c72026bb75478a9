"""Shared by the tests of the ops: one comparison with PyTorch, values and gradients."""

import numpy as np
import pytest

from lightnn import Tensor


@pytest.fixture
def same_as_torch(torch):
    """Function: ours(*arrays) and theirs(*arrays) give one y and, for one random dy, the same gradients to 1e-10."""

    def check(ours, theirs, *arrays):
        tensors = [a if a is None else Tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
        twins = [a if a is None else torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
        y, want = ours(*tensors), theirs(*twins)
        dy = np.random.default_rng(1).standard_normal(y.shape)
        y.backward(dy)
        want.backward(torch.tensor(dy))
        np.testing.assert_allclose(y.data, want.detach().numpy(), rtol=1e-10, atol=1e-10)
        for tensor, twin in zip(tensors, twins, strict=True):
            if twin is not None and twin.requires_grad:
                np.testing.assert_allclose(tensor.grad, twin.grad.numpy(), rtol=1e-10, atol=1e-10)

    return check
