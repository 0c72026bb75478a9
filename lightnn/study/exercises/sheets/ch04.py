"""Chapter 04, Deep Compression: weight sharing, sparse indices, Huffman codes (arXiv 1510.00149)."""

import lightnn.compress
import lightnn.io  # noqa: F401  (their exercises register themselves)
from lightnn.study.exercises.sheets import Mistake, Sheet

SHEETS = (
    Sheet(
        "04.1",
        "The compression rate of weight sharing",
        "easy",
        "r = n b / (n log2(k) + k b)",
        (
            "Before sharing, n weights cost b bits each: that is the numerator.",
            "After it, a weight costs log2(k) bits for the number of its centre, and the k centres cost b bits each.",
            "16 weights of 32 bits with 4 centres: 512 / (16 * 2 + 4 * 32) = 512 / 160 = 3.2. np.log2 or math.log2.",
        ),
        (
            Mistake("the codebook is not counted", " + k * bits)", ")"),
            Mistake("the number of a centre takes log2(k) bits: not k, and not log2(n)", "n * np.log2(k)", "n * k"),
            Mistake("the natural logarithm does not count bits", "np.log2(k)", "np.log(k)"),
            Mistake("log2(k) is rounded up to whole bits", "np.log2(k)", "np.ceil(np.log2(k))"),
            Mistake("a centre is counted as one bit instead of b bits", " + k * bits)", " + k)"),
            Mistake(
                "the rate is upside down",
                "n * bits / (n * np.log2(k) + k * bits)",
                "(n * np.log2(k) + k * bits) / (n * bits)",
            ),
        ),
    ),
    Sheet(
        "04.2",
        "Look up shared weights; the gradient of the centres",
        "easy",
        "w = c[I],   dL/dc_k = sum_ij dL/dw_ij 1(I_ij = k)",
        (
            "Forward is one line of indexing. Return a pair: w, and a function of dy, which is dL/dw.",
            "That function returns a vector as long as the codebook: for each centre the SUM of dy over its weights.",
            "np.bincount(codes.ravel(), dy.ravel(), len(codebook)) sums by code, with a 0 for a code that is not used.",
        ),
        (
            Mistake(
                "the mean of the gradients of a centre's weights instead of their sum",
                "np.bincount(codes.ravel(), dy.ravel(), k)",
                "(np.bincount(codes.ravel(), dy.ravel(), k) / np.maximum(np.bincount(codes.ravel(), None, k), 1))",
            ),
            Mistake(
                "only one weight per centre counts: with repeated indices, g[codes] += dy adds only the last",
                "lambda dy: np.bincount(codes.ravel(), dy.ravel(), k).astype(dy.dtype)",
                "lambda dy: [g := np.zeros(k, dy.dtype), g.__setitem__(codes, dy)][0]",
            ),
            Mistake("the gradient counts the weights and ignores dy", "dy.ravel(), k)", "np.ones(dy.size), k)"),
            Mistake(
                "the gradient ends at the highest code that is used: np.bincount needs its minlength",
                "dy.ravel(), k)",
                "dy.ravel())",
            ),
        ),
    ),
    Sheet(
        "04.3",
        "Sparse indices with filler zeros",
        "middle",
        "d = gap - 1 in 0 .. 2^b - 1; longer gaps take fillers of the largest step",
        (
            "np.diff(positions, prepend=-1) gives the gaps. A gap from 1 to 2^bits fits into `bits` bits as gap - 1.",
            "A filler moves on by 2^bits. A gap g needs (g - 1) // 2^bits of them; then g - fillers * 2^bits is left.",
            "Position i is the entry cumsum(1 + fillers)[i] - 1; all other entries are fillers, 2^bits - 1. "
            "A loop that appends to two lists will do as well.",
        ),
        (
            Mistake("the first position is counted from 0 instead of -1", "prepend=-1)\n    if", "prepend=0)\n    if"),
            Mistake(
                "a gap of exactly 2^b gets a filler: b bits reach 2^b, not only 2^b - 1",
                "(gaps - 1) // reach",
                "gaps // reach",
            ),
            Mistake(
                "a filler stores 2^b, which b bits can't hold",
                "np.full(is_filler.size, reach - 1, ",
                "np.full(is_filler.size, reach, ",
            ),
            Mistake(
                "a filler is counted as moving by 2^b - 1, not 2^b",
                "gaps - 1 - fillers * reach",
                "gaps - 1 - fillers * (reach - 1)",
            ),
            Mistake("the steps are stored as they are, not less 1", "gaps - 1 - fillers", "gaps - fillers"),
            Mistake(
                "a filler stands after the position that it should lead to",
                "ends = np.cumsum(fillers + 1) - 1\n",
                "ends = np.cumsum(fillers + 1) - 1 - fillers\n",
            ),
            Mistake("a gap gets one filler at most", "(gaps - 1) // reach\n", "np.minimum((gaps - 1) // reach, 1)\n"),
            Mistake(
                "the array is True for a position, not for a filler",
                "return differences, is_filler",
                "return differences, ~is_filler",
            ),
        ),
    ),
    Sheet(
        "04.4",
        "Share the weights of a layer",
        "middle",
        "w_ij <- c_(I_ij), clustered over the remaining weights only",
        (
            "kmeans(w[mask], k) gives centres and codes; Codebook(centres, codes) is what p.values should be.",
            "Cluster only what p.support.mask keeps: the zeros would take a centre and attract the others. Then "
            "put the codes back where they belong: codes = np.zeros(w.shape, int); codes[mask] = ...",
            "Never ask for more centres than weights remain: k = min(2**bits, mask.sum()). If none remain, kmeans has "
            "nothing to cluster: one centre of 0 will do. Pass init and rng=rng on.",
        ),
        (
            Mistake("the pruned zeros are clustered too", "p.support.mask\n", "np.ones(w.shape, bool)\n"),
            Mistake("b bits are taken as b centres: they distinguish 2^b", "2 ** int(bits)", "max(1, int(bits))"),
            Mistake(
                "there may be more centres than weights to cluster",
                "min(2 ** int(bits), int(kept.sum()))",
                "2 ** int(bits)",
            ),
            Mistake(
                "the latent weights are clustered, not those that the network uses", "w = p().data\n", "w = p.data\n"
            ),
            Mistake(
                "the codes are those of the sorted weights, not of the weights where they stand",
                "= kmeans(w[kept], ",
                "= kmeans(np.sort(w[kept]), ",
            ),
            Mistake("p.values is set, but nothing is returned", "    return p.values\n", "    return None\n"),
            Mistake("the codes are left 0", "c, codes[kept] = kmeans", "c, _ = kmeans"),
            Mistake("init is not passed on to kmeans", ", init, rng=rng)", ", rng=rng)"),
            Mistake("rng is not passed on to kmeans: after init comes iterations", ", init, rng=rng)", ", init)"),
            Mistake("rng is passed on in the place of kmeans' iterations", ", init, rng=rng)", ", init, rng)"),
            Mistake(
                "the Codebook is returned, but p.values is not set",
                "p.values = Codebook(c.astype(w.dtype), codes)\n    return p.values",
                "return Codebook(c.astype(w.dtype), codes)",
            ),
            Mistake("the centres keep float64, whatever the dtype of w", "c.astype(w.dtype)", "c"),
            Mistake(
                "p.data is overwritten with the shared values",
                "    return p.values\n",
                "    p.data = p().data\n    return p.values\n",
            ),
        ),
    ),
    Sheet(
        "04.5",
        "k-means in one dimension",
        "hard",
        "argmin_c sum_i min_j |w_i - c_j|^2",
        (
            "Lloyd: assign each weight to its nearest centre, move each centre to the mean of its weights, repeat.",
            "A cluster without weights keeps its centre: a mean of nothing is nan. Stop when nothing moves. The codes "
            "must belong to the centres that you return, so assign once more at the end, to the sorted centres.",
            "In one dimension a cluster is an interval: sort w, and np.searchsorted finds its ends, the midpoints of "
            "neighbouring centres; the running sum of the sorted w gives every cluster's sum by two look-ups.",
        ),
        (
            Mistake(
                "a cluster's centre is the median of its weights, not the mean",
                "np.diff(running[ends]) / np.maximum(count, 1)",
                "(order[np.minimum((ends[1:] + ends[:-1]) // 2, w.size - 1)] + "
                "order[np.maximum((ends[1:] + ends[:-1] - 1) // 2, 0)]) / 2",
            ),
            Mistake("an empty cluster's centre jumps to 0", "np.maximum(count, 1), c)", "np.maximum(count, 1), 0)"),
            Mistake("it stops after one iteration", "for _ in range(iterations):", "for _ in range(1):"),
            Mistake("`iterations` is ignored", "for _ in range(iterations):", "for _ in range(1000):"),
            Mistake(
                "it stops while the centres still move a little",
                "np.array_equal(means, c)",
                "np.abs(means - c).max() < 1e-3",
            ),
            Mistake("the centres never move from where they started", "c = np.sort(means)", "c = np.sort(c)"),
            Mistake(
                "init is ignored: the centres always start equally spaced",
                "np.sort(init(w, k, rng))",
                "np.sort(linear_init(w, k))",
            ),
            Mistake("rng is not passed on to init", "init(w, k, rng))\n    for", "init(w, k))\n    for"),
            Mistake("init always gets the rng 0", "np.sort(init(w, k, rng))", "np.sort(init(w, k, 0))"),
            Mistake(
                "init's centres are taken to be in order", "np.sort(init(w, k, rng))", "np.asarray(init(w, k, rng))"
            ),
            Mistake(
                "the codes are those before the last move of the centres",
                "        means = np.where",
                "        nearest = lambda w, _, c=c: np.searchsorted((c[1:] + c[:-1]) / 2, w)\n"
                "        means = np.where",
            ),
            Mistake(
                "halfway between two centres, the codes go to the upper one",
                "return c, nearest(w, c)",
                'return c, np.searchsorted((c[1:] + c[:-1]) / 2, w, side="right")',
            ),
            Mistake("an array that is not finite is not refused", " or not np.isfinite(w).all()", ""),
        ),
    ),
    Sheet(
        "04.6",
        "Huffman's code lengths",
        "hard",
        "min sum_s counts_s length_s over all prefix codes",
        (
            "Keep a heap of trees (heapq), each with its total count and its symbols; join the two smallest until one "
            "is left.",
            "You need no tree: a symbol's code gets one bit longer each time the tree that it is in is joined.",
            "Symbols that never occur stay out of the heap and keep 0. A single symbol gets 1, not 0: codes of no bits "
            "can't be counted. If the largest length is above LONGEST, start again with (counts + 1) // 2.",
        ),
        (
            Mistake("a single symbol gets a code of no bits", "lengths[used] = 1", "lengths[used] = 0"),
            Mistake("symbols that never occur get a code too", "np.flatnonzero(counts)", "np.arange(len(counts))"),
            Mistake("a joined tree must take its place by the sum of its two counts", "(a + b, tie", "(max(a, b), tie"),
            Mistake(
                "only the symbols of one of the two joined trees get a longer code",
                "lengths[left + right] += 1",
                "lengths[left] += 1",
            ),
            Mistake(
                "all codes have the same length",
                "lengths[left + right] += 1",
                "lengths[used] = max(1, (len(used) - 1).bit_length())",
            ),
            Mistake(
                "the lengths are not limited to LONGEST",
                "lengths if lengths.max() <= LONGEST else code_lengths((counts + 1) // 2)",
                "lengths",
            ),
            Mistake(
                "lengths above LONGEST are cut: some codes then begin others",
                "lengths if lengths.max() <= LONGEST else code_lengths((counts + 1) // 2)",
                "np.minimum(lengths, LONGEST)",
            ),
            Mistake("the halved counts are rounded down: a 1 becomes 0", "(counts + 1) // 2", "counts // 2"),
            Mistake(
                "the two trees that occur most often are joined", "heap = [(int(counts[s])", "heap = [(-int(counts[s])"
            ),
        ),
    ),
    Sheet(
        "04.7",
        "The codes of powers of two",
        "hard",
        "w = sign(w) 2^e,   e = clip(round(log2 |w|))",
        (
            "Round the logarithm, not the weight: between 2 and 4 the border is 2.83, where log2 is 1.5.",
            "Place n is the exponent top, and place 1 is top - n + 1: so place = e - top + n, clipped to 0 .. n.",
            "A weight of 0 has no logarithm: its code is 0. The code of a negative weight is minus its place. Last, "
            "astype(np.int8).",
        ),
        (
            Mistake("the exponent is rounded down", "np.rint(np.log2(", "np.floor(np.log2("),
            Mistake("the exponent is rounded up", "np.rint(np.log2(", "np.ceil(np.log2("),
            Mistake("negative weights lose their sign", "np.sign(w) * np.clip", "np.sign(np.abs(w)) * np.clip"),
            Mistake("the places are off by one", "e - top + n, 0, n", "e - top + n - 1, 0, n"),
            Mistake(
                "a weight above the range becomes 0",
                "np.clip(e - top + n, 0, n)",
                "np.maximum(e - top + n, 0) * (e <= top)",
            ),
            Mistake(
                "a weight below the range takes place 1 instead of the code 0", "e - top + n, 0, n", "e - top + n, 1, n"
            ),
            Mistake("a weight of 0 gets the code of 1", "np.sign(w) *", "np.sign(w + (w == 0)) *"),
            Mistake("the exponents are not clipped", "np.clip(e - top + n, 0, n)", "(e - top + n)"),
            Mistake("one exponent too many for the bits", "n = 2 ** (bits - 1) - 1\n", "n = 2 ** (bits - 1)\n"),
            Mistake(
                "one bit is the sign: there are 2^(bits-1) - 1 places", "n = 2 ** (bits - 1) - 1\n", "n = 2**bits - 1\n"
            ),
        ),
    ),
)


def finale():
    import tempfile

    from lightnn import compress, data, io, models, optim
    from lightnn.training import evaluate, train

    d, model = data.load_mnist(), models.lenet_300_100(rng=0)
    layers = {model.fc1: 0.08, model.fc2: 0.16, model.fc3: 0.48}  # and the fraction of its weights that it keeps

    def fit(lr, images):
        sgd = optim.SGD(model.parameters(), lr, momentum=0.9)
        train(model, (d.x_train[:images], d.y_train[:images]), epochs=1, optimizer=sgd, progress=False)

    fit(0.1, 60000)
    for layer, keep in layers.items():
        compress.prune_to_fraction(layer.weight, keep)
    fit(0.05, 30000)
    for layer in layers:
        compress.share(layer.weight, 4)
        compress.use_powers_of_two(layer.bias, 4)
    fit(0.0005, 1000)  # tunes the centres
    with tempfile.TemporaryDirectory() as folder:
        size = io.save(model, f"{folder}/lenet.lnn")
        error = 100 - 100 * evaluate(
            io.load(f"{folder}/lenet.lnn"), d.x_test, d.y_test, batch_size=2000, progress=False
        )
    alone = compress.sharing_rate(round(0.08 * model.fc1.weight.size), 32, 16)
    return (
        f"Your functions compress LeNet-300-100 to {size:,} bytes, {error:.1f} % error; "
        f"sharing alone makes the weights of fc1 {alone:.1f} times as small"
    )
