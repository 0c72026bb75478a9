"""What the exercises of chapter 10, K-bit quantization, are graded on (see lightnn/study/exercises/cases.py)."""

from lightnn.study.exercises.cases import Case

TENSOR = "from lightnn.tensor import Tensor"
RNG = "rng = np.random.default_rng(3)"
EVEN = "A tie is rounded to the even integer"
ENDS = "both ends of the range belong to the inside"
INFINITE = "Infinity is clipped; for NaN y is NaN and the gradient 0"
SHAPE = "in x's shape and dtype"
BITS = "ValueError unless bits is an int from 1 to 8"
FLOAT = "TypeError unless x is float32 or float64"
GROWN = "r is clipped to 0 .. 1 for weights that have grown since"
ONE_BIT = "c = 1 where W >= 0, else 0"
CODES = "uint8, in W's shape"
PACT_X = "dL/dx = dL/dy where 0 < x < alpha, else 0"
PACT_ALPHA = "dL/dalpha = sum of dL/dy where x >= alpha"
HELD = (
    "clipped to LEAST_SCALE .. MOST_SCALE before it is used; its gradient has the shape (1,), and clipping it does not "
)
HELD += "stop the gradient"
PACT_DTYPE = "TypeError unless x and alpha are float32 or float64, both the same"
PACT_SHAPE = "ValueError unless alpha has the shape (1,) and bits is an int from 1 to 8"
LSQ_RANGE = "Q_P = 2^(bits-1) - 1 if signed, else Q_N = 0 and Q_P = 2^bits - 1"
LSQ_ENDS = "dL/dv = dL/dv_hat where -Q_N < v / s < Q_P, else 0"
LSQ_G = "g = 1 / sqrt(n Q_P)"
LSQ_EVEN = "a tie is rounded to the even integer"
LSQ_DTYPE = "TypeError unless v and s are float32 or float64, both the same"
LSQ_SHAPE = "ValueError unless s has the shape (1,), bits is an int from 2 to 8, and n is an int >= 1"
ABOVE = "alpha is the mean over those weights alone whose magnitude is above D"
EQUAL = "one with |W| = D is not among them"
NONE_ABOVE = "alpha is 0.0 where no weight is above D"
EMPTY = "both are 0.0 for an empty W"
ANY_SHAPE = "a float64 array of any shape"
AT_D = "0 where |W| <= D"
W_N = "dL/dW_n = -sum of dy where W < -D"
TTQ_HELD = "before it is used; its gradient has its shape, and clipping it does not stop the gradient"
TTQ_DTYPE = "in W's shape and dtype"
LARGEST = "gamma makes the largest level 1"
CHOSEN = "Every p_i is chosen on its own"
ONE_ZERO = "The level 0 is there once"
ASCENDING = "ascending"
NOW = "K = bits[layer]"
FEWEST_BITS = "A layer with FEWEST bits, or fewer, can lose none"
FIRST = "Of equal prices the layer that comes first in `bits` wins"
NONE = "None if no layer can lose a bit"
PRICE = "price = (costs[layer][K - 1] - costs[layer][K]) / sizes[layer]"
DTYPES = ("float64", "float32")


def _array(name, numbers, dtype="float64"):
    return f"{name} = np.array({numbers}, np.{dtype})"


def _result(y, dtype="float64"):
    return f"Tensor(np.array({y}, np.{dtype}))" if y else ""


def _random(dtype, **shapes):
    lines = [f"{name} = rng.standard_normal({shape}).astype(np.{dtype})" for name, shape in shapes.items()]
    return "\n".join([RNG, *lines])


def _dorefa(x, bits, y="", says="", dtype="float64"):
    setup = f"{TENSOR}\n{_array('x', x, dtype)}"
    return Case(f"dorefa_activation(Tensor(x), bits={bits})", setup, says, _result(y, dtype))


def _codes(W, m, bits, c="", says="", dtype="float64"):
    want = f"np.array({c}, np.uint8)" if c else ""
    return Case(f"dorefa_codes(W, {m}, {bits})", _array("W", W, dtype), says, want)


def _pact(x, alpha, bits, y="", says="", dtypes=("float64", "float64")):
    setup = f"{TENSOR}\n{_array('x', x, dtypes[0])}\n{_array('alpha', alpha, dtypes[1])}"
    return Case(f"pact(Tensor(x), Tensor(alpha), bits={bits})", setup, says, _result(y, dtypes[0]))


def _lsq(v, s, options, v_hat="", says="", dtypes=("float64", "float64")):
    setup = f"{TENSOR}\n{_array('v', v, dtypes[0])}\n{_array('s', s, dtypes[1])}"
    return Case(f"lsq(Tensor(v), Tensor(s), {options})", setup, says, _result(v_hat, dtypes[0]))


def _ternary(W, factor, want, says=""):
    return Case(f"threshold_and_scale(W, {factor})", _array("W", W), says, want)


def _trained(W, scale, D, w="", says="", dtypes=("float64", "float64")):
    setup = f"{TENSOR}\n{_array('W', W, dtypes[0])}\n{_array('scale', scale, dtypes[1])}"
    return Case(f"trained_ternary(Tensor(W), Tensor(scale), D={D})", setup, says, _result(w, dtypes[0]))


def _levels(terms, want="", says=""):
    return Case(f"additive_levels({terms})", says=says, want=want and f"np.array({want})")


def _cheapest(costs, bits, sizes, want="", says=""):
    setup = f"costs = {costs}\nbits = {bits}\nsizes = {sizes}"
    return Case("cheapest(costs, bits, sizes)", setup, says, want)


def _layers(seed, count):
    """A random case of 10.8."""
    return Case(
        "cheapest(costs, bits, sizes)",
        f"rng = np.random.default_rng({seed})\n"
        f"names = [f'fc{{i}}' for i in range({count})]\n"
        "costs = {n: dict(zip(range(8, 1, -1), np.cumsum(rng.random(7)).tolist())) for n in names}\n"
        "bits = {n: int(rng.integers(2, 9)) for n in names}\n"
        "sizes = {n: int(rng.integers(10, 90)) for n in names}",
    )


CASES = {
    "10.1": [
        _dorefa("[0.4, 0.6, -1.0, 2.0]", 1, "[0.0, 1.0, 0.0, 1.0]"),
        _dorefa("[0.1, 0.2, 0.8, 0.9]", 2, "[0, 1 / 3, 2 / 3, 1]"),
        _dorefa("[0.0, 1.0, -0.1, 1.1]", 2, "[0.0, 1.0, 0.0, 1.0]", ENDS),
        _dorefa("[0.5, 1 / 6, 5 / 6]", 2, says=EVEN),
        _dorefa("[0.5]", 1, "[0.0]", EVEN),
        _dorefa("[np.inf, -np.inf, np.nan]", 2, "[1.0, 0.0, np.nan]", INFINITE),
        _dorefa("[[0.25, 0.7], [0.45, 3.0]]", 3, says=SHAPE, dtype="float32"),
        *[
            Case(f"dorefa_activation(Tensor(x), bits={bits})", f"{TENSOR}\n{_random(dtype, x=shape)}")
            for bits, shape, dtype in [(2, (3, 4), "float64"), (3, (2, 3, 4, 2), "float32"), (8, (40,), "float64")]
        ],
        Case("dorefa_activation(Tensor(x.T), bits=4)", f"{TENSOR}\n{_random('float32', x=(5, 6))}"),
        *[_dorefa("[0.5]", bits, says=BITS) for bits in (0, 9, 2.5)],
        _dorefa("[0, 1]", 2, says=FLOAT, dtype="int64"),
        _dorefa("[0.0, 1.0]", 2, says=FLOAT, dtype="float16"),
    ],
    "10.2": [
        _codes("[-2.0, 0.5, 3.0]", 1.0, 1, "[0, 1, 1]"),
        _codes("[0.0, -0.0, np.nan]", 1.0, 1, "[1, 1, 0]", ONE_BIT),
        _codes("[-1.0, 0.0, 1.0]", "np.tanh(1.0)", 2, "[0, 2, 3]"),
        _codes("[-1.0, 0.2, 1.0]", "np.tanh(1.0)", 3),
        _codes("[-9.0, 9.0, 0.1]", 0.5, 2, "[0, 3, 2]", GROWN),
        _codes("[np.inf, -np.inf, np.nan]", 1.0, 2, "[3, 0, 0]", "NaN has the code 0"),
        _codes("[0.0]", 0.25, 8, "[128]", EVEN),
        _codes("[[0.3, -0.1], [0.0, 0.2]]", "np.float32(0.5)", 4, says=CODES, dtype="float32"),
        *[
            Case(f"dorefa_codes(W, np.abs(np.tanh(W)).max(), {bits})", _random(dtype, W=shape))
            for bits, shape, dtype in [
                (1, (3, 5), "float32"),
                (2, (3, 4, 5), "float64"),
                (3, (60,), "float32"),
                (5, (4, 2, 3, 3), "float64"),
                (8, (90,), "float64"),
            ]
        ],
        Case("dorefa_codes(W.T, 0.7, 4)", _random("float32", W=(7, 5)), GROWN),
    ],
    "10.3": [
        _pact("[-1.0, 0.4, 2.6, 5.0]", "[3.0]", 2, "[0.0, 0.0, 3.0, 3.0]"),
        _pact("[0.0, 3.0, 1.0]", "[3.0]", 2, "[0.0, 3.0, 1.0]", PACT_X),
        _pact("[1.0, 1.5, 2.0]", "[1.5]", 2, says=PACT_ALPHA),
        _pact("[-1.0, 0.5, -3.0]", "[6.0]", 4, says=PACT_ALPHA),
        _pact("[2.0, 1.0, 3.0]", "[4.0]", 1, "[0.0, 0.0, 4.0]", EVEN),
        _pact("[0.5, 1.5, 2.5]", "[3.0]", 2, "[0.0, 2.0, 2.0]", EVEN),
        _pact("[1.0, -1.0]", "[-5.0]", 2, "[LEAST_SCALE, 0.0]", HELD),
        _pact("[1e33, 2e33]", "[1e40]", 3, says=HELD),
        _pact("[[0.5, 1.0], [2.0, 0.2]]", "[1.2]", 3, says=SHAPE, dtypes=("float32", "float32")),
        *[
            Case(
                f"pact(Tensor(x), Tensor(alpha), bits={bits})",
                f"{TENSOR}\n{_random(dtype, x=shape)}\n{_array('alpha', [alpha], dtype)}",
            )
            for bits, shape, alpha, dtype in [
                (2, (3, 4), 0.8, "float64"),
                (4, (2, 3, 4, 2), 1.3, "float32"),
                (8, (50,), 0.5, "float64"),
                (1, (4, 3), 9.0, "float32"),
            ]
        ],
        _pact("[1.0]", "2.0", 2, says=PACT_SHAPE),
        _pact("[1.0, 2.0]", "[2.0, 3.0]", 2, says=PACT_SHAPE),
        *[_pact("[1.0]", "[2.0]", bits, says=PACT_SHAPE) for bits in (0, 9, 3.0)],
        _pact("[1.0]", "[2.0]", 2, says=PACT_DTYPE, dtypes=("float32", "float64")),
        _pact("[1, 2]", "[2]", 2, says=PACT_DTYPE, dtypes=("int64", "int64")),
    ],
    "10.4": [
        _lsq("[-9.0, -0.6, 0.4, 1.6, 9.0]", "[1.0]", "bits=3, n=12", "[-4.0, -1.0, 0.0, 2.0, 3.0]"),
        _lsq("[-9.0, 2.0, 5.0, 9.0]", "[2.0]", "bits=2, signed=False", "[0.0, 2.0, 4.0, 6.0]", LSQ_RANGE),
        _lsq("[-9.0, 2.0, 5.0]", "[2.0]", "bits=2", "[-4.0, 2.0, 2.0]", LSQ_RANGE),
        _lsq("[-4.0, 3.0, 1.0]", "[1.0]", "bits=3", "[-4.0, 3.0, 1.0]", LSQ_ENDS),
        _lsq("[0.0, 3.0, 0.2]", "[1.0]", "bits=2, signed=False", "[0.0, 3.0, 0.0]", LSQ_ENDS),
        _lsq("[-0.3, 9.0]", "[1.0]", "bits=3", "[0.0, 3.0]", LSQ_G),
        _lsq("[0.7, -1.2]", "[0.5]", "bits=4, n=5", says=LSQ_G),
        _lsq("[0.5, 1.5, -0.5, -2.5]", "[1.0]", "bits=4", "[0.0, 2.0, 0.0, -2.0]", LSQ_EVEN),
        _lsq("[1.0, -1.0]", "[-0.5]", "bits=3", "[3 * LEAST_SCALE, -4 * LEAST_SCALE]", HELD),
        _lsq("[3e33, -1e33]", "[1e40]", "bits=3", says=HELD),
        _lsq("[[0.5, 1.0], [-2.0, 0.2]]", "[0.3]", "bits=3", says="in v's shape and dtype", dtypes=("float32",) * 2),
        *[
            Case(
                f"lsq(Tensor(v), Tensor(s), {options})",
                f"{TENSOR}\n{_random(dtype, v=shape)}\n{_array('s', [s], dtype)}",
            )
            for options, shape, s, dtype in [
                ("bits=2, n=12", (3, 4), 0.8, "float64"),
                ("bits=3, signed=False, n=24", (2, 3, 4, 2), 0.3, "float32"),
                ("bits=8, n=50", (50,), 0.01, "float64"),
                ("bits=4", (4, 3), 0.2, "float32"),
                ("bits=5, signed=False", (30,), 0.1, "float64"),
            ]
        ],
        _lsq("[1.0]", "2.0", "bits=2", says=LSQ_SHAPE),
        _lsq("[1.0, 2.0]", "[2.0, 3.0]", "bits=2", says=LSQ_SHAPE),
        *[_lsq("[1.0]", "[2.0]", o, says=LSQ_SHAPE) for o in ("bits=1", "bits=9", "bits=2.5", "bits=2, n=0")],
        _lsq("[1.0]", "[2.0]", "bits=2", says=LSQ_DTYPE, dtypes=("float32", "float64")),
        _lsq("[1, 2]", "[2]", "bits=2", says=LSQ_DTYPE, dtypes=("int64", "int64")),
    ],
    "10.5": [
        _ternary("[1.0, -2.0, 4.0, 1.0]", 0.75, "(1.5, 3.0)"),
        _ternary("[5.0, -1.0, 0.0, 2.0]", 1.0, "(2.0, 5.0)", ABOVE),
        _ternary("[-3.0, -1.0]", 0.75, "(1.5, 3.0)", ABOVE),
        _ternary("[1.0, 1.0, -4.0, 2.0]", 0.5, "(1.0, 3.0)", EQUAL),
        _ternary("[2.0, 2.0, -2.0]", 1.0, "(2.0, 0.0)", NONE_ABOVE),
        _ternary("[0.0, 0.0]", 0.7, "(0.0, 0.0)", NONE_ABOVE),
        _ternary("[0.0, 2.0, -4.0]", 0, "(0.0, 3.0)", EQUAL),
        _ternary("[]", 0.7, "(0.0, 0.0)", EMPTY),
        _ternary("[[1.0, -3.0], [5.0, 7.0]]", 1, "(4.0, 6.0)", ANY_SHAPE),
        *[
            Case(f"threshold_and_scale(W, {factor})", _random("float64", W=shape))
            for factor, shape in [(0.7, (50,)), (0.75, (4, 5)), (0.7, (3, 2, 4, 4)), (2.5, (30,)), (100.0, (6,))]
        ],
        Case("threshold_and_scale(W, 0.7)", f"{RNG}\nW = np.sign(rng.random(20) - 0.6) * rng.random(20) ** 3"),
        Case("threshold_and_scale(W[::2], 0.7)", f"{_random('float64', W=(9, 4))}"),
    ],
    "10.6": [
        _trained("[0.5, -0.6, 0.1]", "[2.0, 3.0]", 0.2, "[2.0, -3.0, 0.0]"),
        _trained("[0.3, -0.3, 0.4, -0.4]", "[2.0, 3.0]", 0.3, "[0.0, 0.0, 2.0, -3.0]", AT_D),
        _trained("[0.0, 1.0, -1.0]", "[0.5, 4.0]", 0, "[0.0, 0.5, -4.0]", AT_D),
        _trained("[-1.0, -2.0, 0.1]", "[2.0, 3.0]", 0.5, "[-3.0, -3.0, 0.0]", W_N),
        _trained("[1.0, -1.0, 0.0]", "[-2.0, 3.0]", 0.5, "[LEAST_SCALE, -3.0, 0.0]", TTQ_HELD),
        _trained("[1.0, -1.0]", "[1.0, 1e40]", 0.5, "[1.0, -MOST_SCALE]", TTQ_HELD),
        _trained("[[1.0, -1.0], [0.0, 2.0]]", "[0.1, 0.7]", 0.5, says=TTQ_DTYPE, dtypes=("float32", "float32")),
        _trained("[1.0, -1.0, 0.1]", "[0.1, 0.7]", 0.5, says=TTQ_DTYPE, dtypes=("float32", "float64")),
        *[
            Case(
                f"trained_ternary(Tensor(W), Tensor(scale), D={D})",
                f"{TENSOR}\n{_random(dtype, W=shape)}\n{_array('scale', [0.8, 1.7], dtype)}",
            )
            for D, shape, dtype in [
                (0.2, (3, 4), "float64"),
                (0.9, (2, 3, 4, 2), "float32"),
                (1.4, (40,), "float64"),
                (9.0, (5,), "float64"),
            ]
        ],
    ],
    "10.7": [
        _levels("[(1,)]", "[-1.0, 0.0, 1.0]"),
        _levels("[(2, 1)]", "[-1.0, -0.5, 0.0, 0.5, 1.0]", LARGEST),
        _levels("[(1,), (2,)]", "[-1, -2 / 3, -1 / 3, 0, 1 / 3, 2 / 3, 1]", CHOSEN),
        _levels("[(0, 2)]", "[-1.0, -0.25, 0.0, 0.25, 1.0]", ONE_ZERO),
        _levels("[(3, 1, 2)]", "[-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0]", ASCENDING),
        *[
            _levels(terms)
            for terms in (
                "[(1, 2, 4), (3,)]",
                "[(1, 3, 5), (2, 4, 6)]",
                "[(1, 3, 6), (2, 4, 7), (5,)]",
                "[(1, 4, 7), (2, 5, 8), (3, 6, 9)]",
                "[(4,), (2, 1), (3,), (0,)]",
                "[(2,), (5,)]",
            )
        ],
    ],
    "10.8": [
        _cheapest(
            "{'a': {8: 0.0, 7: 3.0}, 'b': {8: 0.0, 7: 1.0}}", "{'a': 8, 'b': 8}", "{'a': 10, 'b': 10}", "'b'", PRICE
        ),
        _cheapest(
            "{'a': {8: 0.0, 7: 3.0}, 'b': {8: 0.0, 7: 1.0}}", "{'a': 8, 'b': 8}", "{'a': 40, 'b': 10}", "'a'", PRICE
        ),
        _cheapest(
            "{'a': {8: 0.0, 7: 1.0, 6: 5.0}, 'b': {8: 0.0, 7: 2.0}}",
            "{'a': 7, 'b': 8}",
            "{'a': 10, 'b': 10}",
            "'b'",
            NOW,
        ),
        _cheapest(
            "{'a': {8: 0.0, 7: 6.0, 6: 7.0}, 'b': {8: 0.0, 7: 2.0}}",
            "{'a': 7, 'b': 8}",
            "{'a': 10, 'b': 10}",
            "'a'",
            PRICE,
        ),
        _cheapest("{'a': {2: 0.0}, 'b': {3: 0.0, 2: 9.0}}", "{'a': 2, 'b': 3}", "{'a': 5, 'b': 5}", "'b'", FEWEST_BITS),
        _cheapest("{'a': {2: 0.0, 1: 0.0}, 'b': {3: 0.0, 2: 9.0}}", "{'a': 2, 'b': 3}", "{'a': 5, 'b': 5}", "'b'"),
        _cheapest("{'a': {2: 0.0}, 'b': {1: 0.0}}", "{'a': 2, 'b': 1}", "{'a': 5, 'b': 5}", "None", NONE),
        _cheapest(
            "{'a': {4: 0.0, 3: 2.0}, 'b': {4: 0.0, 3: 2.0}}", "{'b': 4, 'a': 4}", "{'a': 5, 'b': 5}", "'b'", FIRST
        ),
        _cheapest(
            "{'a': {4: 0.0, 3: 1.0}, 'b': {4: 0.0, 3: 2.0}}", "{'b': 4, 'a': 4}", "{'a': 5, 'b': 10}", "'b'", FIRST
        ),
        _cheapest("{}", "{}", "{}", "None", NONE),
        *[_layers(seed, count) for seed, count in ((0, 3), (1, 6), (2, 6), (3, 9), (4, 5), (5, 12))],
    ],
}
