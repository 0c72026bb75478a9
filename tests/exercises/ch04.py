"""What the exercises of chapter 04, Deep Compression, are graded on (see lightnn/study/exercises/cases.py)."""

from lightnn.study.exercises.cases import Case

CASES = {
    "04.1": [
        Case("sharing_rate(16, 32, 4)", want="3.2"),  # the paper's example
        Case("sharing_rate(8, 8, 8)", want="64 / 88"),
        Case("sharing_rate(1000, 32, 5)", says="log2(k)"),
        *[Case(f"sharing_rate({n}, {b}, {k})") for n, b, k in [(235200, 32, 16), (10, 16, 2), (50, 32, 33)]],
    ],
    "04.2": [
        Case(
            "look_up(c, codes=codes)",
            "c = Tensor(np.array([10.0, 20.0, 30.0]))\ncodes = np.array([[2, 0], [2, 2]])",
        ),
    ],
}
