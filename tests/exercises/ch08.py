"""What the exercises of chapter 08, quantization, are graded on (see lightnn/study/exercises/cases.py)."""

from lightnn.study.exercises.cases import Case

CASES = {
    "08.1": [Case("scale_and_zero_point(-1.0, 254.0)", want="(np.float32(1), 1)")],
    "08.2": [Case("fake_quantize(Tensor(np.array([0.6, 300.0])))")],
    "08.3": [Case("equalizing_scale(np.array([8.0]), np.array([2.0]))", want="np.array([2.0])")],
    "08.4": [Case("mse_range(Seen(0.0, 0.0, np.zeros((2, 2048), np.int64)), 8)", want="(0.0, 0.0)")],
    "08.5": [Case("fixed_point(np.array([0.5]))")],
    "08.6": [Case("high_mul(2**30, 2)", want="1")],
    "08.7": [Case("divide_by_power(5, 1)", want="3")],
    "08.8": [Case("qsgd_levels(np.array([[0.0, 2.0]]), 3, 0)")],
    "08.9": [Case("divergence(np.array([4.0, 4, 2, 2]), 4, 2)", want="0.0")],
}
