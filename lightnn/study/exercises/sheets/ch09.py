"""Chapter 09, binarization: signs and their stand-in slopes, scales, random signs, and products of bits."""

import lightnn.compress.transforms
import lightnn.functional  # noqa: F401  (their exercises register themselves)
from lightnn.study.exercises.sheets import Mistake, Sheet

PASSED_1 = "np.where(np.abs(x) <= 1, dy, dy.dtype.type(0))"
SIGNS = "signs_of(x)"
DIVIDED_2 = "a / np.where(largest == 0, 1, largest)"
MEAN_2 = f"({DIVIDED_2}).mean(1) * largest[:, 0]"
CHANCE = "np.clip((W + 1) / 2, 0, 1)"
DRAWN = "rng.random(W.shape, dtype=np.float32)"
SLOPE_4 = "np.maximum(2 - 2 * np.nan_to_num(np.abs(x), nan=1), 0)"
SLOPE_5 = "(1 / n + alpha * inside)"
POOLED = "pool.avg_pool2d(A, *how)"

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
            Mistake("the sign of 0 is -1: want +1", SIGNS, "np.where(x > 0, 1, np.where(np.isnan(x), x, -1)).astype(x.dtype)"),
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
            Mistake("the chance is clip(W, 0, 1): a weight of 0 must be +1 half of the time", CHANCE, "np.clip(W, 0, 1)"),
            Mistake("the chance is not halved", "(W + 1) / 2", "(W + 1)"),
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
            "NaN goes through np.maximum, and 0 * NaN is NaN: replace NaN by 1 before.",
        ),
        (
            Mistake("the slope beyond |x| = 1 is negative: want 0", SLOPE_4, "(2 - 2 * np.nan_to_num(np.abs(x), nan=1))"),
            Mistake("the slope lacks the magnitude: want 2 - 2 |x|", "np.abs(x), nan", "x, nan"),
            Mistake("the slope is 1 - |x|: half of what it should be", "2 - 2 * np", "1 - np"),
            Mistake("the slope is that of the hard tanh", SLOPE_4, "(np.abs(x) <= 1)"),
            Mistake("the sign of 0 is 0: want +1", SIGNS, "np.sign(x)"),
            Mistake("the slope has a sign of its own: want it positive on both sides", SLOPE_4, f"signs_of(x) * {SLOPE_4}"),
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
            Mistake("it is multiplied by n, as in the authors' code: want the paper's", SLOPE_5, "(1 + n * alpha * inside)"),
            Mistake("the sign of 0 is 0: want +1", "signs_of(W)", "np.sign(W)"),
        ),
    ),
    Sheet(
        "09.8",
        "The scale of each window of the input",
        "hard",
        "A = mean of |x| over the channels,   K = A * k,   k_ij = 1 / (w h)",
        (
            "First A, (N, 1, H, W). Then each output is the mean of A under a window, zeros of the padding included.",
            "np.pad, then two loops over the rows and columns of the kernel, each adding A[:, :, i::stride] cut to size.",
            "Backwards, each output sends dy / (w h) to the pixels of its window, and each pixel sends a C-th of it, "
            "times the sign of x, to each channel. np.sign(0) = 0 is right here.",
            "In the library: `window` checks and fills in the options, pool.avg_pool2d and avg_pool2d_backward do both.",
        ),
        (
            Mistake("A is the mean of x, not of |x|", "np.abs(x).mean", "x.mean"),
            Mistake("A is the sum over the channels: want their mean", ".mean(1, keepdims=True)", ".sum(1, keepdims=True)"),
            Mistake("A is the largest over the channels", ".mean(1, keepdims=True)", ".max(1, keepdims=True)"),
            Mistake("the gradient lacks the sign of x", "np.sign(x) / x.shape[1]", "1 / x.shape[1] + 0 * x"),
            Mistake("the gradient is not divided by the number of channels", "np.sign(x) / x.shape[1]", "np.sign(x)"),
            Mistake("the zeros of the padding don't count: want them counted", "padding, True, extra", "padding, False, extra"),
            Mistake("K is a sum: want the mean of the window", f"return {POOLED}", f"return np.prod(kernel) * {POOLED}"),
        ),
    ),
)
