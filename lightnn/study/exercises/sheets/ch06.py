"""Chapter 06, product quantization: blocks, the E-step and the M-step, centroids that are trained, and tables."""

import lightnn.compress.quantization.product_codes
import lightnn.functional.plain  # noqa: F401  (their exercises register themselves)
from lightnn.study.exercises.sheets import Mistake, Sheet

BYTES = "n / d * np.log2(k) / 8 + 2 * k * d"
BLOCKS = "np.array(w).reshape(-1, d)"
COUNT_4 = "np.maximum(count, 1)[:, None].astype(dc.dtype)"
ERROR = "(e @ G * e).sum()"
DISTANCES = "((c @ G * c).sum(1) - 2 * (v @ G) @ c.T).argmin(1)"
TABLES = "x.reshape(len(x), blocks, c.shape[1]) @ c.T"
SEEN = "v @ (np.linalg.pinv(G, hermitian=True) @ G)"
MEANS = "np.where(count > 0, sums / np.maximum(count, 1), c)"
APART = "c[j], c[m] = c[m] + e, c[m] - e"
HALVES = "count[j], count[m] = count[m] // 2, count[m] - count[m] // 2"

SHEETS = (
    Sheet(
        "06.1",
        "What codes and centroids weigh",
        "easy",
        "bytes = n / d log2(k) / 8 + 2 k d",
        (
            "n / d blocks, each with a code of log2(k) bits; 8 bits are a byte.",
            "k centroids of d numbers, and a float16 has 2 bytes.",
            'n, d, k = options.numbers_above_0("product_bytes", n=n, d=d, k=k) raises the ValueError; float(...) makes '
            "Python's number.",
        ),
        (
            Mistake("the centroids are missing", " + 2 * k * d", ""),
            Mistake("the centroids are counted in float32: want float16, 2 bytes a number", "2 * k * d", "4 * k * d"),
            Mistake("a centroid has d numbers, not one", "2 * k * d", "2 * k"),
            Mistake("a code stands for a block, not for a weight: want n / d codes", "n / d * np", "n * np"),
            Mistake("log2(k) is rounded up to whole bits", "np.log2(k)", "np.ceil(np.log2(k))"),
            Mistake("a code is counted as k bits: want log2(k)", "np.log2(k)", "k"),
            Mistake("the codes are in bits: want bytes", "np.log2(k) / 8", "np.log2(k)"),
            Mistake("log2(k) is the logarithm to the base 2, not the natural one", "np.log2(k)", "np.log(k)"),
            Mistake(
                "numbers that are not above 0 are not refused",
                '    n, d, k = options.numbers_above_0("product_bytes", n=n, d=d, k=k)\n',
                "",
            ),
        ),
    ),
    Sheet(
        "06.2",
        "How many centroids a layer bears",
        "easy",
        "min(k, the largest 2^i < n / 4), at least 1",
        (
            "Start with most = 1 and double it as long as the double is below n / 4.",
            "n / BLOCKS_A_CENTROID is n / 4, not rounded; below is <, not <=.",
            "The smaller one of k and most.",
        ),
        (
            Mistake("n / 4 itself counts as below n / 4", "< n / BLOCKS", "<= n / BLOCKS"),
            Mistake("the power of two is above n / 4: want the one below", "2 * most < n", "most < n"),
            Mistake("compared with n: want n / 4", "< n / BLOCKS_A_CENTROID", "< n"),
            Mistake("n / 4 is rounded down", "n / BLOCKS", "n // BLOCKS"),
            Mistake("more than k centroids come out: want the smaller one", "return min(k, most)", "return most"),
            Mistake("k is not clamped at all", "return min(k, most)", "return k"),
        ),
    ),
    Sheet(
        "06.3",
        "The blocks of a weight",
        "easy",
        "w (O, n d)  ->  v (O n, d)",
        (
            "Each output's weights lie one after another in memory: reshape takes them in this order.",
            "reshape(-1, d) counts the rows by itself; np.array(w) first makes a copy.",
            "The rows of w must be cut evenly: w[0].size % d == 0, which is more than w.size % d == 0.",
            'options.count("blocks_of: d", d) refuses a d that is no int >= 1.',
        ),
        (
            Mistake(
                "the blocks go across the outputs: want pieces of one output's weights",
                BLOCKS,
                "np.array(w).reshape(len(w), -1).T.reshape(-1, d)",
            ),
            Mistake(
                "the blocks of an output are interleaved: want neighbouring weights",
                BLOCKS,
                "np.array(w).reshape(len(w), d, -1).swapaxes(1, 2).reshape(-1, d)",
            ),
            Mistake(
                "the first blocks of all outputs come first: want all of the first output",
                BLOCKS,
                "np.array(w).reshape(len(w), -1, d).swapaxes(0, 1).reshape(-1, d)",
            ),
            Mistake("blocks are columns: want rows", BLOCKS, "np.array(w).reshape(-1, d).T"),
            Mistake("the result is float64: want w's dtype", "np.array(w)", "np.array(w, np.float64)"),
            Mistake(
                "a block may not reach into the next output: want d to divide w[0].size", "w[0].size % d", "w.size % d"
            ),
        ),
    ),
    Sheet(
        "06.4",
        "A centroid's step",
        "easy",
        "dc_j / |J_j|,   J_j = {p : I_p = j}",
        (
            "np.bincount counts how often each number comes; it wants a flat array.",
            "minlength=len(dc) counts centroids that have no blocks, too.",
            "np.maximum(count, 1) divides a sum of 0 by 1. float32 by int64 gives float64: count.astype first.",
        ),
        (
            Mistake("the sum stays a sum: want the mean over the centroid's blocks", f" / {COUNT_4}", " * 1"),
            Mistake("the sum is multiplied by the number of blocks", f"dc / {COUNT_4}", f"dc * {COUNT_4}"),
            Mistake("all sums are divided by the number of all blocks", COUNT_4, "dc.dtype.type(codes.size)"),
            Mistake("all sums are divided by the number of centroids", COUNT_4, "dc.dtype.type(len(dc))"),
            Mistake("a centroid without blocks gives 0 / 0: want 0", "np.maximum(count, 1)", "np.maximum(count, 0)"),
            Mistake("one block more is counted for each", "np.maximum(count, 1)", "(count + 1)"),
            Mistake("the result must have the dtype of dc", ".astype(dc.dtype)", ""),
            Mistake("the root of the number of blocks stands below", COUNT_4, f"np.sqrt({COUNT_4})"),
        ),
    ),
    Sheet(
        "06.5",
        "What codes and centroids cost",
        "middle",
        "sum_p (v_p - c_(I_p))' G (v_p - c_(I_p))",
        (
            "c[codes] puts its centroid in the place of each block; e = v - c[codes] are the errors (n, d).",
            "e' G e of each row: the products of e @ G and e, added up.",
            "(e @ G * e).sum() adds over the blocks, too; float(...) makes Python's number.",
        ),
        (
            Mistake("G is left out: this is plain product quantization's error", ERROR, "(e * e).sum()"),
            Mistake("only G's diagonal counts: want all of G", ERROR, "(e * np.diag(G) * e).sum()"),
            Mistake("G counts twice: want e' G e", ERROR, "(e @ G @ G * e).sum()"),
            Mistake("the mean over the blocks: want the sum", ERROR, "(e @ G * e).sum() / max(len(v), 1)"),
            Mistake("the root of the error", ERROR, "(e @ G * e).sum() ** 0.5"),
            Mistake("all errors are put together: want a sum over blocks", ERROR, "(e.sum(0) @ G @ e.sum(0))"),
            Mistake("half of the error", ERROR, "(e @ G * e).sum() / 2"),
        ),
    ),
    Sheet(
        "06.6",
        "The E-step",
        "middle",
        "I_p = argmin_j (v_p - c_j)' G (v_p - c_j)",
        (
            "v[:, None] - c are all differences (n, k, d); with @ G and a product, their distances (n, k).",
            "Less memory: (v - c)' G (v - c) = v' G v - 2 v' G c + c' G c, and v' G v is the same for all centroids.",
            "(c @ G * c).sum(1) are the c' G c, (v @ G) @ c.T the v' G c; argmin(1) takes the first of equal ones.",
        ),
        (
            Mistake(
                "G is left out: want the distance in the norm of the inputs",
                DISTANCES,
                "((c * c).sum(1) - 2 * v @ c.T).argmin(1)",
            ),
            Mistake(
                "only G's diagonal counts: want all of G",
                DISTANCES,
                "((c * np.diag(G) * c).sum(1) - 2 * (v * np.diag(G)) @ c.T).argmin(1)",
            ),
            Mistake(
                "G counts twice: want (v - c)' G (v - c)",
                DISTANCES,
                "((c @ G @ G * c).sum(1) - 2 * (v @ G @ G) @ c.T).argmin(1)",
            ),
            Mistake("c' G c is missing: the largest product is not the nearest", "(c @ G * c).sum(1) - 2", "0 - 2"),
            Mistake("the 2 of 2 v' G c is missing", " - 2 * (v", " - (v"),
            Mistake("the farthest centroid is chosen", "argmin", "argmax"),
            Mistake(
                "the nearest block of each centroid: want the nearest centroid of each block", "argmin(1)", "argmin(0)"
            ),
            Mistake(
                "of equally near centroids, the last one is chosen",
                DISTANCES,
                "len(c) - 1 - ((c @ G * c).sum(1) - 2 * (v @ G) @ c.T)[:, ::-1].argmin(1)",
            ),
        ),
    ),
    Sheet(
        "06.7",
        "A product by tables",
        "middle",
        "T[i, b, j] = x_i's block b . c[j],   y[i, o] = sum_b T[i, b, codes[o, b]]",
        (
            "x.reshape(N, B, d) are the blocks; @ c.T gives all products with the centroids, (N, B, k).",
            "For output o: T[:, b, codes[o, b]] over all b. Two arrays as indices go hand in hand.",
            "T[:, np.arange(B), codes] has the shape (N, O, B): np.arange(B) is repeated for each output.",
        ),
        (
            Mistake(
                "the blocks of x are interleaved: want neighbouring numbers",
                TABLES,
                "x.reshape(len(x), c.shape[1], blocks).swapaxes(1, 2) @ c.T",
            ),
            Mistake(
                "every block looks in the first block's table",
                "T[:, np.arange(blocks), codes]",
                "T[:, np.arange(blocks) * 0, codes]",
            ),
            Mistake("the mean over the blocks: want the sum", ".sum(2)", ".mean(2)"),
            Mistake("the largest entry: want the sum over the blocks", ".sum(2)", ".max(2)"),
            Mistake(
                "the blocks are taken from the last to the first",
                "T[:, np.arange(blocks), codes]",
                "T[:, np.arange(blocks)[::-1], codes]",
            ),
            Mistake("the last block is left out", ".sum(2)", "[:, :, :-1].sum(2)"),
            Mistake("y is (O, N): want (N, O)", ".sum(2)", ".sum(2).T"),
            Mistake("the result is always float64: want the dtype of x", ".sum(2)", ".sum(2, dtype=np.float64)"),
        ),
    ),
    Sheet(
        "06.8",
        "The M-step",
        "hard",
        "c_j = mean of pinv(G) G v_p over I_p = j",
        (
            "P = np.linalg.pinv(G, hermitian=True) @ G is symmetric: v @ P are all P v_p at once.",
            "np.add.at(sums, codes, rows) adds each row where its code says; sums[codes] += rows does not.",
            "np.bincount(codes, minlength=k) are the numbers to divide by; where it is 0, c_j stays.",
        ),
        (
            Mistake("what no input sees stays in: want pinv(G) G v", SEEN, "v"),
            Mistake("G alone: want pinv(G) G", SEEN, "v @ G"),
            Mistake("pinv(G) alone: want pinv(G) G", SEEN, "v @ np.linalg.pinv(G, hermitian=True)"),
            Mistake("the sum of the blocks: want their mean", "sums / np.maximum(count, 1)", "sums"),
            Mistake("a centroid without blocks becomes 0: want it as it was", MEANS, "sums / np.maximum(count, 1)"),
            Mistake(
                "a centroid without blocks loses what no input sees: want it as it was",
                "np.maximum(count, 1), c)",
                "np.maximum(count, 1), c @ np.linalg.pinv(G, hermitian=True) @ G)",
            ),
            Mistake(
                "of a centroid's blocks only the last one counts",
                "np.add.at(sums, codes, v",
                "sums.__setitem__(codes, v",
            ),
            Mistake(
                "half a step from the old centroid",
                "sums / np.maximum(count, 1), c)",
                "(c + sums / np.maximum(count, 1)) / 2, c)",
            ),
        ),
    ),
    Sheet(
        "06.9",
        "A centroid without blocks",
        "hard",
        "c_j = c_m + e,   c_m <- c_m - e,   e ~ N(0, I) 10^-8",
        (
            "count = np.bincount(codes, minlength=k); np.flatnonzero(count == 0) are the empty ones. Copy c first.",
            "m = count.argmax() for each empty j anew; e = rng.standard_normal(d) * STEP_APART.",
            "Both at once: c[j], c[m] = c[m] + e, c[m] - e. Then give j count[m] // 2 and leave the rest to m.",
        ),
        (
            Mistake("c_m itself stays where it is: want c_m - e", APART, "c[j] = c[m] + e"),
            Mistake("c_m goes the same way: want c_m - e", "c[m] + e, c[m] - e", "c[m] + e, c[m] + e"),
            Mistake(
                "the centroid with the fewest blocks is split",
                "count.argmax()",
                "np.where(count > 0, count, 1 << 60).argmin()",
            ),
            Mistake(
                "of several with most blocks, the last one is split",
                "count.argmax()",
                "len(count) - 1 - count[::-1].argmax()",
            ),
            Mistake("all empty ones split the same centroid: its blocks halve each time", HALVES, "count[j] = 0"),
            Mistake(
                "the larger half goes to the new centroid: want count // 2",
                HALVES,
                "count[m], count[j] = count[m] // 2, count[m] - count[m] // 2",
            ),
            Mistake("c is changed: want a copy", "c.copy(), np", "c, np"),
            Mistake("e is not times 10^-8", " * STEP_APART", ""),
            Mistake("e is the same in all d numbers", "rng.standard_normal(c.shape[1])", "rng.standard_normal()"),
            Mistake(
                "e is drawn uniformly: want it normal", "rng.standard_normal(c.shape[1])", "rng.random(c.shape[1])"
            ),
            Mistake("the empty centroid takes c_m's place with no step apart", APART, "c[j] = c[m]"),
        ),
    ),
)


def finale() -> str:
    """Quantize a small network with the reader's functions, and run it by tables."""
    import numpy as np

    from lightnn import compress, data, models, optim, runtime, training
    from lightnn.compress.quantization import product_codes as codes
    from lightnn.functional import plain
    from lightnn.tensor import Tensor

    mnist, net = data.load_mnist(), models.lenet_300_100(rng=0)
    some = mnist.x_train[:10_000], mnist.y_train[:10_000]
    options = {"batch_size": 100, "progress": False}
    training.train(net, some, epochs=2, optimizer=optim.SGD(net.parameters(), lr=0.1, momentum=0.9), **options)
    sizes = {"fc1": 4, "fc2": 4}
    small = compress.quantize_blocks(net, mnist.x_train[:500], sizes, k=64)
    v = compress.blocks_of(net.fc1.weight.data, 4).astype(np.float64)
    own, G = small.fc1.weight.values, codes.input_gram(net.fc1, mnist.x_train[:500].reshape(500, -1), 4)
    c = own.codebook.data.astype(np.float64)
    error = codes.weighted_error(v, c, own.codes.ravel(), G)
    assert error < 0.5 * codes.weighted_error(v, 0 * c, own.codes.ravel(), G), "your codes lose half of the weights"
    sgd = compress.CentroidSGD(small.parameters(), lr=0.05, momentum=0.9)
    before = training.evaluate(small, mnist.x_test, mnist.y_test, progress=False)
    training.train(small, some, epochs=1, optimizer=sgd, loss=training.distil(net, 1, 1), **options)
    after, floats = (training.evaluate(m, mnist.x_test, mnist.y_test, progress=False) for m in (small.eval(), net))
    x = mnist.x_test[:3].reshape(3, -1)
    y = plain.linear_by_tables(x, own.codes, compress.encode(small.fc1.weight).parts["codebook"].astype(np.float32))
    want = runtime.lower(small).fc1(Tensor(x)).data - small.fc1.bias.data
    assert np.allclose(y, want, atol=1e-3), "your tables give other products than the runtime's"
    size = sum(codes.product_bytes(getattr(net, path).weight.size, 4, 64) for path in sizes)
    return (
        f"your chapter 06: the weights of two layers in {size:,.0f} bytes; the network has {100 * floats:.1f} % in "
        f"floats, {100 * before:.1f} % in blocks, and {100 * after:.1f} % with its centroids trained"
    )
