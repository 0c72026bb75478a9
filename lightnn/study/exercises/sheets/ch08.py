"""Chapter 08, quantization: codes and their ranges, integer requantization, gradients of few levels."""

import lightnn.compress
import lightnn.kernels.quantized.requantize  # noqa: F401  (their exercises register themselves)
from lightnn.study.exercises.sheets import Mistake, Sheet

HELD = "S = np.clip(high / n - low / n, LEAST_SCALE, MOST_SCALE)"
INSIDE = "(q_min <= q) & (q <= q_max)"
DIVIDED = "np.divide(r1, r2, out=np.ones_like(r1), where=both)"
ERROR = "counts @ (x - S * (q - Z)) ** 2"
TRIES = "range(BINS // MOST_TRIES, BINS + 1, BINS // MOST_TRIES)"
ROUNDED = "np.floor(part * 2.0**31 + 0.5)"
LARGE = "((x & mask) > (mask >> 1) + (x < 0))"
DRAWN = "np.floor(np.minimum(a, 1) * s + rng.random(v.shape))"
NORM = "np.sqrt((v.astype(np.float64) ** 2).sum(1))"
MEAN = "sums[group] / np.maximum(sizes[group], 1)"

SHEETS = (
    Sheet(
        "08.1",
        "Scale and zero point of a range",
        "easy",
        "S = (high - low) / (q_max - q_min),   Z = clip(round(q_min - low / S), q_min, q_max)",
        (
            "np.asarray(low, np.float64) makes an array of both, a number or an array. Raise the ValueError first.",
            "np.minimum(low, 0) and np.maximum(high, 0) widen the range; np.clip holds S, np.rint rounds.",
            "Make S float32 before you compute Z: for low = -high, -low / S is near 127.5, and S decides which way it "
            "is rounded.",
        ),
        (
            Mistake("a range without 0 is not widened to 0", "np.minimum(low, 0), np.maximum(high, 0)", "low, high"),
            Mistake("the range is divided by the codes: want the steps", "q_max - q_min\n", "q_max - q_min + 1\n"),
            Mistake("Z does not count from q_min", "np.rint(q_min - low", "np.rint(-low"),
            Mistake("the sign of low / S is wrong in Z", "np.rint(q_min - low", "np.rint(q_min + low"),
            Mistake("Z is cut off, not rounded", "np.rint(", "np.trunc("),
            Mistake("q_min is added after the rounding: a tie goes elsewhere", "np.rint(q_min - ", "q_min + np.rint(-"),
            Mistake(
                "Z is computed from S before it is rounded to float32",
                "S).astype(np.float32)\n    return S,",
                "S)\n    return S.astype(np.float32),",
            ),
            Mistake("a range of 0 alone has not S = 1", "np.where(low == high, 1.0, S)", "np.asarray(S)"),
            Mistake("S is not clipped to LEAST_SCALE .. MOST_SCALE", HELD, "S = high / n - low / n"),
            Mistake("low > high is not refused", " & (low <= high)).all()", ").all()"),
        ),
    ),
    Sheet(
        "08.2",
        "Fake quantization and its gradient",
        "easy",
        "y = S (clip(q, q_min, q_max) - Z),   q = round(x / S) + Z,   dL/dx = dL/dy where q_min <= q <= q_max",
        (
            "S, Z, q_min, q_max = checked('fake_quantize', x, scale, zero_point, q_min, q_max) does all checks.",
            "Return a pair: y, and a function of dy, which is dL/dy, that gives dL/dx.",
            "Whether a number passes the gradient depends on its code before clipping, not on x: with codes 0 .. 3 and "
            "S = 1, 3.4 has code 3 and passes it. np.where(inside, dy, 0).",
        ),
        (
            Mistake(
                "the gradient passes where the code is clipped, too", "np.where(inside, dy, ", "np.where(True, dy, "
            ),
            Mistake("the gradient of round is taken for 0", "where(inside, ", "where(q != q, "),
            Mistake("the gradient stops at the ends q_min and q_max, too", INSIDE, "(q_min < q) & (q < q_max)"),
            Mistake(
                "x decides whether the gradient passes: its code should",
                INSIDE,
                "(S * (q_min - Z) <= x) & (x <= S * (q_max - Z))",
            ),
            Mistake("Z is not subtracted again", "(np.clip(q, q_min, q_max) - Z)", "np.clip(q, q_min, q_max)"),
            Mistake(
                "this is the codes, not what they say",
                "(np.clip(q, q_min, q_max) - Z) * S",
                "q.clip(q_min, q_max)",
            ),
            Mistake("Z is added before rounding: a tie goes elsewhere", "np.rint(x / S) + Z", "np.rint(x / S + Z)"),
            Mistake("a tie is rounded up, not to the even number", "rint(x / S)", "floor(x / S + S / S / 2)"),
            Mistake("the gradient is multiplied by S: it passes as it is", "where(inside, dy", "where(inside, dy * S"),
        ),
    ),
    Sheet(
        "08.3",
        "The scale that equalizes two layers",
        "easy",
        "s_i = sqrt(r1_i r2_i) / r2_i",
        (
            "Layer 1 is divided by s, layer 2 multiplied by it: afterwards r1_i / s_i = r2_i s_i.",
            "So s_i^2 = r1_i / r2_i. Take both ranges as float64 first.",
            "Divide only where both are above 0: np.divide(r1, r2, out=np.ones_like(r1), where=...), then the root.",
        ),
        (
            Mistake("s is upside down: layer 1 is divided by it", "np.divide(r1, r2", "np.divide(r2, r1"),
            Mistake("the root is missing", f"np.sqrt({DIVIDED})", DIVIDED),
            Mistake("a range of 0 gives 0, infinity or NaN: want 1", DIVIDED, "np.divide(r1, r2)"),
            Mistake("s is 0 where r1 is 0, and layer 1 is divided by it: want 1", "(r1 > 0) & (r2 > 0)", "r2 > 0"),
            Mistake("this is the common range sqrt(r1 r2), not the scale", "np.divide(r1, r2", "np.multiply(r1, r2"),
        ),
    ),
    Sheet(
        "08.4",
        "The range with the smallest error",
        "middle",
        "T = argmin sum_x count_x (x - S (q - Z))^2",
        (
            "best_range(seen, error, tries) does the search: you write error(i), the error of T = i width.",
            "middles = (np.arange(BINS) + 0.5) * seen.width; the negative side is -middles, counted by seen.counts[0].",
            "In error: clipped(seen, i * seen.width) gives low and high; then S, Z and q, and counts @ (x - ...) ** 2.",
            "tries is range(BINS // MOST_TRIES, BINS + 1, BINS // MOST_TRIES).",
        ),
        (
            Mistake(
                "x is the lower end of a bin, not its middle",
                "arange(BINS) + 0.5",
                "arange(BINS)",
            ),
            Mistake(
                "it goes from min to max: no T is tried",
                "return best_",
                "return clipped(seen, 9e99) or best_",
            ),
            Mistake("the two sides of 0 are swapped", "[-middles, middles]", "[middles, -middles]"),
            Mistake("the error does not count how many numbers a bin has", "counts @ (x", "np.ones(len(x)) @ (x"),
            Mistake("the absolute error instead of its square", ERROR, "counts @ np.abs(x - S * (q - Z))"),
            Mistake("numbers beyond T are not clipped: T costs nothing", "+ Z, 0, 2**bits - 1)", "+ Z, -1e9, 1e9)"),
            Mistake("2^bits codes have 2^bits - 1 steps between them", "low) / (2**bits - 1)", "low) / 2**bits"),
            Mistake("every end of a bin is tried, not every eighth", TRIES, "range(1, BINS + 1)"),
            Mistake("the widest threshold is not tried", "BINS + 1, BINS", "BINS, BINS"),
            Mistake("of equal errors the narrowest T wins", f"error, {TRIES}", f"error, {TRIES}[::-1]"),
        ),
    ),
    Sheet(
        "08.5",
        "A multiplier as a fixed-point number",
        "middle",
        "m = 2^-n m0 / 2^31,   m0 / 2^31 in [1/2, 1)",
        (
            "np.frexp(m) gives (part, exponent): m = part 2^exponent, part in [1/2, 1), and (0, 0) for 0.",
            "m0 = floor(part 2^31 + 0.5) in int64, n = -exponent. np.rint would round a half to the even number.",
            "part can round up to 2^31, one too large for int32. That is 2^30 and an exponent that is larger by 1.",
            "Last, np.where(n > 31, 0, ...) for both, and astype(np.int32). `not (0 <= m < 2^30)` refuses NaN, too.",
        ),
        (
            Mistake("n has the wrong sign: m = 2^-n m0 / 2^31", "-exponent - 1, -exponent)", "exponent + 1, exponent)"),
            Mistake("m0 is cut off, not rounded", ROUNDED, "np.floor(part * 2.0**31)"),
            Mistake("a half is rounded to the even number, not up", ROUNDED, "np.rint(part * 2.0**31)"),
            Mistake("an m0 of 2^31 does not fit int32", "whole = m0 == 2**31", "whole = m0 < 0"),
            Mistake("m0 is halved where it rounds to 2^31, but n stays", "-exponent - 1", "-exponent"),
            Mistake("a tiny m is not made 0: want 0 where n > 31", "small = n > 31", "small = n > 1074"),
            Mistake("n = 31 is allowed: only above it both are 0", "small = n > 31", "small = n > 30"),
            Mistake("n stays where m0 is 0: want 0", "np.where(small, 0, n)", "n"),
            Mistake("m0 has 30 bits: want m0 / 2^31 in [1/2, 1)", ROUNDED, ROUNDED.replace("31", "30")),
        ),
    ),
    Sheet(
        "08.6",
        "The high half of a product, rounded",
        "middle",
        "floor((a b + 2^30) / 2^31)",
        (
            "int(a) * int(b) is exact: Python's ints have no largest one.",
            "Adding half of the divisor before a floor rounds to the nearest, and // or >> is a floor, also below 0.",
            "Check for a == b == LOWEST first, and return HIGHEST.",
        ),
        (
            Mistake("it is cut off, not rounded", " + 2**30", ""),
            Mistake("round() takes a half to the even number", "(a * b + 2**30) >> 31", "round(a * b / 2**31)"),
            Mistake("a negative half goes away from 0: want up", " + 2**30", " + 2**30 - (a * b < 0)"),
            Mistake("-2^31 times itself does not saturate", "if a == b == LOWEST", "if False"),
            Mistake("every product with -2^31 saturates: want only its square", "a == b == LOWEST", "LOWEST in (a, b)"),
            Mistake("the product of NumPy's int32 overflows: make them ints", "a, b = int(a), int(b)", "pass"),
            Mistake("it is divided by 2^32", ">> 31", ">> 32"),
            Mistake("2^31 is added: half of the divisor is 2^30", " + 2**30", " + 2**31"),
        ),
    ),
    Sheet(
        "08.7",
        "Divide by a power of two, rounded",
        "middle",
        "round(x / 2^n), a half away from 0",
        (
            "x >> n is floor(x / 2^n), also below 0; x & (2^n - 1) is the remainder, from 0 to 2^n - 1.",
            "Half of 2^n is not an int for n = 0: compare with (2^n - 1) >> 1, the largest remainder below a half.",
            "A remainder larger than that rounds up. Below 0 exactly a half must go down: raise the limit by 1 there.",
        ),
        (
            Mistake("it is cut off, not rounded", LARGE, "0"),
            Mistake("a negative half goes up: want down, away from 0", "+ (x < 0)", ""),
            Mistake("a positive half goes down: want up, away from 0", "+ (x < 0)", "+ 1"),
            Mistake("for n = 0 it adds 1: half of 1 is not an int", " > (mask >> 1) + ", " >= (mask + 1 >> 1) + "),
            Mistake("round() takes a half to the even number", f"(x >> int(n)) + {LARGE}", "round(x / 2 ** int(n))"),
        ),
    ),
    Sheet(
        "08.8",
        "The random levels of QSGD",
        "middle",
        "level_i = sgn(v_i) (l + 1) with probability a s - l, else sgn(v_i) l",
        (
            "options.generator('qsgd_levels: rng', rng) makes a generator of a seed; options.count checks levels.",
            "The norms: np.sqrt((v.astype(np.float64) ** 2).sum(1)). Divide by 1 instead where the norm is 0.",
            "floor(y + u), u uniform in [0, 1), is floor(y) + 1 with probability y - floor(y): both cases at once.",
            "np.sign(v) * np.floor(a * s + rng.random(v.shape)), then astype(np.int64).",
        ),
        (
            Mistake("it rounds to the nearest level: that is biased", "rng.random(v.shape)", "0.5"),
            Mistake("it always rounds down: that is biased", "rng.random(v.shape)", "0"),
            Mistake(
                "the probabilities of l + 1 and l are swapped",
                DRAWN,
                "(y := np.minimum(a, 1) * s, np.where(rng.random(v.shape) < y % 1, np.floor(y), np.ceil(y)))[1]",
            ),
            Mistake("one draw for all numbers of a row", "rng.random(v.shape)", "rng.random((len(v), 1))"),
            Mistake("one draw for each column, the same in all rows", "rng.random(v.shape)", "rng.random(v.shape[1])"),
            Mistake("the sign is missing", "np.sign(v) * ", "1 * "),
            Mistake("the norm is max |v|, TernGrad's: want ||v||_2", NORM, "abs(1.0 * v).max(1)"),
            Mistake("one norm for all rows", NORM, "np.full(len(v), np.sqrt((1.0 * v**2).sum()))"),
            Mistake("the squares are float32, and overflow", NORM, "np.sqrt((v**2).sum(1)).astype(np.float64)"),
            Mistake("the seed is ignored", 'options.generator("qsgd_levels: rng", rng)', "np.random.default_rng(0)"),
        ),
    ),
    Sheet(
        "08.9",
        "The divergence that calibrates",
        "hard",
        "KL(P || Q) = sum_j p_j log(p_j / q_j)",
        (
            "P is counts[:i].copy() with counts[i:].sum() added to P[-1]. Q is made of counts[:i] without that.",
            "Bin j is in group j levels // i: the largest k with ceil(k i / levels) <= j.",
            "np.bincount(group, inside) are the groups' sums, np.bincount(group, inside > 0) how many bins share them.",
            "Q = mean of the group where counts[:i] > 0, else 0. Divide both by their sums, then sum only where P > 0.",
        ),
        (
            Mistake("what lies beyond is not in P", "P[-1] += counts[i:].sum()", "pass"),
            Mistake("what lies beyond is in Q, too: clipping costs nothing", "filled = ", "inside = P\n    filled = "),
            Mistake("counts is changed: P must be a copy", "inside.copy()", "inside"),
            Mistake(
                "empty bins get a part of the mean",
                f"np.where(filled, {MEAN}, 0)",
                "(sums / np.bincount(group))[group]",
            ),
            Mistake("the mean of a group counts its empty bins", MEAN, "sums[group] / np.bincount(group)[group]"),
            Mistake("every bin of a group gets the sum, not the mean", MEAN, "sums[group]"),
            Mistake("Q is not divided by its sum", "/ Q.sum()", "/ P.sum()"),
            Mistake("P and Q are swapped: KL is not symmetric", "p @ np.log(p / q)", "q @ np.log(q / p)"),
            Mistake("log2 counts bits: want the natural logarithm", "np.log(p / q)", "np.log2(p / q)"),
            Mistake(
                "groups begin at floor(k i / levels)",
                "arange(i) * levels //",
                "arange(levels - 1, i * levels, levels) //",
            ),
            Mistake("a Q of 0 where P is not is left out: want infinity", "    return np.inf", "    P[Q == 0] = 0"),
        ),
    ),
)


def finale() -> str:
    """Train LeNet-300-100, at last on gradients of few levels, quantize it, and run it in integers: all images by the
    library's kernels, and a few by the definition."""
    import numpy as np

    from lightnn import compress, data, metrics, models, optim
    from lightnn import functional as F
    from lightnn.kernels.quantized.requantize import requantized
    from lightnn.runtime import lower_integers
    from lightnn.runtime.integers.layers import integer_weight
    from lightnn.tensor import Tensor
    from lightnn.training import predict, train

    def choose(seen, bits):  # the output has numbers on both sides of 0
        return (compress.entropy_range if seen.lowest < 0 else compress.mse_range)(seen, bits)

    mnist, net, sent = data.load_mnist(), models.lenet_300_100(rng=0), 0
    sgd = optim.SGD(net.parameters(), 0.1, momentum=0.9)
    train(net, (mnist.x_train[:50000], mnist.y_train[:50000]), epochs=1, optimizer=sgd, progress=False)
    codecs = [compress.QSGD(p.shape, levels=7, rng=0) for p in net.parameters()]
    for i in range(50000, 60000, 2000):
        loss = F.cross_entropy(net(Tensor(mnist.x_train[i : i + 2000])), mnist.y_train[i : i + 2000])
        sgd.zero_grad()
        loss.backward()
        for p, codec in zip(net.parameters(), codecs):
            message = codec.encode(p.grad)
            p.grad, sent = codec.decode(message), sent + len(message)
        sgd.step()
    shape, x = (1, 1, 28, 28), mnist.x_test
    even = compress.equalize(net.eval(), shape)
    assert np.abs(predict(even, x) - predict(net, x)).max() < 1e-3, "the equalized network computes something else"
    fake = compress.quantize(even, mnist.x_train[:500], per_channel=False, choose=choose)
    run = lower_integers(fake, shape)
    classes = [predict(n, x).argmax(1) for n in (net, fake, run)]
    before, _, after = (100 * (c != mnist.y_test).mean() for c in classes)
    assert after < before + 0.3, f"8 bits cost too much: {before:.2f} % error become {after:.2f} %"
    q = codes = run.lines[0].run(x[:20])
    weights = [integer_weight(layer.weight)[0].astype(np.int32) for layer in fake.modules() if hasattr(layer, "weight")]
    for line in run.lines[1:-1]:
        codes = line.run(codes)
        q = requantized(q.astype(np.int32) @ weights.pop(0).T, line.run.out) if line.op == "linear" else line.run(q)
    assert np.array_equal(q, codes), "your high_mul and divide_by_power give other codes than the kernels"
    held, floats = sum(a.nbytes for a in run.stored().values()), 4 * metrics.count_parameters(net)
    return (
        f"Your functions turn LeNet-300-100, {floats:,} bytes, into integers of {held:,} bytes: {after:.2f} % error; "
        f"in floats, {before:.2f} %. {(classes[1] == classes[2]).sum():,} of {len(x):,} images get the class that fake "
        f"quantization gives them. Its last 5 steps sent {floats * 5 / sent:.0f} times fewer bytes of gradients."
    )
