"""What the exercises of chapter 12, convolution filters, are graded on (see lightnn/study/exercises/cases.py)."""

from lightnn.study.exercises.cases import Case

ONE, NONE = (1, 1), (0, 0, 0, 0)
PAIRS = "stride s and dilation d are pairs, (vertical, horizontal)"
PADDING = "the rows and columns of zeros around x, (top, bottom, left, right)"
ROOM = "as many outputs as whole windows fit into the padded image"
OUTSIDE = "or 0 where it lies outside x"
IMAGES = "over all images, it is a sum and not a mean"
LEFT_OVER = "which are left over when K^2 does not divide their number, do not move: dy = dx = 0"
SHARED = "A pixel that several windows read gets the sum, and one that none reads gets 0"

# x (N, C, H, W), w (O, C/G, KH, KW), (Ho, Wo), stride, padding, dilation, groups
GEOMETRIES = [
    ((2, 3, 4, 5), (4, 3, 1, 1), (4, 5), ONE, NONE, ONE, 1),
    ((2, 2, 5, 4), (3, 2, 3, 3), (5, 4), ONE, (1, 1, 1, 1), ONE, 1),
    ((1, 2, 5, 6), (2, 2, 3, 2), (5, 6), ONE, (2, 0, 1, 0), ONE, 1),
    ((3, 2, 7, 8), (2, 2, 3, 2), (3, 3), (2, 3), (0, 1, 2, 0), ONE, 1),
    ((2, 1, 9, 8), (3, 1, 3, 2), (8, 8), ONE, (1, 2, 0, 3), (2, 3), 1),
    ((1, 2, 9, 10), (2, 2, 2, 3), (3, 6), (3, 2), (1, 1, 2, 2), (2, 1), 1),
    ((2, 6, 4, 4), (4, 3, 2, 2), (3, 3), ONE, NONE, ONE, 2),
    ((2, 4, 5, 4), (6, 2, 3, 1), (2, 4), (2, 1), (0, 1, 0, 0), ONE, 2),
    ((2, 3, 4, 5), (6, 1, 3, 3), (4, 5), ONE, (1, 1, 1, 1), ONE, 3),
    ((1, 1, 7, 8), (1, 1, 2, 2), (2, 3), (3, 3), NONE, ONE, 1),
]
DTYPES = ("np.float64", "np.float32")


def _random(dtype, **shapes):
    """Setup lines that draw random arrays."""
    lines = [f"{name} = rng.standard_normal({shape}, {dtype})" for name, shape in shapes.items()]
    return "\n".join(["rng = np.random.default_rng(3)", *lines])


def _one_row(**rows):
    """Setup lines of arrays (1, 1, 1, n)."""
    return "\n".join(f"{name} = np.array([[[{list(map(float, row))}]]])" for name, row in rows.items())


def _options(stride=ONE, padding=NONE, dilation=ONE, groups=1):
    return f"{stride}, {padding}, {dilation}" + (f", {groups}" if groups > 1 else "")


def _weight(arrays, shape, geometry=(ONE, NONE, ONE), groups=1, **more):
    """A call of conv2d_backward_weight; the geometry stands before it, so that the call is short."""
    s, p, d = geometry
    call = "conv2d_backward_weight(dy, x, w_shape, s, p, d" + (f", {groups})" if groups > 1 else ")")
    return Case(call, f"{arrays}\nw_shape = {shape}\ns, p, d = {s}, {p}, {d}", **more)


def _image(arrays, shape, geometry=(ONE, NONE, ONE), groups=1, **more):
    """A call of conv2d_backward_input."""
    s, p, d = geometry
    call = "conv2d_backward_input(dy, w, x_shape, s, p, d" + (f", {groups})" if groups > 1 else ")")
    return Case(call, f"{arrays}\nx_shape = {shape}\ns, p, d = {s}, {p}, {d}", **more)


CASES = {
    "12.1": [
        Case("out_size(5, 3, 1, 0, 0)", want="3"),
        Case("out_size(4, 3, 1, 1, 2)", want="5", says="the zeros that are added in front of them and behind"),
        Case("out_size(4, 3, 1, 2, 0)", want="4", says="the zeros that are added in front of them and behind"),
        Case("out_size(7, 3, 1, 0, 0, 2)", want="3", says="each `dilation` from the last one"),
        Case("out_size(7, 3, 2, 0, 0)", want="3", says="moves by `stride`"),
        Case("out_size(8, 3, 2, 0, 0)", want="3", says="floor("),
        Case("out_size(8, 3, 3, 0, 0)", want="2", says="floor("),
        Case("out_size(8, 2, 3, 0, 0)", want="3", says="floor("),
        Case("out_size(2, 3, 1, 0, 0)", want="0", says="where no window fits: then the result is 0 or less"),
        Case("out_size(1, 4, 1, 0, 0)", want="-2", says="where no window fits: then the result is 0 or less"),
        Case("out_size(1, 5, 3, 0, 0)", want="-1", says="where no window fits: then the result is 0 or less"),
        Case("out_size(3, 3, 4, 1, 1, 4)", want="0", says="where no window fits: then the result is 0 or less"),
        Case("out_size(28, 5, 1, 0, 0)", want="24"),  # LeNet-5's first convolution
        Case("out_size(224, 7, 2, 3, 3)", want="112"),  # ResNet's
        Case("out_size(224, 11, 4, 2, 2)", want="55"),  # AlexNet's
        Case("out_size(33, 3, 1, 6, 6, dilation=6)", want="33"),  # DeepLab's, dilated by 6
        Case("out_size(9, 1, 1, 0, 0, 5)", want="9"),
        Case("out_size(31, 5, 3, 1, 2, 3)"),
        Case("out_size(10, 2, 7, 3, 0, 2)"),
    ],
    "12.2": [
        Case(
            "assignment(9)",
            want="(np.array([-1, -1, -1, 0, 0, 0, 1, 1, 1]), np.array([-1, 0, 1, -1, 0, 1, -1, 0, 1]))",
        ),
        Case(
            "assignment(4, 2)",
            want="(np.array([-1, -1, 0, 0]), np.array([-1, 0, -1, 0]))",
            says="dy_c = dilation (p // K - K // 2)",
        ),
        Case("assignment(4)", says=LEFT_OVER, want="(np.zeros(4, int), np.zeros(4, int))"),
        Case(
            "assignment(6, 2)", says=LEFT_OVER, want="(np.array([-1, -1, 0, 0, 0, 0]), np.array([-1, 0, -1, 0, 0, 0]))"
        ),
        Case("assignment(11)", says=LEFT_OVER),
        Case("assignment(18)", says="then the next K^2 begin again"),
        Case("assignment(3, 1)", want="(np.zeros(3, int), np.zeros(3, int))"),
        Case(
            "assignment(4, 2, 3)",
            want="(np.array([-3, -3, 0, 0]), np.array([-3, 0, -3, 0]))",
            says="dy_c = dilation (p // K - K // 2)",
        ),
        *[
            Case(f"assignment({n}, {k}, {d})")
            for n, k, d in [
                (9, 3, 2),
                (53, 5, 1),
                (25, 5, 2),
                (26, 4, 1),
                (64, 3, 4),
                (100, 7, 3),
                (8, 3, 1),
                (1, 1, 1),
            ]
        ],
        Case("assignment(30, dilation=2)"),
        Case("assignment(60, kernel_size=5)"),
    ],
    "12.3": [
        Case(
            "channel_shuffle(x, 2)",
            "x = np.arange(6.0).reshape(1, 6, 1, 1)",
            want="np.array([0.0, 3, 1, 4, 2, 5]).reshape(1, 6, 1, 1)",
        ),
        Case(
            "channel_shuffle(x, 3)",
            "x = np.arange(6.0).reshape(1, 6, 1, 1)",
            want="np.array([0.0, 2, 4, 1, 3, 5]).reshape(1, 6, 1, 1)",
        ),
        Case(
            "channel_shuffle(x, 2)",
            "x = np.arange(8.0).reshape(2, 4, 1, 1)",
            want="np.array([0.0, 2, 1, 3, 4, 6, 5, 7]).reshape(2, 4, 1, 1)",
        ),
        Case("channel_shuffle(x, 2)", "x = np.arange(8.0).reshape(1, 4, 1, 2)", says="in the shape and dtype of x"),
        *[
            Case(f"channel_shuffle(x, {groups})", f"x = np.arange(5.0).reshape(1, 5, 1, 1).astype(np.{dtype})")
            for groups, dtype in [(1, "float64"), (5, "float64")]
        ],
        *[
            Case(
                "channel_shuffle(x, 2)",
                f"x = np.arange(8, dtype=np.{dtype}).reshape(2, 4, 1, 1)",
                says="in the shape and dtype of x",
            )
            for dtype in ("float32", "int64", "int8")
        ],
        *[
            Case(f"channel_shuffle(x, {groups})", _random(dtype, x=(2, c, 3, 4)))
            for dtype in DTYPES
            for c, groups in [(6, 2), (6, 3), (12, 4), (16, 4), (10, 2)]
        ],
        Case("channel_shuffle(x.transpose(0, 3, 1, 2), 3)", _random("np.float64", x=(2, 3, 4, 6))),
        Case("channel_shuffle(x[:, ::2], groups=2)", _random("np.float64", x=(2, 8, 3, 1))),
    ],
    "12.4": [
        Case(
            "shift2d(x, np.array([1]), np.array([-2]))",
            "x = np.arange(1.0, 7.0).reshape(1, 1, 2, 3)",
            want="np.array([[[[0.0, 0, 4], [0, 0, 0]]]])",
        ),
        Case(
            "shift2d(x, np.array([0, -1]), np.array([1, 0]))",
            "x = np.arange(1.0, 9.0).reshape(1, 2, 2, 2)",
            says="Each channel of x moved by its own offset",
            want="np.array([[[[2.0, 0], [4, 0]], [[0, 0], [5, 6]]]])",
        ),
        *[
            Case(
                f"shift2d(x, np.array([{a}]), np.array([{b}]))",
                "x = np.arange(1.0, 7.0).reshape(1, 1, 2, 3)",
                says="An offset may be as large as the image or larger: then only zeros are left",
                want="np.zeros((1, 1, 2, 3))",
            )
            for a, b in [(2, 0), (-2, 0), (3, 1), (-3, 1), (0, 3), (0, -3), (1, 4), (0, -4), (0, 5), (9, -9), (-4, -7)]
        ],
        *[
            Case(
                "shift2d(x, np.array([0, 1]), np.array([0, 1]))",
                f"x = np.arange(1, 9).reshape(1, 2, 2, 2).astype(np.{dtype})",
                says="in the shape and dtype of x",
            )
            for dtype in ("float32", "int64", "int8")
        ],
        *[
            Case(
                "shift2d(x, dy, dx)",
                f"{_random(dtype, x=shape)}\ndy, dx = rng.integers(-{reach}, {reach + 1}, (2, {shape[1]}))",
            )
            for dtype, shape, reach in [
                ("np.float64", (2, 9, 6, 5), 1),
                ("np.float64", (2, 12, 6, 5), 4),
                ("np.float32", (3, 20, 4, 7), 9),
                ("np.float64", (2, 8, 1, 7), 3),
                ("np.float32", (1, 8, 7, 1), 3),
                ("np.float64", (1, 5, 1, 1), 1),
            ]
        ],
        Case(
            "shift2d(x, -dy, dx)",
            f"{_random('np.float64', x=(2, 4, 5, 6))}\ndy = dx = np.array([0, 1, 2, 3], np.int32)",
        ),
        Case("shift2d(x[:, ::-1], dy, -dy)", f"{_random('np.float64', x=(2, 3, 5, 6))}\ndy = np.array([0, -1, 2])"),
    ],
    "12.5": [
        Case(
            f"windows(x, (1, 2), {_options()})",
            _one_row(x=[1, 2, 3]),
            want="np.array([[[[[[1.0, 2.0]], [[2.0, 3.0]]]]]])",
        ),
        Case(
            f"windows(x, (2, 2), {_options()})",
            "x = np.arange(1.0, 7.0).reshape(1, 1, 2, 3)",
            want="np.array([[[[[[1.0, 2], [4, 5]], [[2, 3], [5, 6]]]]]])",
        ),
        Case(
            f"windows(x, (1, 2), {_options((2, 3))})",
            "x = np.arange(1.0, 16.0).reshape(1, 1, 3, 5)",
            says=PAIRS,
            want="np.array([1.0, 2, 4, 5, 11, 12, 14, 15]).reshape(1, 1, 2, 2, 1, 2)",
        ),
        Case(
            f"windows(x, (1, 2), {_options(dilation=(1, 2))})",
            _one_row(x=[1, 2, 3, 4]),
            says=PAIRS,
            want="np.array([[[[[[1.0, 3.0]], [[2.0, 4.0]]]]]])",
        ),
        Case(
            f"windows(x, (1, 1), {_options(padding=(1, 0, 0, 2))})",
            _one_row(x=[5]),
            says=PADDING,
            want="np.array([0.0, 0, 0, 5, 0, 0]).reshape(1, 1, 2, 3, 1, 1)",
        ),
        Case(
            f"windows(x, (1, 1), {_options(padding=(0, 2, 1, 0))})",
            _one_row(x=[5]),
            says=OUTSIDE,
            want="np.array([0.0, 5, 0, 0, 0, 0]).reshape(1, 1, 3, 2, 1, 1)",
        ),
        Case(f"windows(x, (2, 1), {_options((2, 1))})", "x = np.arange(1.0, 11.0).reshape(1, 1, 5, 2)", says=ROOM),
        Case(f"windows(x, (3, 2), {_options()})", "x = np.arange(1.0, 7.0).reshape(1, 1, 3, 2)", says=ROOM),
        Case(
            f"windows(x, (2, 1), {_options((2, 1), NONE, (3, 1))})", "x = np.arange(7.0).reshape(1, 1, 7, 1)", says=ROOM
        ),
        *[
            Case(
                f"windows(x, (1, 2), {_options(padding=(0, 0, 1, 0))})",
                f"x = np.array([[[[1, 2, 3]]]], np.{dtype})",
                says="in the dtype of x",
            )
            for dtype in ("float32", "int64", "int16")
        ],
        *[
            Case(f"windows(x, {w[2:]}, {_options(*geometry)})", _random(dtype, x=x))
            for dtype in DTYPES
            for x, w, _, *geometry, _ in GEOMETRIES
        ],
        Case(
            f"windows(x, (2, 3), {_options((1, 2))})",
            f"{_random('np.float64', x=(3, 2, 6, 5))}\nx = x.transpose(1, 0, 3, 2)",
        ),
    ],
    "12.6": [
        Case(
            f"conv2d(x, w, {_options()})",
            _one_row(x=[1, 2, 3], w=[10, 1]),
            want="np.array([[[[12.0, 23.0]]]])",
        ),
        Case(
            f"conv2d(x, w, {_options()})",
            "x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])\nw = np.array([[[[1.0, 10.0], [100.0, 1000.0]]]])",
            says="The kernel is not flipped",
            want="np.array([[[[4321.0]]]])",
        ),
        Case(
            f"conv2d(x, w, {_options()})",
            "x = np.array([[[[2.0]], [[3.0]]]])\nw = np.array([[[[1.0]], [[10.0]]], [[[0.0]], [[-1.0]]]])",
            says="sum_(c,k,l) w[o, c, k, l] seen[n, c, i, j, k, l]",
            want="np.array([[[[32.0]], [[-3.0]]]])",
        ),
        Case(
            f"conv2d(x, w, {_options(groups=2)})",
            "x = np.array([[[[2.0]], [[3.0]]]])\nw = np.array([[[[10.0]]], [[[100.0]]]])",
            says="output channel o sees the input channels of its group only",
            want="np.array([[[[20.0]], [[300.0]]]])",
        ),
        Case(
            f"conv2d(x, w, {_options(groups=2)})",
            "x = np.arange(1.0, 5.0).reshape(1, 4, 1, 1)\nw = np.array([[10.0, 1.0]] * 4).reshape(4, 2, 1, 1)",
            says="group g has the outputs g O/G .. (g+1) O/G - 1",
            want="np.array([12.0, 12.0, 34.0, 34.0]).reshape(1, 4, 1, 1)",
        ),
        Case(
            f"conv2d(x, w, {_options()})",
            "x = np.array([[[[1, 2]]]], np.float32)\nw = np.array([[[[3]]]], np.float32)",
            says="in the dtype of x and w",
        ),
        Case(
            f"conv2d(x, w, {_options((1, 2), (0, 0, 1, 2), (1, 2))})",
            _one_row(x=[1, 2, 3, 4, 5], w=[10, 1]),
            says="seen = windows(x, (KH, KW), stride, padding, dilation)",
            want="np.array([[[[2.0, 24.0, 40.0]]]])",
        ),
        *[
            Case(f"conv2d(x, w, {_options(*geometry)})", _random(dtype, x=x, w=w))
            for dtype in DTYPES
            for x, w, _, *geometry in GEOMETRIES
        ],
    ],
    "12.7": [
        _weight(_one_row(dy=[1, 10], x=[1, 2, 3]), (1, 1, 1, 2), want="np.array([[[[21.0, 32.0]]]])"),
        _weight(
            "dy = np.array([1.0, 10.0]).reshape(2, 1, 1, 1)\nx = np.array([3.0, 4.0]).reshape(2, 1, 1, 1)",
            (1, 1, 1, 1),
            says=IMAGES,
            want="np.array([[[[43.0]]]])",
        ),
        _weight(
            "dy = np.array([1.0, 10.0]).reshape(1, 2, 1, 1)\nx = np.array([3.0, 4.0]).reshape(1, 2, 1, 1)",
            (2, 2, 1, 1),
            says="of shape w_shape = (O, C/G, KH, KW)",
            want="np.array([3.0, 4.0, 30.0, 40.0]).reshape(2, 2, 1, 1)",
        ),
        _weight(
            "dy = np.array([1.0, 10.0]).reshape(1, 2, 1, 1)\nx = np.array([3.0, 4.0]).reshape(1, 2, 1, 1)",
            (2, 1, 1, 1),
            groups=2,
            says="c counts the input channels of o's group",
            want="np.array([3.0, 40.0]).reshape(2, 1, 1, 1)",
        ),
        _weight(
            "dy = np.array([[[[1, 2]]]], np.float32)\nx = np.array([[[[3, 4]]]], np.float32)",
            (1, 1, 1, 1),
            says="in the dtype of dy and x",
        ),
        _weight(
            _one_row(dy=[1, 10, 100], x=[1, 2, 3, 4, 5]),
            (1, 1, 1, 2),
            ((1, 2), (0, 0, 1, 2), (1, 2)),
            says="seen and the groups are those of `conv2d`",
            want="np.array([[[[420.0, 42.0]]]])",
        ),
        *[
            _weight(_random(dtype, dy=(x[0], w[0], *out), x=x), w, geometry, groups)
            for dtype in DTYPES
            for x, w, out, *geometry, groups in GEOMETRIES
        ],
    ],
    "12.8": [
        _image(_one_row(dy=[1, 10], w=[2, 3]), (1, 1, 1, 3), want="np.array([[[[2.0, 23.0, 30.0]]]])"),
        _image(
            _one_row(dy=[1, 10], w=[2]),
            (1, 1, 1, 4),
            ((1, 2), NONE, ONE),
            says=SHARED,
            want="np.array([[[[2.0, 0.0, 20.0, 0.0]]]])",
        ),
        _image(
            "dy = np.array([1.0, 10.0]).reshape(1, 1, 2, 1)\nw = np.array([[[[2.0]]]])",
            (1, 1, 4, 1),
            ((2, 1), NONE, ONE),
            says="dx[n, c, i s + k d - top, j s + l d - left] +=",
            want="np.array([2.0, 0, 20, 0]).reshape(1, 1, 4, 1)",
        ),
        _image(
            _one_row(dy=[1, 10, 100, 1000], w=[2, 3]),
            (1, 1, 1, 2),
            (ONE, (0, 0, 1, 2), ONE),
            says="What falls on the padding is dropped",
            want="np.array([[[[23.0, 230.0]]]])",
        ),
        _image(
            "dy = np.arange(1.0, 7.0).reshape(1, 1, 3, 2)\nw = np.array([[[[10.0]]]])",
            (1, 1, 1, 1),
            (ONE, (2, 0, 0, 1), ONE),
            says="What falls on the padding is dropped",
            want="np.array([[[[50.0]]]])",
        ),
        _image(
            _one_row(dy=[1, 10], w=[2, 3]),
            (1, 1, 1, 4),
            (ONE, NONE, (1, 2)),
            says="dx[n, c, i s + k d - top, j s + l d - left] +=",
            want="np.array([[[[2.0, 20.0, 3.0, 30.0]]]])",
        ),
        _image(
            "dy = np.array([1.0, 10.0]).reshape(1, 2, 1, 1)\nw = np.arange(1.0, 5.0).reshape(2, 2, 1, 1)",
            (1, 2, 1, 1),
            says="Every product of the forward pass, for all o, k, l, i and j, adds to one pixel",
            want="np.array([31.0, 42.0]).reshape(1, 2, 1, 1)",
        ),
        _image(
            "dy = np.array([1.0, 10.0]).reshape(1, 2, 1, 1)\nw = np.array([3.0, 4.0]).reshape(2, 1, 1, 1)",
            (1, 2, 1, 1),
            groups=2,
            says="c runs over the input channels of o's group only",
            want="np.array([3.0, 40.0]).reshape(1, 2, 1, 1)",
        ),
        _image(
            "dy = np.array([[[[1, 2]]]], np.float32)\nw = np.array([[[[3]]]], np.float32)",
            (1, 1, 1, 2),
            says="in the dtype of dy and w",
        ),
        *[
            _image(_random(dtype, dy=(x[0], w[0], *out), w=w), x, geometry, groups)
            for dtype in DTYPES
            for x, w, out, *geometry, groups in GEOMETRIES
        ],
    ],
}
