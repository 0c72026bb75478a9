"""Chapter 09, binarization: signs and their stand-in slopes, scales, random signs, and products of bits."""

import lightnn.compress.transforms
import lightnn.functional.plain
import lightnn.kernels.binary.thresholds
import lightnn.kernels.binary.words  # noqa: F401  (their exercises register themselves)
from lightnn.study.exercises.sheets import Mistake, Sheet

PASSED_1 = "np.where(np.abs(x) <= 1, dy, dy.dtype.type(0))"
SIGNS = "signs_of(x)"
MEAN_2 = "(a / largest).mean(1) * largest[:, 0]"
CHANCE = "np.clip((W + 1) / 2, 0, 1)"
DRAWN = "rng.random(W.shape, dtype=np.float32)"
SLOPE_4 = "(2 * np.fmax(1 - np.abs(x), 0))"
SLOPE_5 = "(1 / n + alpha * inside)"
WINDOWS = "windows(A, kernel, stride, padding, (1, 1))"

SHEETS = (
    Sheet(
        "09.1",
        "The sign, with the slope of the hard tanh",
        "easy",
        "y = +1 where x >= 0, else -1,   dL/dx = dL/dy where |x| <= 1, else 0",
        (
            "Return a pair: y, and a function of dy, which is dL/dy, that gives dL/dx.",
            "np.sign(0) is 0, which one bit can't say: want np.where(x >= 0, 1, -1), in x's dtype.",
            "NaN >= 0 is False, so a NaN would become -1: put it back with np.where(np.isnan(x), x, y).",
            "The slope is np.where(np.abs(x) <= 1, dy, 0), in dy's dtype. check.floating(name, x=x) raises the "
            "TypeError.",
        ),
        (
            Mistake("the sign of 0 is 0: want +1", SIGNS, "np.sign(x)"),
            Mistake(
                "the sign of 0 is -1: want +1",
                SIGNS,
                "np.where(x > 0, 1, np.where(np.isnan(x), x, -1)).astype(x.dtype)",
            ),
            Mistake("the gradient passes everywhere: want 0 where |x| > 1", PASSED_1, "dy"),
            Mistake("the gradient is that of the sign itself, 0", PASSED_1, "0 * dy"),
            Mistake("the gradient at |x| = 1 must pass", "np.abs(x) <= 1", "np.abs(x) < 1"),
            Mistake("the gradient passes below -1, too: compare |x|", "np.abs(x) <= 1", "x <= 1"),
            Mistake("the gradient is multiplied by y", PASSED_1, "np.where(np.abs(x) <= 1, dy * signs_of(x), 0 * dy)"),
        ),
    ),
    Sheet(
        "09.2",
        "The best scale of a binary filter",
        "easy",
        "alpha_o = E|W_o| = sum |W_o| / n",
        (
            "W.reshape(len(W), -1) has a row for each filter, if it has any weights; without, there is no such shape.",
            "The scale is the mean of the magnitudes in a row: np.abs(rows).mean(1).",
            "Magnitudes near the largest float32 overflow in a sum: divide each row by its largest first.",
        ),
        (
            Mistake("it is the mean of W, not of |W|", "np.abs(W).reshape", "W.reshape"),
            Mistake("it is the sum: want it divided by n", ").mean(1)", ").sum(1)"),
            Mistake("it is one scale for the layer: want one for each filter", ").mean(1)", ").mean() + 0 * a.mean(1)"),
            Mistake("it is the largest magnitude: want their mean", MEAN_2, "largest[:, 0]"),
            Mistake("the largest is not multiplied back", " * largest[:, 0]", ""),
            Mistake("it is the root of the mean square, as for a norm", MEAN_2, "(a**2).mean(1) ** 0.5"),
            Mistake("the sum of large magnitudes overflows", MEAN_2, "a.mean(1)"),
        ),
    ),
    Sheet(
        "09.3",
        "Random signs",
        "middle",
        "P(+1) = clip((W + 1) / 2, 0, 1)",
        (
            "rng.random(shape) is below p with the probability p.",
            "So compare one such number for each weight with clip((W + 1) / 2, 0, 1).",
            "A comparison with NaN is False, and rng.random() is below 1 always, and below 0 never.",
        ),
        (
            Mistake(
                "the chance is clip(W, 0, 1): a weight of 0 must be +1 half of the time", CHANCE, "np.clip(W, 0, 1)"
            ),
            Mistake("the chance is not halved", CHANCE, "np.clip(W + 1, 0, 1)"),
            Mistake("it is deterministic: the sign of W", f"{DRAWN} < {CHANCE}", "W >= 0"),
            Mistake("one draw for all weights: want one for each", DRAWN, "rng.random(dtype=np.float32)"),
            Mistake("True stands for -1 here: want +1", f"{DRAWN} < ", f"1 - {DRAWN} > "),
            Mistake("one draw for each row", DRAWN, "rng.random((*W.shape[:-1], 1), dtype=np.float32)"),
        ),
    ),
    Sheet(
        "09.4",
        "A smoother slope for the sign",
        "middle",
        "dL/dx = (2 - 2 |x|) dL/dy where |x| < 1, else 0",
        (
            "y is that of exercise 09.1; only the slope differs.",
            "2 - 2|x| is negative beyond 1: np.maximum(..., 0) cuts it off.",
            "NaN goes through np.maximum, but not through np.fmax, which takes the number where the other is NaN.",
        ),
        (
            Mistake("the slope beyond |x| = 1 is negative: want 0", "np.fmax(1 - np.abs(x), 0)", "(1 - np.abs(x))"),
            Mistake("the slope lacks the magnitude: want 2 - 2 |x|", "1 - np.abs(x)", "1 - x"),
            Mistake("the slope is 1 - |x|: half of what it should be", "2 * np.fmax", "np.fmax"),
            Mistake("the slope is that of the hard tanh", SLOPE_4, "(np.abs(x) <= 1)"),
            Mistake("the sign of 0 is 0: want +1", SIGNS, "np.sign(x)"),
            Mistake(
                "the slope has a sign of its own: want it positive on both sides", SLOPE_4, f"signs_of(x) * {SLOPE_4}"
            ),
        ),
    ),
    Sheet(
        "09.5",
        "Binary weights, and XNOR-Net's gradient",
        "middle",
        "w = alpha sign(W),   dL/dW = dL/dw (1 / n + alpha 1[|W| <= 1])",
        (
            "Return w and a function of dy. alpha and n are numbers or arrays; broadcasting does the rest.",
            "The gradient is dy times a slope that depends on |W| <= 1 alone.",
            "1 / np.inf is 0, so a constant alpha needs no case of its own.",
            "Use the rule of 09.1 for the signs; .astype(W.dtype) keeps float32 gradients float32.",
        ),
        (
            Mistake("the gradient lacks 1 / n", SLOPE_5, "(alpha * inside)"),
            Mistake("the gradient lacks alpha", "alpha * inside", "inside"),
            Mistake("the gradient passes where |W| > 1 as well", SLOPE_5, "(1 / n + alpha)"),
            Mistake("1 / n is cut off where |W| > 1, too", SLOPE_5, "((1 / n + alpha) * inside)"),
            Mistake("the gradient at |W| = 1 must pass", "np.abs(W) <= 1", "np.abs(W) < 1"),
            Mistake("w lacks alpha", "alpha * signs_of(W)", "signs_of(W)"),
            Mistake(
                "it is multiplied by n, as in the authors' code: want the paper's", SLOPE_5, "(1 + n * alpha * inside)"
            ),
            Mistake("the sign of 0 is 0: want +1", "signs_of(W)", "np.sign(W)"),
        ),
    ),
    Sheet(
        "09.6",
        "The squared hinge, BinaryConnect's loss",
        "middle",
        "L = sum_nk max(0, 1 - t_nk x_nk)^2 / N,   dL/dx_nk = -2 t_nk max(0, 1 - t_nk x_nk) / N",
        (
            "Make t first: np.full(x.shape, -1), and +1 at [np.arange(len(x)), target].",
            "margin = np.maximum(0, 1 - t * x) is all that the loss and its gradient need.",
            "Return three things: the loss in x's dtype, a function of dy for x, and None, as target has no gradient.",
            "check.floating and check_labels raise the TypeErrors and the ValueError for labels; check.shape that for "
            "shapes.",
        ),
        (
            Mistake("the hinge is not squared", "(margin * margin).sum", "margin.sum"),
            Mistake("the sum is not divided by N", ".sum(dtype=np.float64) / len(x)", ".sum(dtype=np.float64)"),
            Mistake("it is a mean over all N K terms: want it over N", "/ len(x), x.dtype)", "/ x.size, x.dtype)"),
            Mistake(
                "t is 0 for the other classes: want -1", "np.full(x.shape, -1, x.dtype)", "np.full(x.shape, 0, x.dtype)"
            ),
            Mistake("terms beyond the margin are not cut off", "np.maximum(0, 1 - t * x)", "1 - t * x"),
            Mistake("the gradient lacks the factor 2", "-2 * dy", "-dy"),
            Mistake("the gradient lacks t", "-2 * dy * t * margin", "-2 * dy * margin"),
            Mistake("the gradient is not divided by N", "margin / x.dtype.type(len(x)), None", "margin, None"),
        ),
    ),
    Sheet(
        "09.7",
        "Scales of several bases",
        "middle",
        "R_1 = W,   B_m = sign(R_m),   alpha_m = E|R_m|,   R_(m+1) = R_m - alpha_m B_m",
        (
            "Keep what is left, R; it begins as W. mean_magnitude(R) gives E|R|, and 0.0 for no weights.",
            "signs_of(R) has +1 where R >= 0. Subtract alpha_m times it, and go on with the rest.",
            "R -= ... would change W itself: write R = R - ...",
        ),
        (
            Mistake("R is W each time: want what the earlier bases left", "scales[-1] * signs_of(R)", "0"),
            Mistake("the scale alone is subtracted: want it times the signs", "scales[-1] * signs_of(R)", "scales[-1]"),
            Mistake("the signs are always those of W", "signs_of(R)", "signs_of(W)"),
            Mistake("sign(0) is 0: want +1", "signs_of(R)", "np.sign(R)"),
            Mistake("one base too few", "range(M)", "range(M - 1)"),
            Mistake("the scale is the mean of R, not of |R|", "mean_magnitude(R)", "float(R.sum() / max(R.size, 1))"),
        ),
    ),
    Sheet(
        "09.8",
        "Signs into words",
        "middle",
        "bit k % 64 of word k // 64 = 1 where x[..., k] >= 0, else 0",
        (
            "Fill x >= 0 up with zeros to a multiple of 64, and reshape the last axis to (words, 64).",
            "A bit in place i counts 2^i: shift it there, or multiply; all in uint64, as float64 has only 53 bits.",
            "(bits << np.arange(64, dtype=np.uint64)).sum(-1, dtype=np.uint64). np.packbits with bitorder='little' and "
            ".view(np.uint64) does it, too, on a little-endian machine.",
        ),
        (
            Mistake("the first bit is the most significant one: want the least", "<< places", "<< places[::-1]"),
            Mistake("the sign of 0 is -1: want +1", "= x >= 0", "= x > 0"),
            Mistake(
                "the bits after the last number are 1",
                "np.zeros((*x.shape[:-1], count * WORD), np.uint64)",
                "np.ones((*x.shape[:-1], count * WORD), np.uint64)",
            ),
            Mistake("1 stands for -1 here: want +1", "= x >= 0", "= x < 0"),
            Mistake("a last word that is not full is lost", "-(-x.shape[-1] // WORD)", "x.shape[-1] // WORD"),
            Mistake(
                "there is a word too many where K is a multiple of 64",
                "-(-x.shape[-1] // WORD)",
                "x.shape[-1] // WORD + 1",
            ),
            Mistake(
                "the words are int64: want uint64",
                ".sum(-1, dtype=np.uint64)",
                ".sum(-1, dtype=np.uint64).astype(np.int64)",
            ),
        ),
    ),
    Sheet(
        "09.9",
        "A dot product of bits",
        "middle",
        "a . b = n - 2 popcount(a XOR b)",
        (
            "Equal bits give +1, different ones -1. How many differ says it all: n - D times +1, and D times -1.",
            "a ^ b has a 1 where they differ; np.bitwise_count counts the ones of each word.",
            "Sum as Python ints or int64: np.bitwise_count gives uint8.",
        ),
        (
            Mistake("each different bit takes away 2, not 1: a +1 is lost and a -1 comes", "- 2 *", "-"),
            Mistake("it counts the ones of both: want the bits that differ", "a ^ b", "a & b"),
            Mistake(
                "it counts the equal bits, too, beyond the last sign",
                "count - 2 * int(np.bitwise_count(a ^ b).sum())",
                "2 * int(np.bitwise_count(~(a ^ b)).sum()) - count",
            ),
            Mistake(
                "it is the number of bits that differ",
                "count - 2 * int(np.bitwise_count(a ^ b).sum())",
                "int(np.bitwise_count(a ^ b).sum())",
            ),
            Mistake("n is taken as 64 for each word: want count", "return count", "return 64 * len(a)"),
            Mistake("only the first word is counted", "np.bitwise_count(a ^ b)", "np.bitwise_count(a ^ b)[:1]"),
        ),
    ),
    Sheet(
        "09.10",
        "The scale of each window of the input",
        "middle",
        "A = mean of |x| over the channels,   K = A * k,   k_ij = 1 / (KH KW)",
        (
            "First A, (N, 1, H, W). Then each output is the mean of A under a window, zeros of the padding included.",
            "np.pad(A, ((0, 0), (0, 0), (top, bottom), (left, right))) makes the border.",
            "Two loops over the taps of the kernel, each adding a slice with the stride as step, divided by KH KW; or "
            "np.lib.stride_tricks.sliding_window_view, every s-th window, and a mean over the last two axes.",
        ),
        (
            Mistake("A is the mean of x, not of |x|", "np.abs(x).mean", "x.mean"),
            Mistake(
                "A is the sum over the channels: want their mean", ".mean(1, keepdims=True)", ".sum(1, keepdims=True)"
            ),
            Mistake("A is the largest over the channels", ".mean(1, keepdims=True)", ".max(1, keepdims=True)"),
            Mistake("K is a sum: want the mean of the window", ".mean((4, 5))", ".sum((4, 5))"),
            Mistake(
                "the zeros of the padding don't count: want them counted",
                f"{WINDOWS}.mean((4, 5))",
                f"{WINDOWS}.sum((4, 5)) / windows(np.ones_like(A), kernel, stride, padding, (1, 1)).sum((4, 5))",
            ),
            Mistake("stride is ignored", "kernel, stride, padding, (1, 1)", "kernel, (1, 1), padding, (1, 1)"),
            Mistake("the padding is left out", "stride, padding, (1, 1)", "stride, (0, 0, 0, 0), (1, 1)"),
            Mistake(
                "the four sides of the padding are in the order (top, bottom, left, right)",
                "stride, padding, (1, 1)",
                "stride, (padding[0], padding[2], padding[1], padding[3]), (1, 1)",
            ),
        ),
    ),
    Sheet(
        "09.11",
        "Batch norm and sign as one threshold",
        "hard",
        "sign(gamma (s - mean) / sqrt(var + eps) + beta) = +1 where (s >= T) ^ flip, else -1",
        (
            "Solve gamma (t - mean) / sqrt(var + eps) + beta = 0 for t: that is where the sign changes.",
            "gamma > 0: s >= t for an integer s is s >= ceil(t). gamma < 0: s <= t is not (s >= floor(t) + 1).",
            "gamma = 0: t is infinite or NaN. np.where and np.select take another branch there; np.errstate keeps the "
            "division quiet.",
            "Convert everything to float64 first, clip T while it is a float, and make it int64 at the end.",
        ),
        (
            Mistake("a falling batch norm is not flipped", "beta < 0, gamma < 0)", "beta < 0, gamma < -np.inf)"),
            Mistake(
                "where gamma < 0, s = t itself gives 0, whose sign is +1: want T one above it",
                "np.floor(t) + 1",
                "np.ceil(t)",
            ),
            Mistake("where gamma > 0, T is rounded down: then s below t give +1", "np.ceil(t)", "np.floor(t)"),
            Mistake("beta has the wrong sign", "mean - beta *", "mean + beta *"),
            Mistake("eps is left out", "np.sqrt(var + eps)", "np.sqrt(var)"),
            Mistake("the root is missing: var is the square of the deviation", "np.sqrt(var + eps)", "(var + eps)"),
            Mistake(
                "it is multiplied by gamma: want it divided", "np.sqrt(var + eps) / gamma", "np.sqrt(var + eps) * gamma"
            ),
            Mistake(
                "where gamma = 0 every s gives the sign of beta",
                "np.where(gamma == 0, beta < 0, gamma < 0)",
                "gamma < 0",
            ),
            Mistake("where gamma = 0 and beta = 0 the sign is +1", "beta < 0, gamma", "beta <= 0, gamma"),
            Mistake(
                "T is not clipped before it becomes an integer",
                "np.clip(T, -(2.0**31), 2.0**31 - 1)",
                "np.nan_to_num(T)",
            ),
        ),
    ),
)


def finale() -> str:
    """Train a small network of one bit with the reader's functions, and run it on the reader's words and thresholds."""
    import numpy as np

    from lightnn import compress, data, nn, optim
    from lightnn import functional as F
    from lightnn.functional.plain import input_scale
    from lightnn.kernels.binary.thresholds import fold_threshold
    from lightnn.kernels.binary.words import pack_signs, xnor_dot
    from lightnn.training import predict, train

    mnist, rng = data.load_mnist(), np.random.default_rng(0)
    x, y, images, labels = mnist.x_train[:10000], mnist.y_train[:10000], mnist.x_test[:2000], mnist.y_test[:2000]

    def trained(net, epochs=2):
        adam = optim.Adam(net.parameters(), 0.01)
        options = {"epochs": epochs, "batch_size": 100, "loss": F.squared_hinge, "rng": 0, "progress": False}
        train(net, (x, y), optimizer=adam, **options)
        return net.eval()

    def mlp(act, width=256):
        fc1, fc2, fc3 = (nn.Linear(i, o, bias=False, rng=rng) for i, o in ((784, width), (width, width), (width, 10)))
        norms = [nn.BatchNorm1d(n) for n in (width, width, 10)]
        return nn.Sequential(nn.Flatten(), fc1, norms[0], act(), fc2, norms[1], act(), fc3, norms[2])

    def error(net):
        percent = 100 * (predict(net, images).argmax(1) != labels).mean()
        assert percent < 20, f"with your functions the network makes {percent:.2f} % errors"
        return f"{percent:.2f} %"

    signs, scaled, random = mlp(nn.Sign), mlp(nn.ApproxSign), mlp(nn.ReLU)
    for layer in (signs[1], signs[4], signs[7]):
        compress.use_binary(layer.weight)
    for layer in (scaled[4], random[4]):
        compress.use_binary_filters(layer.weight)
    compress.use_binary_bases(scaled[1].weight, 2)
    random[1].weight.data *= 20
    compress.use_stochastic_binary(random[1].weight, 0)
    errors = [error(trained(net)) for net in (signs, scaled, random)]

    norm, sums = signs[5], _signs_of_fc2(signs, images[:20])
    T, flip = fold_threshold(norm.weight().data, norm.bias().data, norm.running_mean, norm.running_var, norm.eps)
    h, w = pack_signs(sums[0]), pack_signs(signs[4].weight().data)
    s = np.array([[xnor_dot(a, b, sums[0].shape[1]) for b in w] for a in h])
    same = np.where((s >= T) ^ flip, 1, -1) == sums[1]
    assert same.mean() > 0.999, f"your words and thresholds give {same.mean():.1%} of the signs of the float network"
    K = input_scale(images[:5], (5, 5), (1, 1), (0, 0, 0, 0)).shape
    return (
        f"your chapter 09 trains networks on MNIST: all of one bit {errors[0]} error, with Bi-Real's slope, scales and "
        f"two bases {errors[1]}, with random signs {errors[2]}; your words and thresholds give the signs of a hidden "
        f"layer without a multiplication, {same.size:,} of them; and K of five images has the shape {K}"
    )


def _signs_of_fc2(net, x):
    """What its second layer reads, and the signs that follow it."""
    from lightnn import nn
    from lightnn.training import predict

    layers = list(net)
    return predict(nn.Sequential(*layers[:4]).eval(), x), predict(nn.Sequential(*layers[:7]).eval(), x)
