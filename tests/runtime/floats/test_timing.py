"""lightnn/runtime/floats/timing.py: a time for each step of a program. No time is compared."""

import pytest

from lightnn import models, nn, runtime
from lightnn.tensor import Tensor

SHAPE = (2, 1, 28, 28)


@pytest.mark.compiled
def test_each_step_of_the_program_has_its_time():
    lowered = runtime.lower(models.searched(rng=0), SHAPE)
    times = runtime.step_times(lowered, SHAPE, repeats=5)
    assert [(s.module, s.computes) for s in times] == [row[:2] for row in lowered.table()[2]]
    assert all(s.ms > 0 for s in times) and times.ms == pytest.approx(sum(s.ms for s in times))
    assert "conv2d batch_norm relu" in str(times) and "total" in str(times)
    assert all(1 <= call.copies <= 50 for call in runtime.step_calls(lowered, SHAPE))


def test_what_is_no_program_is_refused():
    with pytest.raises(TypeError, match="step_times: want a FloatNetwork"):
        runtime.step_times(models.lenet_300_100(rng=0), (1, 1, 28, 28))

    class Strange(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(4, 4, rng=0)

        def forward(self, x):
            return Tensor(self.fc(x).data[:, ::-1].copy())

    with pytest.raises(ValueError, match="runs module by module"):
        runtime.step_times(runtime.lower(Strange()), (1, 4))
