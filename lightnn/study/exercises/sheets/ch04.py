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
            "Before sharing, n weights cost b bits each.",
            "After it, each costs log2(k) bits for the number of its centre, and the k centres cost b bits each.",
            "16 weights of 32 bits with 4 centres: 512 / (32 + 128) = 3.2, the paper's example.",
        ),
        (
            Mistake("the codebook is not counted", " + k * bits)", ")"),
            Mistake("the number of a centre is counted as k bits instead of log2(k)", "n * np.log2(k)", "n * k"),
            Mistake("the natural logarithm does not count bits", "np.log2(k)", "np.log(k)"),
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
            "Forward is one line of indexing.",
            "The gradient of a centre is the SUM over the weights that use it, not their mean.",
            "np.bincount(codes.ravel(), weights, minlength) sums by code; mind unused codes, and the dtype.",
        ),
        (
            Mistake(
                "the mean of the gradients of a centre's weights instead of their sum",
                "np.bincount(codes.ravel(), dy.ravel(), k)",
                "(np.bincount(codes.ravel(), dy.ravel(), k) / np.maximum(np.bincount(codes.ravel(), None, k), 1))",
            ),
            Mistake(
                "only one weight per centre counts: with repeated indices, c[I] += dy keeps the last",
                "lambda dy: np.bincount(codes.ravel(), dy.ravel(), k).astype(dy.dtype)",
                "lambda dy: [g := np.zeros(k, dy.dtype), g.__setitem__(codes, dy)][0]",
            ),
            Mistake("the gradient counts the weights and ignores dy", "dy.ravel(), k)", "np.ones(dy.size), k)"),
        ),
    ),
    Sheet(
        "04.3",
        "Sparse indices with filler zeros",
        "middle",
        "d = gap - 1 in 0 .. 2^b - 1; longer gaps take fillers of the largest step",
        (
            "gaps = differences of the positions, starting from -1. A gap of 1 .. 2^b fits into b bits as gap - 1.",
            "Each filler moves on by 2^b. A gap g needs (g - 1) // 2^b of them.",
            "Find the places of the real entries (a running sum of 1 + fillers), and fill the rest with 2^b - 1.",
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
        ),
    ),
    Sheet(
        "04.4",
        "Share the weights of a layer",
        "middle",
        "w_ij <- c_(I_ij), clustered over the remaining weights only",
        (
            "kmeans gives centres and codes; Codebook(centres, codes) is what p.values should be.",
            "Cluster only what p.support.mask keeps: the zeros would take a centre and attract the others.",
            "Never ask for more centres than weights remain; if none remain, one centre of 0 will do.",
        ),
        (
            Mistake("the pruned zeros are clustered too", "p.support.mask\n", "np.ones(w.shape, bool)\n"),
            Mistake("b bits are taken as b centres: they distinguish 2^b", "2 ** int(bits)", "max(1, int(bits))"),
            Mistake(
                "there may be more centres than weights to cluster",
                "min(2 ** int(bits), int(kept.sum()))",
                "2 ** int(bits)",
            ),
            Mistake("the latent weights are clustered, not those that the network uses", "w = p().data", "w = p.data"),
        ),
    ),
    Sheet(
        "04.5",
        "k-means in one dimension",
        "hard",
        "argmin_c sum_i min_j |w_i - c_j|^2",
        (
            "Lloyd: assign each weight to its nearest centre, move each centre to the mean of its weights, repeat.",
            "In one dimension a cluster is an interval: sort w, and np.searchsorted finds the borders (midpoints).",
            "A cluster without weights keeps its centre. Stop when nothing moves; return centres ascending, and codes.",
        ),
        (
            Mistake(
                "a cluster's centre is the median of its weights, not the mean",
                "np.diff(running[ends]) / np.maximum(count, 1)",
                "order[np.minimum((ends[1:] + ends[:-1]) // 2, w.size - 1)]",
            ),
            Mistake("an empty cluster's centre jumps to 0", "np.maximum(count, 1), c)", "np.maximum(count, 1), 0)"),
            Mistake("it stops after one iteration", "for _ in range(iterations):", "for _ in range(1):"),
            Mistake("the centres never move from where they started", "c = np.sort(means)", "c = np.sort(c)"),
        ),
    ),
    Sheet(
        "04.6",
        "Huffman's code lengths",
        "hard",
        "min sum_s counts_s length_s over all prefix codes",
        (
            "Keep a heap of trees by total count; join the two smallest until one is left.",
            "A symbol's code gets one bit longer each time its tree is joined.",
            "Symbols that never occur get 0. A single symbol gets 1, not 0: codes of no bits can't be counted.",
        ),
        (
            Mistake("a single symbol gets a code of no bits", "lengths[used] = 1", "lengths[used] = 0"),
            Mistake("symbols that never occur get a code too", "np.flatnonzero(counts)", "np.arange(len(counts))"),
            Mistake("a joined tree gets only one of the two counts, not their sum", "(a + b, tie", "(max(a, b), tie"),
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
        ),
    ),
    Sheet(
        "04.7",
        "The codes of powers of two",
        "hard",
        "w = sign(w) 2^e,   e = clip(round(log2 |w|))",
        (
            "Round the logarithm, not the weight: between 2 and 4 the border is 2.83, where log2 is 1.5.",
            "Place 1 is the exponent top - n + 1 and place n is top, so place = e - top + n, clipped to 0 .. n.",
            "A weight of 0 has no logarithm: its code is 0. The code of a negative weight is negative.",
        ),
        (
            Mistake("the exponent is rounded down", "np.rint(np.log2(", "np.floor(np.log2("),
            Mistake("negative weights lose their sign", "np.sign(w) * np.clip", "np.sign(np.abs(w)) * np.clip"),
            Mistake("the places are off by one", "e - top + n, 0, n", "e - top + n - 1, 0, n"),
            Mistake(
                "a weight above the range becomes 0",
                "np.clip(e - top + n, 0, n)",
                "np.maximum(e - top + n, 0) * (e <= top)",
            ),
            Mistake("one exponent too many for the bits", "n = 2 ** (bits - 1) - 1", "n = 2 ** (bits - 1)"),
        ),
    ),
)


def finale():
    return "it works"
