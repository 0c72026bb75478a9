"""Chapter 13, compound scaling: what a network costs when it grows, its blocks, and how far two networks agree."""

import lightnn.functional.plain
import lightnn.metrics
import lightnn.models  # noqa: F401  (their exercises register themselves)
from lightnn.study.exercises.sheets import Mistake, Sheet

ROUNDED_3 = "int(c + divisor / 2) // divisor * divisor"
KL = "(np.exp(log_p) * (log_p - log_q)).sum(1).mean()"
SCALE_5 = "1 / (1 - p) if p < 1 else 0"

SHEETS = (
    Sheet(
        "13.1",
        "What growing costs",
        "easy",
        "MACs grow by d w^2 r^2",
        (
            "Twice the layers: twice the work. Now think of one layer that has twice the channels, on both sides.",
            "A convolution has k^2 C_in C_out MACs for each of its H W pixels. Which of these grow?",
            "options.numbers_above_0(name, d=d, w=w, r=r) raises the ValueError and returns the numbers.",
        ),
        (
            Mistake("w counts twice: a layer has w times as many channels on both sides", "w**2", "w"),
            Mistake("r counts twice: an image has r times as many pixels in both directions", "r**2", "r"),
            Mistake("the depth counts only once: twice the layers are twice the MACs", "d *", "d**2 *"),
            Mistake("the depth is missing", "d * w**2", "w**2"),
            Mistake("the three are added, not multiplied", "d * w**2 * r**2", "d + w**2 + r**2"),
            Mistake("the result must be a float", "float(d * w**2 * r**2)", "d * w**2 * r**2"),
            Mistake(
                "numbers that are not above 0 are not refused",
                '    d, w, r = options.numbers_above_0("macs_factor", d=d, w=w, r=r)\n',
                "",
            ),
        ),
    ),
    Sheet(
        "13.2",
        "One coefficient for three sizes",
        "easy",
        "d = alpha^phi,   w = beta^phi,   r = gamma^phi",
        (
            "Three powers with the same exponent.",
            "Depth first, then width, then resolution. Ints with phi = 0 must give floats: math.pow does.",
            "options.number(name, phi) refuses what is not finite; at_least=1 bounds the three bases.",
        ),
        (
            Mistake("multiplied by phi: want the power", "math.pow(base, phi)", "float(base * phi)"),
            Mistake("width and depth are swapped", '{"alpha": alpha, "beta": beta,', '{"alpha": beta, "beta": alpha,'),
            Mistake(
                "width and resolution are swapped",
                '"beta": beta, "gamma": gamma}',
                '"beta": gamma, "gamma": beta}',
            ),
            Mistake("phi and the base are swapped: want base^phi", "math.pow(base, phi)", "math.pow(phi, base)"),
            Mistake("the exponent has the wrong sign", "math.pow(base, phi)", "math.pow(base, -phi)"),
            Mistake("the results must be floats, also of ints", "math.pow(base, phi)", "base**phi"),
            Mistake("a base below 1 is not refused", ", at_least=1, at_most=FARTHEST)", ")"),
        ),
    ),
    Sheet(
        "13.3",
        "Widths that a machine likes",
        "middle",
        "the multiple of 8 nearest to c = channels width_mult, at least 8; the next one if that is below 0.9 c",
        (
            "int(c + 4) // 8 * 8 is the multiple of 8 that is nearest to c. Replace 8 by the divisor.",
            "Then two rules: at least one divisor, by max(divisor, ...), and not below 0.9 c.",
            "The second rule adds one divisor; it compares with c, not with channels.",
        ),
        (
            Mistake("rounded down: want the nearest multiple", ROUNDED_3, "int(c) // divisor * divisor"),
            Mistake("rounded up: want the nearest multiple", ROUNDED_3, "-int(-c // divisor) * divisor"),
            Mistake(
                "the rule of the 0.9 c is missing",
                "rounded + divisor if rounded < 0.9 * c else rounded",
                "rounded",
            ),
            Mistake("0.9 of the channels before the scaling", "0.9 * c else", "0.9 * channels else"),
            Mistake("width_mult is missing", "    c = channels * width_mult\n", "    c = channels\n"),
            Mistake(
                "the divisor is always 8",
                "    c = channels * width_mult\n",
                "    c, divisor = channels * width_mult, 8\n",
            ),
            Mistake(
                "what is halfway goes to the larger one: Python's round takes the even one",
                ROUNDED_3,
                "round(c / divisor) * divisor",
            ),
            Mistake("the result must be an int", "    rounded = max(", "    rounded = 1.0 * max("),
        ),
    ),
    Sheet(
        "13.4",
        "Squeeze and excitation",
        "middle",
        "y = x sigmoid(W2 silu(W1 z + b1) + b2),   z_c = mean of x_c",
        (
            "The squeeze is a mean over the two last axes: (N, C) is left.",
            "W1 is (S, C): z @ w1.T + b1 is (N, S). silu(t) = t * sigmoid(t).",
            "The gates are (N, C); [:, :, None, None] puts them beside (N, C, H, W).",
        ),
        (
            Mistake("the squeeze is a sum: want the mean", "x.mean((2, 3))", "x.sum((2, 3))"),
            Mistake("the squeeze is a maximum: want the mean", "x.mean((2, 3))", "x.max((2, 3))"),
            Mistake("a ReLU stands in the place of SiLU", "t * sigmoid(t) @", "np.maximum(t, 0) @"),
            Mistake("a sigmoid stands in the place of SiLU", "t * sigmoid(t) @", "sigmoid(t) @"),
            Mistake("the gates lack their sigmoid", "g = sigmoid(t", "g = (t"),
            Mistake("the result is the gates alone: want them times x", "return x * g", "return 0 * x + g"),
            Mistake("the gates are added: want them to multiply", "return x * g", "return x + g"),
            Mistake("b1 is missing", "@ w1.T + b1", "@ w1.T"),
            Mistake("b2 is missing", "@ w2.T + b2", "@ w2.T"),
            Mistake(
                "the squeeze is over the whole batch: want one for each image",
                "x.mean((2, 3))",
                "x.mean((0, 2, 3))[None]",
            ),
            Mistake("the result is always float64: want the dtype of x", "return x * g", "return x.astype(float) * g"),
        ),
    ),
    Sheet(
        "13.5",
        "A block that is sometimes skipped",
        "middle",
        "y_n = x_n + branch_n / (1 - p)  where drawn_n >= p,  else x_n",
        (
            "drawn >= p is one truth value for each image: give it as many axes as x has, each of one.",
            "Kept branches are divided by 1 - p, so that the mean over the draws is the branch itself.",
            "1 / (1 - p) has no value at p = 1; there nothing is kept, so any number will do, 0 as well.",
        ),
        (
            Mistake("what is kept is not divided by 1 - p", SCALE_5, "1"),
            Mistake("what is kept is divided by p", SCALE_5, "1 / p if p else 1"),
            Mistake("kept and skipped are swapped", "(drawn >= p)", "(drawn < p)"),
            Mistake("a draw that equals p is kept", "(drawn >= p)", "(drawn > p)"),
            Mistake("the whole block is skipped: x must stay", "return x + branch * (", "return (x + branch) * ("),
            Mistake(
                "all images share the first one's draw: want one for each image",
                "(drawn >= p)",
                "(0 * drawn + drawn[:1] >= p)",
            ),
            Mistake("the result is always float64: want the dtype of x", "x.dtype.type(", "np.float64("),
        ),
    ),
    Sheet(
        "13.6",
        "Agreement without labels",
        "hard",
        "top-1, top-k: fractions of the images;  KL = mean of sum_j p_j (log p_j - log q_j)",
        (
            "chosen = floats.argmax(1) is the float network's class; compare it with the other network's argmax.",
            "Top-k: count, for each image, the outputs of the other network that are larger than that of `chosen`.",
            "log softmax without overflow: take the row's maximum off, then the logarithm of the row's sum of exp.",
            "KL: p is the float network's softmax, outside and inside; sum over the classes, mean over the images.",
        ),
        (
            Mistake(
                "top-k has its sides swapped: want the float network's class among the other's outputs",
                "    same, among = others.argmax(1) == chosen, (others > its)",
                "    its = np.take_along_axis(floats, others.argmax(1)[:, None], 1)\n"
                "    same, among = others.argmax(1) == chosen, (floats > its)",
            ),
            Mistake("top-k asks for the k - 1 largest", "< k\n", "< k - 1\n"),
            Mistake("top-k asks for the k + 1 largest", "< k\n", "<= k\n"),
            Mistake("equal outputs count as larger ones", "(others > its).sum(1) < k", "(others >= its).sum(1) <= k"),
            Mistake(
                "KL has its sides swapped: want p of the float network",
                KL,
                "(np.exp(log_q) * (log_q - log_p)).sum(1).mean()",
            ),
            Mistake("KL is weighted by q: want p", KL, KL.replace("np.exp(log_p)", "np.exp(log_q)")),
            Mistake("KL is the mean over the classes, too: want their sum", ".sum(1).mean())", ".mean())"),
            Mistake("KL is the sum over the images: want their mean", ".sum(1).mean())", ".sum())"),
            Mistake("KL has logarithms to the base 2: want natural ones", KL, f"{KL} / np.log(2)"),
            Mistake(
                "the softmax overflows for large outputs: take the largest off first",
                "(a - a.max(1, keepdims=True) for a in (floats, others))",
                "(floats, others)",
            ),
            Mistake("the fractions are in %: want them from 0 to 1", "float(same.mean())", "float(100 * same.mean())"),
        ),
    ),
)


def finale() -> str:
    """Scale a network by the reader's functions, and let it agree with itself in 8 bits."""
    import numpy as np

    from lightnn import compress, metrics, models, nn, training
    from lightnn.functional import plain
    from lightnn.models.blocks import SqueezeExcitation, round_filters
    from lightnn.models.scaling import compound_scale, macs_factor
    from lightnn.tensor import Tensor

    d, w, r = compound_scale(2)
    small, large = (models.efficientnet_lite(width, depth, rng=0) for width, depth in ((0.5, 1.0), (0.5 * w, d)))
    sizes = 64, round_filters(64 * r)
    macs = [metrics.count_macs(m, (1, 3, size, size)) for m, size in zip((small, large), sizes)]
    rng = np.random.default_rng(0)
    layer, x = SqueezeExcitation(6, 2, nn.SiLU, nn.Sigmoid, 0), rng.standard_normal((2, 6, 3, 3)).astype(np.float32)
    arrays = (
        layer.fc1.weight.data[..., 0, 0],
        layer.fc1.bias.data,
        layer.fc2.weight.data[..., 0, 0],
        layer.fc2.bias.data,
    )
    y = plain.squeeze_excitation(x, *arrays)
    assert np.allclose(y, layer(Tensor(x)).data, atol=1e-5), "your squeeze and excitation differs from the layer's"
    many = np.mean([plain.residual_with_stochastic_depth(x, y, rng.random(2), 0.5) for _ in range(2000)], 0)
    assert np.abs(many - x - y).max() < 0.2, "your skipped branches do not have the mean of the branch"
    images = rng.standard_normal((8, 3, 32, 32)).astype(np.float32)
    net = models.efficientnet_lite(0.2, 0.2, num_classes=10, rng=0).eval()
    outputs = [training.predict(m, images) for m in (net, compress.quantize(net, images))]
    return (
        f"Your functions make a network {d:.2f} times deeper, {w:.2f} times wider and {r:.2f} times finer, for "
        f"{macs[1] / macs[0]:.1f} times the MACs, where the formula says {macs_factor(d, w, r):.1f}; and an untrained "
        f"network in 8 bits agrees with itself on {100 * metrics.agreement(*outputs)[0]:.0f} % of the images"
    )
