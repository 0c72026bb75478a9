"""Chapter 03, filter pruning: which filters to remove, and what depends on them (arXiv 1608.08710)."""

import lightnn.compress  # noqa: F401  (its exercises register themselves)
from lightnn.study.exercises.sheets import Mistake, Sheet

SHEETS = (
    Sheet(
        "03.1",
        "The size of a filter",
        "easy",
        "s_j = sum |F_j|   or   sqrt(sum F_j^2)",
        (
            "A filter is all of w[j]: its input channels, height and width.",
            "Make each filter one row with reshape(len(w), -1), then sum over axis 1.",
            "Both orders are (sum |F|^p)^(1/p). Sum in float64: a million float32 additions drift.",
        ),
        (
            Mistake(
                "the absolute value is missing: weights cancel out",
                "np.abs(np.asarray(w, np.float64))",
                "np.asarray(w, np.float64)",
            ),
            Mistake("the mean of a filter instead of its sum", "(rows**order).sum(1)", "(rows**order).mean(1)"),
            Mistake("the root is missing: a sum of squares is not a norm", " ** (1 / order)", ""),
            Mistake(
                "the scores are those of input channels (axis 1), not of filters",
                "(rows**order).sum(1)",
                "(np.moveaxis(rows.reshape(np.shape(w)), 1, 0).reshape(np.shape(w)[1], -1) ** order).sum(1)",
            ),
            Mistake(
                "the sums are in w's own dtype: float32 rounds, and int8 overflows",
                "np.abs(np.asarray(w, np.float64)).reshape(len(w), -1)",
                "np.abs(w).reshape(len(w), -1)",
            ),
        ),
    ),
    Sheet(
        "03.2",
        "The smallest scores",
        "easy",
        "argsort(s)[: m]",
        (
            "np.argsort gives the indices in the order of the scores.",
            "kind='stable' keeps equal scores in their order; the default need not.",
            "Check the count first; then np.sort the first `count` of these indices.",
        ),
        (
            Mistake("the largest are selected, not the smallest", "[:count])", "[len(scores) - count :])"),
            Mistake(
                "the indices are in the order of the scores, not ascending",
                'np.sort(np.argsort(scores, kind="stable")[:count])',
                'np.argsort(scores, kind="stable")[:count]',
            ),
            Mistake(
                "the scores are returned instead of the indices",
                'np.argsort(scores, kind="stable")[:count]',
                "np.sort(scores)[:count]",
            ),
            Mistake(
                "of equal scores, the last ones count as smaller",
                'np.argsort(scores, kind="stable")[:count]',
                'len(scores) - 1 - np.argsort(scores[::-1], kind="stable")[:count]',
            ),
            Mistake(
                "the absolute values are compared: a negative score is small",
                "argsort(scores, ",
                "argsort(np.abs(scores), ",
            ),
            Mistake(
                "the fractions of the scores are cut off",
                "argsort(scores, ",
                "argsort(np.asarray(scores).astype(int), ",
            ),
            Mistake("a count below 0 is not refused", "if not 0 <= count <= len", "if not count <= len"),
            Mistake("a count above n is not refused", "if not 0 <= count <= len(scores):", "if not 0 <= count:"),
        ),
    ),
    Sheet(
        "03.3",
        "The columns of a flattened channel",
        "easy",
        "column = c H W + i W + j",
        (
            "Flatten lists all pixels of channel 0, then all of channel 1.",
            "So each channel's number is repeated as many times as it has pixels.",
            "np.repeat repeats each element, np.tile the whole list. Without height and width, one column each.",
        ),
        (
            Mistake("the channels alternate: pixels must run fastest", "np.repeat(channels, ", "np.tile(channels, "),
            Mistake("one column per channel: a channel has one for each pixel", "math.prod(size)", "1"),
            Mistake("height and width are added", "math.prod(size)", "max(1, sum(size))"),
            Mistake("one column per row of pixels", "math.prod(size)", "math.prod(size[:1])"),
        ),
    ),
    Sheet(
        "03.4",
        "Greedy scores",
        "middle",
        "s_j = sum over the remaining input channels i of |F_ij|",
        (
            "Which input channels remain? All of axis 1 except `removed`.",
            "np.setdiff1d gives their indices, or np.delete takes the others out (it copies w).",
            "filter_norms(w[:, kept], order) does the rest, also where nothing is kept.",
        ),
        (
            Mistake("the removed channels are counted too: that is the independent strategy", "[:, kept]", "[:, :]"),
            Mistake(
                "only the removed channels are counted",
                "np.setdiff1d(np.arange(np.shape(w)[1]), removed)",
                "np.asarray(removed, int)",
            ),
            Mistake(
                "filters are left out (axis 0) instead of input channels",
                "filter_norms(np.asarray(w)[:, kept], order)",
                "np.where(np.isin(np.arange(len(w)), removed), 0, filter_norms(np.asarray(w), order))",
            ),
            Mistake(
                "the sums are in w's own dtype: float32 rounds, and int8 overflows",
                "filter_norms(np.asarray(w)[:, kept], order)",
                "(np.abs(np.asarray(w)[:, kept]).reshape(len(w), -1) ** order).sum(1) ** (1 / order)",
            ),
            Mistake("order is left out", "[:, kept], order)", "[:, kept])"),
        ),
    ),
    Sheet(
        "03.5",
        "Scores from feature maps",
        "middle",
        "(1/N) sum_i f(x_ij),   f = mean, std, l1, l2",
        (
            "Make each map one row: (N, C, pixels). Take f over the pixels, then the mean over the images.",
            "std is taken over the pixels of one map; then take the mean over the images.",
            "variance-l2: the l2 norm of each map, then its variance over the images.",
        ),
        (
            Mistake(
                "the standard deviation is taken over images and pixels at once",
                '"mean-std": x.std(2)',
                '"mean-std": np.broadcast_to(x.std((0, 2)), l2.shape)',
            ),
            Mistake("the absolute value is missing in l1", "np.abs(x).sum(2)", "x.sum(2)"),
            Mistake(
                "the norm over all images together, not the mean of the images' norms",
                "np.sqrt((x**2).sum(2))",
                "np.broadcast_to(np.sqrt((x**2).sum((0, 2))), x.shape[:2])",
            ),
            Mistake("variance-l2 is the variance over the channels, not over the images", "l2.var(0)}", "l2.var(1)}"),
            Mistake(
                "the standard deviation of each row of pixels, then their mean: want that of the whole map",
                '"mean-std": x.std(2)',
                '"mean-std": np.asarray(maps, np.float64).std(3).mean(2)',
            ),
            Mistake(
                "np.linalg.norm(ord=1) over two axes is a matrix norm, the largest column sum: want the sum of all |x|",
                "np.abs(x).sum(2)",
                "np.linalg.norm(np.asarray(maps, np.float64), 1, (2, 3))",
            ),
            Mistake(
                "np.linalg.norm(ord=2) over two axes is a matrix norm, the largest singular value: want sqrt(sum x^2)",
                "np.sqrt((x**2).sum(2))",
                "np.linalg.norm(np.asarray(maps, np.float64), 2, (2, 3))",
            ),
            Mistake("the squares are divided by n - 1 instead of n", "x.std(2)", "x.std(2, ddof=1)"),
        ),
    ),
    Sheet(
        "03.6",
        "The root of a channel",
        "middle",
        "root(i) = i if parent[i] = i, else root(parent[i])",
        (
            "Follow parent until an element is its own parent.",
            "Before each step, let i skip one: parent[i] = parent[parent[i]]; then go to the new parent[i].",
            "A while loop with these two lines, not recursion, as long as parent[i] != i; then return i.",
        ),
        (
            Mistake(
                "it stops after one step: a parent may have a parent", "while parent[i] != i:", "if parent[i] != i:"
            ),
            Mistake("the path is not shortened, so every search is long", "parent[i] = parent[parent[i]]", "pass"),
            Mistake(
                "it returns the element before the representative",
                "while parent[i] != i:",
                "while parent[parent[i]] != parent[i]:",
            ),
            Mistake(
                "it stops where the parent's number is higher: a representative may have any number",
                "while parent[i] != i:",
                "while parent[i] < i:",
            ),
            Mistake(
                "the way goes on from the parent, so every element gets a new parent, not every second",
                "parent[i] = parent[parent[i]]\n        i = parent[i]",
                "parent[i], i = parent[parent[i]], parent[i]",
            ),
        ),
    ),
    Sheet(
        "03.7",
        "Channels that depend on each other",
        "hard",
        "parent[max(root(a), root(b))] = min(root(a), root(b))",
        (
            "Two sets become one when the representative of one becomes the parent of the other's.",
            "Join the roots, not a and b themselves: otherwise the rest of b's set is left out.",
            "The lower root stays the root. zip(a, b, strict=True) raises the ValueError for unequal lengths.",
        ),
        (
            Mistake(
                "the elements are joined, not their roots: the rest of the set is left out",
                "sorted((root(parent, i), root(parent, k)))",
                "sorted((i, k))",
            ),
            Mistake("the higher root stays the root, not the lower", "parent[high] = low", "parent[low] = high"),
            Mistake(
                "the longer list is cut to the length of the shorter: want a ValueError", "strict=True", "strict=False"
            ),
            Mistake(
                "only the first pair is joined", "in zip(a, b, strict=True)", "in list(zip(a, b, strict=True))[:1]"
            ),
            Mistake("it returns nothing: want the list parent", "    return parent", "    return None"),
            Mistake(
                "a longer b is cut to the length of a: want a ValueError for it, too",
                "zip(a, b, strict=True)",
                "zip(a, b[: len(a)], strict=True)",
            ),
            Mistake(
                "parent itself stays as it was: want the list changed",
                "    for i, k in",
                "    parent = list(parent)\n    for i, k in",
            ),
        ),
    ),
)


def finale() -> str:
    """Thin a residual network and a trained LeNet-5 by the reader's functions, and say what is left."""
    import numpy as np

    from lightnn import compress, data, metrics, models, optim
    from lightnn.tensor import Tensor
    from lightnn.training import evaluate
    from lightnn.training import train as fit

    mnist, shape, errors = data.load_mnist(), (1, 1, 28, 28), []
    x, y = mnist.x_train, mnist.y_train

    def train(net, lr):
        optimizer = optim.SGD(net.parameters(), lr, momentum=0.9)
        fit(net, (x[:6000], y[:6000]), epochs=1, optimizer=optimizer, progress=False)
        errors.append(100 - 100 * evaluate(net, x[-2000:], y[-2000:], progress=False))

    def thinned(net, found, rows):
        cut = compress.plan(net, found, rows)
        thin, masked = (f(net, cut).eval()(Tensor(x[:9])).data for f in (compress.thin, compress.mask_channels))
        assert np.abs(thin - masked).max() < 1e-4, "a thin network does not compute what it did with its filters at 0"
        return compress.thin(net, cut)

    residual, net = models.cifar_resnet(8, 8, True, in_channels=1, rng=0), models.lenet5(rng=0)
    found = compress.channels(residual, shape)
    fractions = dict.fromkeys(("layer1.0.conv1", "layer2.0.downsample.0", "layer3.0.downsample.0"), 0.5)
    thinned(residual, found, compress.select(found, compress.norms(residual, found), fractions))
    train(net, 0.03)
    found = compress.channels(net, shape)
    maps = compress.feature_maps(net, found, x[:200])["fc1"].reshape(200, -1, 1, 1)
    rows = compress.select_greedily(net, found, {"conv1": 0.5, "conv2": 0.6})
    rows |= compress.select(found, {"fc1": compress.map_statistics(maps)["mean-l1"]}, {"fc1": 0.7})
    thin = thinned(net, found, rows)
    train(thin, 0.01)
    parameters = " to ".join(f"{metrics.count_parameters(n):,}" for n in (net, thin))
    macs = " to ".join(f"{metrics.count_macs(n, shape):,}" for n in (net, thin))
    error = " to ".join(f"{e:.1f}" for e in errors)
    return f"Your functions thin LeNet-5: {parameters} parameters, {macs} MACs, {error} % error after one more epoch"
