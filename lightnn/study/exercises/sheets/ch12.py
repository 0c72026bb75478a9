"""Chapter 12, convolution filters: sizes, shift, shuffle, and the convolution with both gradients by its definition."""

import lightnn.functional.plain
import lightnn.kernels.conv.shift  # noqa: F401  (their exercises register themselves)
from lightnn.study.exercises.sheets import Mistake, Sheet

SIZE = "(size + before + after - dilation * (kernel - 1) - 1) // stride + 1"
ROWS = "rows = k * dilation[0] + np.arange(dy.shape[2]) * stride[0]"

SHEETS = (
    Sheet(
        "12.1",
        "The size of the output",
        "easy",
        "floor((size + before + after - dilation (kernel - 1) - 1) / stride) + 1",
        (
            "With dilation the window covers dilation * (kernel - 1) + 1 numbers.",
            "The first window starts at 0; count how many more starts, `stride` apart, still fit.",
            "The first window always counts: that is the + 1 outside the division.",
        ),
        (
            Mistake("off by one: the first window is not counted", "- 1) // stride + 1", "- 1) // stride"),
            Mistake(
                "off by one: the window covers dilation * (kernel - 1) + 1 numbers",
                "(kernel - 1) - 1) // stride",
                "(kernel - 1)) // stride",
            ),
            Mistake("the dilation is missing", "dilation * (kernel - 1)", "(kernel - 1)"),
            Mistake(
                "the padding is counted on only one side", "before + after - dilation * (", "before - dilation * ("
            ),
            Mistake(
                "int() rounds towards 0: want the floor, also of a negative number",
                f"return {SIZE}",
                f"return int({SIZE.replace('//', '/')[:-4]}) + 1",
            ),
            Mistake(
                "the result is never below 1: want the formula, also where no window fits",
                f"return {SIZE}",
                f"return max(1, {SIZE})",
            ),
            Mistake(
                "the result is never below 0: want the formula, also where no window fits",
                f"return {SIZE}",
                f"return max(0, {SIZE})",
            ),
            Mistake("the result is a float: want an int", f"return {SIZE}", f"return float({SIZE})"),
        ),
    ),
    Sheet(
        "12.2",
        "The offset of each channel",
        "easy",
        "dy_c = d (p // K - K // 2),  dx_c = d (p mod K - K // 2),  p = c mod K^2",
        (
            "dx cycles through -(K//2) .. K//2 as c grows; dy moves on after each cycle of dx.",
            "% K gives the column, // K % K the row; subtract K // 2 from both and multiply by the dilation.",
            "Of C channels only the first C // K^2 * K^2 move; the rest stay at (0, 0).",
        ),
        (
            Mistake(
                "dx and dy are swapped: x must change fastest",
                "np.where(moved, dy, 0), np.where(moved, dx, 0)",
                "np.where(moved, dx, 0), np.where(moved, dy, 0)",
            ),
            Mistake(
                "the remaining channels move too",
                "moved = c < channels // kernel_size**2 * kernel_size**2",
                "moved = c < channels",
            ),
            Mistake(
                "the offsets are not centred: they start at 0",
                "dx = dilation * (c % kernel_size - kernel_size // 2)",
                "dx = dilation * (c % kernel_size)",
            ),
            Mistake("the dilation is missing", "dy = dilation * (", "dy = 1 * ("),
            Mistake("the offsets are floats: want int64", "c = np.arange(channels)", "c = np.arange(float(channels))"),
        ),
    ),
    Sheet(
        "12.3",
        "Channel shuffle",
        "easy",
        "channel i C/G + j  ->  channel j G + i",
        (
            "Three NumPy calls: reshape, swap two axes, reshape back.",
            "The first reshape splits C into (groups, members of a group).",
            "Which of the two comes first matters: (groups, C/G), not (C/G, groups).",
        ),
        (
            Mistake(
                "the inverse shuffle: C is split as (C/G, groups)",
                "x.reshape(n, groups, c // groups, ",
                "x.reshape(n, c // groups, groups, ",
            ),
            Mistake("the axes are not swapped: the channels stay in place", ".swapaxes(1, 2)", ""),
            Mistake(
                "the order of the groups is reversed; the channels are not interleaved", ".swapaxes(1, 2)", "[:, ::-1]"
            ),
            Mistake(
                "the result is always float64: want the dtype of x",
                "return x.reshape(n, ",
                "return x.astype(np.float64).reshape(n, ",
            ),
        ),
    ),
    Sheet(
        "12.4",
        "Shift by slices",
        "middle",
        "y[n, c, h, w] = x[n, c, h + dy_c, w + dx_c], 0 outside",
        (
            "For one channel, y[top:bottom, left:right] = x[top + dy : bottom + dy, left + dx : right + dx].",
            "The rows of y for which h + dy lies inside the image go from max(0, -dy) to min(H, H - dy).",
            "An offset larger than the image leaves only zeros: slice bounds must not become negative.",
        ),
        (
            Mistake(
                "the direction is reversed",
                "for c, (a, b) in enumerate(zip(dy, dx)):",
                "for c, (a, b) in enumerate(zip(-dy, -dx)):",
            ),
            Mistake(
                "what leaves the image on one side enters it on the other",
                "y[:, c, top:bottom, left:right] = x[:, c, top + a : bottom + a, left + b : right + b]",
                "y[:, c] = np.roll(x[:, c], (-a, -b), (1, 2))",
            ),
            Mistake(
                "only the vertical offset is used",
                "for c, (a, b) in enumerate(zip(dy, dx)):",
                "for c, (a, b) in enumerate(zip(dy, 0 * dx)):",
            ),
            Mistake(
                "every channel takes the first channel's offset",
                "for c, (a, b) in enumerate(zip(dy, dx)):",
                "for c, (a, b) in enumerate(zip(dy * 0 + dy[:1], dx * 0 + dx[:1])):",
            ),
            Mistake("the result is always float64: want the dtype of x", "np.zeros_like(x)", "np.zeros(x.shape)"),
        ),
    ),
    Sheet(
        "12.5",
        "What each output sees",
        "middle",
        "seen[n, c, i, j, k, l] = x[n, c, i s + k d - top, j s + l d - left]",
        (
            "Pad with np.pad, then take np.lib.stride_tricks.sliding_window_view over the last two axes.",
            "The window must be as long as the dilated kernel reaches: (k - 1) d + 1.",
            "Then keep every stride-th window, and every dilation-th number in it.",
        ),
        (
            Mistake("the stride is missing", ":: stride[0], :: stride[1], ", "::1, ::1, "),
            Mistake(
                "the dilation is missing inside the window",
                ":: dilation[0], :: dilation[1]]",
                ": kernel[0], : kernel[1]]",
            ),
            Mistake(
                "the vertical and the horizontal padding are swapped",
                "(top, bottom), (left, right)",
                "(left, right), (top, bottom)",
            ),
            Mistake(
                "stride and dilation are swapped",
                "[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]",
                "[:, :, :: dilation[0], :: dilation[1], :: stride[0], :: stride[1]]",
            ),
            Mistake(
                "the result is always float64: want the dtype of x",
                "x = np.pad(x, ",
                "x = np.pad(x.astype(np.float64), ",
            ),
        ),
    ),
    Sheet(
        "12.6",
        "Convolution, from its definition",
        "middle",
        "y[n, o, i, j] = sum_(c,k,l) w[o, c, k, l] seen[n, c, i, j, k, l]",
        (
            "`windows` gives seen; one np.einsum over it and w is the whole convolution.",
            "For groups, split C of seen and O of w into (G, rest) with in_groups, and keep G in einsum.",
            "Deep learning's convolution does not flip the kernel: it is a cross-correlation.",
        ),
        (
            Mistake(
                "the kernel is flipped: this is the convolution of mathematics",
                "in_groups(w, 0, groups))",
                "in_groups(w[:, :, ::-1, ::-1], 0, groups))",
            ),
            Mistake(
                "height and width of the kernel are swapped",
                "ngcijkl,gockl->ngoij",
                "ngcijlk,gockl->ngoij",
            ),
            Mistake(
                "the mean over the window instead of the sum",
                "return y.reshape(len(x), len(w), *y.shape[3:])",
                "return y.reshape(len(x), len(w), *y.shape[3:]) / w[0].size",
            ),
            Mistake(
                "every group reads the first group's channels",
                "seen = in_groups(windows(x, w.shape[2:], stride, padding, dilation), 1, groups)",
                "seen = in_groups(windows(x, w.shape[2:], stride, padding, dilation), 1, groups)[:, [0] * groups]",
            ),
            Mistake(
                "the result is always float64: want the dtype of x and w",
                "in_groups(w, 0, groups))",
                "in_groups(w, 0, groups), dtype=np.float64)",
            ),
        ),
    ),
    Sheet(
        "12.7",
        "The gradient of the weights",
        "hard",
        "dw[o, c, k, l] = sum_(n,i,j) dy[n, o, i, j] seen[n, c, i, j, k, l]",
        (
            "The same three arrays as in the forward pass, but another one of them is the result.",
            "Sum over images and output pixels: n, i and j disappear.",
            "np.einsum('ncijkl,noij->ockl', seen, dy) without groups; with them, both split by in_groups.",
        ),
        (
            Mistake(
                "the mean over the batch instead of the sum", ".reshape(w_shape)", ".reshape(w_shape) / max(1, len(x))"
            ),
            Mistake(
                "the gradient's height and width are flipped",
                ".reshape(w_shape)",
                ".reshape(w_shape)[:, :, ::-1, ::-1]",
            ),
            Mistake(
                "only the first image counts",
                '"ngcijkl,ngoij->gockl", seen, in_groups(dy, 1, groups)',
                '"ngcijkl,ngoij->gockl", seen[:1], in_groups(dy, 1, groups)[:1]',
            ),
            Mistake(
                "input and output channels of a group are swapped", '"ngcijkl,ngoij->gockl"', '"ngcijkl,ngoij->gcokl"'
            ),
            Mistake(
                "the result is always float64: want the dtype of dy and x",
                "in_groups(dy, 1, groups))",
                "in_groups(dy, 1, groups), dtype=np.float64)",
            ),
        ),
    ),
    Sheet(
        "12.8",
        "The gradient of the image",
        "hard",
        "dx[n, c, i s + k d - top, j s + l d - left] += sum_o w[o, c, k, l] dy[n, o, i, j]",
        (
            "Work on the padded image, and cut the padding off at the end.",
            "For one tap (k, l), output (i, j) reads row k d + i s and column l d + j s: add its gradient there.",
            "Taps overlap, so add (+=) one tap after the other; within one tap no pixel occurs twice.",
        ),
        (
            Mistake(
                "overlapping windows overwrite each other instead of being added",
                "dx[:, :, rows[:, None], columns] += ",
                "dx[:, :, rows[:, None], columns] = ",
            ),
            Mistake("the stride of the rows is missing", ROWS, "rows = k * dilation[0] + np.arange(dy.shape[2])"),
            Mistake(
                "the padding is cut off at the wrong end",
                "dx[:, :, top : top + height, left : left + width]",
                "dx[:, :, bottom : bottom + height, right : right + width]",
            ),
            Mistake("the kernel is flipped", "products[..., k, l]", "products[..., -1 - k, -1 - l]"),
            Mistake("the result is always float64: want the dtype of dy and w", "dy.dtype)", "np.float64)"),
        ),
    ),
)


def finale() -> str:
    """Train a small network by the reader's filters, and the same one by the library's kernels."""
    import numpy as np

    from lightnn import data, nn, optim
    from lightnn import functional as F
    from lightnn.functional import plain
    from lightnn.kernels.conv import shift
    from lightnn.tensor import Tensor, op

    def conv(x, w, *, groups):
        how = (2, 2), (1, 1, 1, 1), (1, 1), groups
        dx, dw = plain.conv2d_backward_input, plain.conv2d_backward_weight
        return plain.conv2d(x, w, *how), lambda g: dx(g, w, x.shape, *how), lambda g: dw(g, x, w.shape, *how)

    def move(x, *, dy, dx):
        y = plain.shift2d(plain.channel_shuffle(x, 4), dy, dx)
        return y, lambda g: plain.channel_shuffle(plain.shift2d(g, -dy, -dx), 5)

    def pool(x):
        return plain.windows(x, (7, 1), (7, 1), (0, 0, 0, 0), (1, 1)).mean((4, 5)), lambda g: g / 7 * np.ones_like(x)

    fast = (
        lambda x, w, groups: F.conv2d(x, w, stride=2, padding=1, groups=groups),
        lambda x, dy, dx: F.shift2d(F.channel_shuffle(x, groups=4), dy, dx),
        lambda x: F.avg_pool2d(x, kernel_size=(7, 1)),
    )
    (dy, dx), mnist, rng = shift.assignment(20), data.load_mnist(), np.random.default_rng(0)
    first = [0.2 * rng.standard_normal(shape, np.float32) for shape in ((20, 1, 3, 3), (20, 5, 3, 3), (140, 10))]
    nets = [[nn.Parameter(w.copy()) for w in first] for _ in range(2)]
    optimizers, losses, apart = [optim.SGD(net, 0.2, momentum=0.9) for net in nets], [], 0.0
    for i in range(0, 40 * 50, 50):
        x, y = Tensor(mnist.x_train[i : i + 50]), mnist.y_train[i : i + 50]
        for net, optimizer, (f, g, h) in zip(nets, optimizers, (fast, tuple(map(op, (conv, move, pool))))):
            z = F.relu(f(g(F.relu(f(x, net[0], groups=1)), dy=dy, dx=dx), net[1], groups=4))
            loss = F.cross_entropy(h(z).reshape(50, 140) @ net[2], y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        apart = max(apart, *(np.abs(a.grad - b.grad).max() / np.abs(a.grad).max() for a, b in zip(*nets)))
    assert apart < 1e-2, f"your gradients differ from those of the library's kernels: by {apart:.0%} of the largest"
    directions = len(set(zip(dy.tolist(), dx.tolist())))
    return (
        f"Your functions train a network, in whose shift channels move in {directions} directions, for 40 steps: its "
        f"loss falls from {losses[1]:.2f} to {losses[-1]:.2f}, and its gradients are within {apart:.0e} of those of "
        "the library's fast kernels"
    )
