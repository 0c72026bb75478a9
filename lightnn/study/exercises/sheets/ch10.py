"""Chapter 10, K-bit quantization: activations and weights of few bits, and which layer gets how many."""

import lightnn.compress.quantization.mixing
import lightnn.compress.transforms
import lightnn.functional  # noqa: F401  (their exercises register themselves)
from lightnn.study.exercises.sheets import Mistake, Sheet

PASSED_1 = "np.where((x >= 0) & (x <= 1), dy, dy.dtype.type(0))"
PASSED_3 = "np.where((x > 0) & (x < a), dy, dy.dtype.type(0))"
PASSED_6 = "np.where(above, W_p * dy, np.where(below, W_n * dy, dy))"
ROUNDED_1 = "np.rint(np.clip(x, 0, 1) * n)"
ROUNDED_2 = "np.rint((2**bits - 1) * np.clip(np.nan_to_num(r), 0, 1))"
ROUNDED_3 = "np.rint(np.clip(x, 0, a) / a * n)"
HELD_3 = "np.clip(alpha, LEAST_SCALE, MOST_SCALE)[0]"
HELD_6 = "np.clip(scale, LEAST_SCALE, MOST_SCALE).astype(W.dtype)"
SLOPE = "np.where(inside, q - clipped, clipped)"
MIRRORED = "np.concatenate([-sums[:0:-1], sums])"
GROWN = "return (costs[layer][K - 1] - costs[layer][K])"

SHEETS = (
    Sheet(
        "10.1",
        "DoReFa's activations",
        "easy",
        "y = round((2^k - 1) clip(x, 0, 1)) / (2^k - 1),   dL/dx = dL/dy where 0 <= x <= 1, else 0",
        (
            "Return a pair: y, and a function of dy, which is dL/dy, that gives dL/dx.",
            "np.clip(x, 0, 1), times n = 2**bits - 1, np.rint, divided by n. In float32, n must not make it float64.",
            "lambda dy: np.where((x >= 0) & (x <= 1), dy, 0). options.count(name, bits, 1, 8) raises the ValueError, "
            "check.floating(name, x=x) the TypeError.",
        ),
        (
            Mistake("2^k in place of 2^k - 1: k bits have 2^k levels, and one step less", "1, 8) - 1\n", "1, 8)\n"),
            Mistake("it is cut off, not rounded", ROUNDED_1, "np.floor(np.clip(x, 0, 1) * n)"),
            Mistake("a tie is rounded up: want the even integer", ROUNDED_1, "np.floor(np.clip(x, 0, 1) * n + 0.5)"),
            Mistake("the gradient passes everywhere: want 0 where x was clipped", PASSED_1, "dy"),
            Mistake("the gradient at the ends 0 and 1 must pass", PASSED_1, PASSED_1.replace("=", "")),
            Mistake("the gradient is multiplied by y", PASSED_1, "np.where((x >= 0) & (x <= 1), dy * y, 0 * dy)"),
            Mistake("y is always float64: want x's dtype", "x.dtype.type(n)", "np.float64(n)"),
            Mistake("bits out of 1 to 8 are not refused", "bits, 1, 8)", "bits, 0, 64)"),
        ),
    ),
    Sheet(
        "10.2",
        "DoReFa's weights as codes",
        "middle",
        "c = round((2^K - 1) r),   r = tanh(W) / (2 m) + 1/2",
        (
            "One bit has a rule of its own: (W >= 0) as uint8.",
            "For more, r = np.tanh(W) / (2 * m) + 0.5 is from 0 to 1 as long as m is the largest |tanh(W)|; clip it.",
            "A NaN must be replaced before the rounding: np.nan_to_num(r) makes it 0. Then np.rint and uint8.",
        ),
        (
            Mistake("the sum with 1/2 is missing: codes begin at 0", " + W.dtype.type(0.5)", ""),
            Mistake("tanh(W) must be divided by 2 m, not by m", "(2 * m)", "m"),
            Mistake("the tanh is missing", "np.tanh(W)", "W"),
            Mistake("r is not clipped to 0 .. 1", "np.clip(np.nan_to_num(r), 0, 1)", "np.nan_to_num(r)"),
            Mistake("2^K in place of 2^K - 1, the largest code", "(2**bits - 1) *", "2**bits *"),
            Mistake("it is cut off, not rounded", ROUNDED_2, ROUNDED_2.replace("rint", "floor")),
            Mistake("with one bit, a weight of 0 gets the code 0: want 1", "(W >= 0)", "(W > 0)"),
            Mistake("the codes are not uint8", f"{ROUNDED_2}.astype(np.uint8)", ROUNDED_2),
        ),
    ),
    Sheet(
        "10.3",
        "PACT: the end of the range is learned",
        "middle",
        "y = alpha round((2^k - 1) clip(x, 0, alpha) / alpha) / (2^k - 1),   dL/dalpha = sum of dL/dy where x >= alpha",
        (
            "Return y and two functions of dy, one for x and one for alpha, in the order of the arguments.",
            "a = np.clip(alpha, LEAST_SCALE, MOST_SCALE)[0] is a number. Then it is 10.1 on x / a, times a.",
            "Above alpha y = alpha, so a change of alpha changes y as much; below it, they cancel, but for the "
            "rounding, which PACT leaves out.",
            "np.array([np.where(x >= a, dy, 0).sum()], dy.dtype) has the shape (1,) that alpha has.",
        ),
        (
            Mistake("y is not multiplied by alpha", " / x.dtype.type(n) * a", " / x.dtype.type(n)"),
            Mistake("x is clipped at 1, and not divided by alpha", "np.clip(x, 0, a) / a", "np.clip(x, 0, 1)"),
            Mistake("2^k in place of 2^k - 1", "1, 8) - 1\n", "1, 8)\n"),
            Mistake("it is cut off, not rounded", ROUNDED_3, ROUNDED_3.replace("rint", "floor")),
            Mistake("the gradient of x passes above alpha, too", PASSED_3, PASSED_3.replace(" & (x < a)", "")),
            Mistake("the gradient of x passes below 0, too", PASSED_3, PASSED_3.replace("(x > 0) & ", "")),
            Mistake(
                "the gradient of x passes at 0 and at alpha: want 0 there",
                PASSED_3,
                PASSED_3.replace("<", "<=").replace("> ", ">= "),
            ),
            Mistake("alpha's gradient leaves out x = alpha", "np.where(x >= a, dy, 0)", "np.where(x > a, dy, 0)"),
            Mistake(
                "alpha's gradient is a mean: want the sum",
                "np.where(x >= a, dy, 0).sum()",
                "np.where(x >= a, dy, 0).mean()",
            ),
            Mistake("alpha's gradient is summed over all x", "np.where(x >= a, dy, 0)", "dy"),
            Mistake("alpha is not clipped before it is used", HELD_3, "alpha[0]"),
        ),
    ),
    Sheet(
        "10.4",
        "LSQ: the step is learned",
        "middle",
        "v_hat = s round(clip(v / s, -Q_N, Q_P)),   dv_hat/ds = round(v/s) - v/s inside, -Q_N below, Q_P above",
        (
            "Return v_hat and two functions of dy, for v and for s. Q_N, Q_P = lsq_range(bits, signed).",
            "Clip s, then compute x = v / s and inside = (x > -Q_N) & (x < Q_P) once: all the rest is made of them.",
            "With c = np.clip(x, -Q_N, Q_P), dv_hat/ds is np.where(inside, np.rint(c) - c, c).",
            "dL/ds sums dy times that over all of v, times g = 1 / np.sqrt(n * Q_P); np.array([...], dy.dtype) is "
            "(1,).",
        ),
        (
            Mistake("the gradient of s lacks g = 1 / sqrt(n Q_P)", "[g * (dy", "[(dy"),
            Mistake("g lacks the root", "1 / np.sqrt(", "1 / ("),
            Mistake("g lacks n", 'options.count("lsq: n", n) * Q_P', 'options.count("lsq: n", n) * 0 + Q_P'),
            Mistake("g lacks Q_P", 'np.sqrt(options.count("lsq: n", n) * Q_P)', 'np.sqrt(options.count("lsq: n", n))'),
            Mistake("dv_hat/ds inside has the wrong sign", SLOPE, "np.where(inside, clipped - q, clipped)"),
            Mistake("dv_hat/ds inside lacks - v / s", SLOPE, "np.where(inside, q, clipped)"),
            Mistake("dv_hat/ds is 0 outside the range: want -Q_N or Q_P", SLOPE, "np.where(inside, q - clipped, 0)"),
            Mistake("dv_hat/ds inside is 0, as in PACT", SLOPE, "np.where(inside, 0, clipped)"),
            Mistake("the gradient of s is a mean: want the sum", f"{SLOPE}).sum()", f"{SLOPE}).mean()"),
            Mistake("v_hat is not multiplied by s", "return q * s +", "return q +"),
            Mistake("the gradient of v passes everywhere", "np.where(inside, dy, dy.dtype.type(0))", "dy"),
            Mistake(
                "the gradient of v passes at the ends: want 0 there",
                "(x > -Q_N) & (x < Q_P)",
                "(x >= -Q_N) & (x <= Q_P)",
            ),
            Mistake("signed is ignored", 'options.flag("lsq: signed", signed)', "True"),
            Mistake("s is not clipped before it is used", "s = np.clip(s, LEAST_SCALE, MOST_SCALE)[0]", "s = s[0]"),
        ),
    ),
    Sheet(
        "10.5",
        "Ternary weights: threshold and scale",
        "middle",
        "D = factor E|W|,   alpha = E[|W| : |W| > D]",
        (
            "Both are means of magnitudes: mean_magnitude(w) gives E|w|, and 0.0 for no weights.",
            "A mask picks the weights for alpha: W[np.abs(W) > D].",
            "So alpha is what makes the sum of (W - w)^2 least once D is chosen: the mean of what it stands for.",
        ),
        (
            Mistake("alpha is the mean over all weights: want those above D alone", "W[np.abs(W) > D]", "W"),
            Mistake(
                "alpha divides by the number of all weights: want that of those above D",
                "mean_magnitude(W[np.abs(W) > D])",
                "mean_magnitude(np.where(np.abs(W) > D, W, 0))",
            ),
            Mistake("negative weights are never above D: compare |W|", "np.abs(W) > D", "W > D"),
            Mistake("a weight with |W| = D is taken for one above D", "np.abs(W) > D", "np.abs(W) >= D"),
            Mistake("D is factor times the largest |W|", "mean_magnitude(W)\n", "float(np.abs(W).max(initial=0))\n"),
            Mistake(
                "D is factor times the mean of W, not of |W|",
                "mean_magnitude(W)\n",
                "float(W.sum() / max(W.size, 1))\n",
            ),
            Mistake(
                "the two are returned in the wrong order",
                "return D, mean_magnitude(W[np.abs(W) > D])",
                "return mean_magnitude(W[np.abs(W) > D]), D",
            ),
        ),
    ),
    Sheet(
        "10.6",
        "Trained ternary weights",
        "middle",
        "w = W_p where W > D,   0 where |W| <= D,   -W_n where W < -D",
        (
            "Return w and two functions of dy, one for W and one for scale.",
            "above, below = W > D, W < -D decide everything; W_p and W_n are the clipped scale in W's dtype.",
            "np.where(above, W_p, np.where(below, -W_n, 0)) is w; dL/dW has the same form with dy in the middle.",
            "The gradient of scale has two sums, over dy[above] and -dy[below], in scale's dtype.",
        ),
        (
            Mistake("dL/dW_n lacks the minus: W_n enters as -W_n", "-np.where(below, dy, 0)", "np.where(below, dy, 0)"),
            Mistake("dL/dW is dy everywhere: want it times W_p and W_n outside the threshold", PASSED_6, "dy"),
            Mistake(
                "dL/dW is 0 where w is 0: such a weight could never leave it",
                PASSED_6,
                "np.where(above, W_p * dy, np.where(below, W_n * dy, 0 * dy))",
            ),
            Mistake(
                "dL/dW has a minus below -D: W_n scales it, without its sign",
                PASSED_6,
                "np.where(above, W_p * dy, np.where(below, -W_n * dy, dy))",
            ),
            Mistake(
                "below -D the weight is W_n: want -W_n", "np.where(below, -W_n, zero)", "np.where(below, W_n, zero)"
            ),
            Mistake("W_p and W_n are swapped", "W_p, W_n = ", "W_n, W_p = "),
            Mistake("a weight with |W| = D is not 0", "W > D, W < -D", "W >= D, W <= -D"),
            Mistake("scale is not clipped before it is used", HELD_6, "scale.astype(W.dtype)"),
        ),
    ),
    Sheet(
        "10.7",
        "Levels that are sums of powers of two",
        "middle",
        "+-gamma (p_0 + p_1 + ...),   p_i = 0 or 2^-e, e from terms[i]",
        (
            "Make the sums first: for each term a list of what it may be, 0 included.",
            "itertools.product(*choices) gives every choice of one p_i from each list.",
            "Sort the sums and divide by the largest. All but 0 occur with both signs: sums[:0:-1] are they, from the "
            "largest to the smallest.",
        ),
        (
            Mistake(
                "no p_i is ever 0: want each term left out, too",
                "[0.0, *(2.0**-e for e in exponents)]",
                "[*(2.0**-e for e in exponents)]",
            ),
            Mistake("2^e in place of 2^-e", "2.0**-e", "2.0**e"),
            Mistake("the largest level is not 1", f"{MIRRORED} / sums[-1]", MIRRORED),
            Mistake("the negative levels are missing", MIRRORED, "sums"),
            Mistake("0 is there twice", MIRRORED, "np.concatenate([-sums[::-1], sums])"),
            Mistake("the levels are not in order", "-sums[:0:-1]", "-sums[1:]"),
            Mistake(
                "only one p_i is used at a time: want their sums",
                "itertools.product(*choices)",
                "[[p] for c in choices for p in c]",
            ),
        ),
    ),
    Sheet(
        "10.8",
        "Which layer loses a bit next",
        "middle",
        "price = (costs[layer][K - 1] - costs[layer][K]) / sizes[layer],   K = bits[layer]",
        (
            "Leave out the layers that have FEWEST bits already; if none is left, return None.",
            "costs[layer] is a dict from bits to loss: look up what the layer has now, and one bit less.",
            "min(layers, key=price, default=None) gives the first of equal ones, and None for no layer.",
        ),
        (
            Mistake("the price is for the whole layer: divide by sizes[layer]", f"{GROWN} / sizes[layer]", GROWN),
            Mistake("the loss at K - 1 bits is used: want its growth from K bits", GROWN, "costs[layer][K - 1]"),
            Mistake("the dearest layer is chosen", "min(able, key", "max(able, key"),
            Mistake("a bit is taken from a layer with FEWEST bits", "K > FEWEST", "K > 1"),
            Mistake("a layer with FEWEST + 1 bits is left out: it can lose one", "K > FEWEST]", "K > FEWEST + 1]"),
            Mistake("of equal prices the last layer wins: want the first", "min(able, key", "min(able[::-1], key"),
            Mistake("without a layer that can lose a bit it raises: want None", ", default=None", ""),
        ),
    ),
)


def finale() -> str:
    """Train LeNet-300-100 shortly, with the reader's weights and activations too, and give its layers their bits."""
    from lightnn import compress, data, models, nn, optim
    from lightnn.training import predict, train

    mnist = data.load_mnist()

    def trained(net, images, rate):
        x, y = mnist.x_train[:images], mnist.y_train[:images]
        adam = optim.Adam(net.parameters(), rate)
        train(net, (x, y), epochs=1, optimizer=adam, batch_size=100, progress=False)
        return net.eval()

    def packed(net):
        return sum(p.size * (32 if p.values is None else p.values.bits) for p in net.parameters()) // 8

    def described(net):
        error = 100 * (predict(net, mnist.x_test).argmax(1) != mnist.y_test).mean()
        assert error < 12, f"with your functions the network makes {error:.2f} % errors"
        return f"{packed(net):,} bytes, {error:.2f} % error"

    def few_bits(net, activations, *uses):
        net = models.replace(net, dict(zip(("relu", "relu2"), activations)))
        for layer, use in zip((net.fc1, net.fc2, net.fc3), uses):
            use(layer.weight)
        return described(trained(net.train(), 10000, 1e-3))

    net = trained(models.lenet_300_100(rng=0), 30000, 2e-3)
    measured = compress.use_ternary, lambda p: compress.use_dorefa(p, 2), lambda p: compress.use_dorefa(p, 4)
    dorefa = nn.DoReFaActivation(2), nn.DoReFaActivation(2)
    learned = (
        compress.use_trained_ternary,
        lambda p: compress.use_additive_powers(p, 4),
        lambda p: compress.use_lsq(p, 4),
    )
    x, y = mnist.x_train[-500:], mnist.y_train[-500:]
    mixed, bits = compress.mixed_bits(compress.quantize(net, x), x, y, 110000, packed)
    return (
        f"your chapter 10 trains LeNet-300-100 ({described(net)} in floats) with two bits an activation: "
        f"{few_bits(net, dorefa, *measured)} with ternary and DoReFa's weights, "
        f"{few_bits(net, (nn.PACT(2, alpha=4.0), nn.LSQActivation(2)), *learned)} with levels that are learned; "
        f"and with {', '.join(map(str, bits.values()))} bits a layer, not trained again, it has {described(mixed)}"
    )
