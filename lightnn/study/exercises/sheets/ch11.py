"""Chapter 11, network structure: shortcuts, bottlenecks, dense connections, how far a pixel sees, and mIoU."""

import lightnn.functional.plain
import lightnn.metrics  # noqa: F401  (their exercises register themselves)
from lightnn.study.exercises.sheets import Mistake, Sheet

FIRST = "np.maximum(conv2d(x, w1, (stride, stride), (1, 1, 1, 1), (1, 1)), 0)"
LAST = "np.maximum(y + shortcut, 0)"
SIDES = "(more // 2, more - more // 2)"
MACS = "before * c * width + after * 9 * width * width + after * width * 4 * width"
SHORTCUT = "stride > 1 or c != 4 * width"
HALVED = "(c + layers * growth) // 2"

SHEETS = (
    Sheet(
        "11.1",
        "A residual block",
        "easy",
        "y = relu(conv(relu(conv(x, w1)), w2) + shortcut(x))",
        (
            "conv2d(x, w, stride, padding, dilation) of this file computes the convolutions: stride and dilation are "
            "pairs, and padding is (1, 1, 1, 1) for both.",
            "x[:, :, ::stride, ::stride] are the pixels of the shortcut; np.pad adds zeros along the channels.",
            "Two ReLUs: one between the convolutions, one after the sum. np.maximum(y, 0) is a ReLU.",
        ),
        (
            Mistake("the shortcut is missing", LAST, "np.maximum(y, 0)"),
            Mistake("the second ReLU comes before the sum: want it after", LAST, "np.maximum(y, 0) + shortcut"),
            Mistake("no ReLU follows the sum", LAST, "y + shortcut"),
            Mistake("no ReLU stands between the convolutions", FIRST, FIRST[len("np.maximum(") : -len(", 0)")]),
            Mistake("all new channels are behind: want half of them before", SIDES, "(0, more)"),
            Mistake(
                "of an odd number of new channels, the larger half is behind", SIDES, "(more - more // 2, more // 2)"
            ),
            Mistake(
                "the shortcut takes the mean of the pixels: want the first of them",
                "x[:, :, ::stride, ::stride]",
                "x.reshape(*x.shape[:2], x.shape[2] // stride, stride, -1, stride).mean((3, 5), dtype=x.dtype)",
            ),
            Mistake(
                "the second convolution has the stride: want it in the first",
                "conv2d(y, w2, (1, 1), (1, 1, 1, 1), (1, 1))",
                "conv2d(np.maximum(conv2d(x, w1, (1, 1), (1, 1, 1, 1), (1, 1)), 0), w2, (stride, stride), "
                "(1, 1, 1, 1), (1, 1))",
            ),
        ),
    ),
    Sheet(
        "11.2",
        "What a bottleneck costs",
        "easy",
        "MACs = s^2 c w + t^2 9 w^2 + t^2 w 4w  (+ t^2 c 4w),   t = ceil(s / stride)",
        (
            "A k x k convolution from a to b channels has k k a b MACs for each pixel that it gives.",
            "The first 1x1 gives size^2 pixels, all others ceil(size / stride)^2: -(-size // stride) rounds up.",
            "The shortcut has a 1x1 unless stride == 1 and c == 4 * width.",
        ),
        (
            Mistake("the 3x3 is counted as a 1x1", "after * 9 *", "after *"),
            Mistake("the stride is in the first 1x1: want it in the 3x3", "before * c * width", "after * c * width"),
            Mistake("the 3x3 is counted without its stride", "after * 9 * width", "before * 9 * width"),
            Mistake("the shortcut's 1x1 is never counted", f"(after * c * 4 * width if {SHORTCUT} else 0)", "0"),
            Mistake("the shortcut's 1x1 is always counted", f" if {SHORTCUT} else 0", ""),
            Mistake("the shortcut is counted only where the stride is above 1", SHORTCUT, "stride > 1"),
            Mistake("pixels are rounded down: want ceil", "(-(-size // stride)) ** 2", "(size // stride) ** 2"),
            Mistake(
                "the last 1x1 gives width channels: want 4 width", "after * width * 4 * width", "after * width * width"
            ),
            Mistake("a MAC is counted as two", f"macs = {MACS}", f"macs = 2 * ({MACS})"),
        ),
    ),
    Sheet(
        "11.3",
        "The channels of a DenseNet",
        "easy",
        "layer l of a block reads c + (l - 1) k channels;   a transition: c -> c / 2",
        (
            "One list a block; in it, layer i (from 0) reads c + i * growth.",
            "A block of L layers leaves c + L * growth channels; the next block gets half of them.",
            "// rounds down. Nothing after the last block is asked for.",
        ),
        (
            Mistake("the transitions do not halve", HALVED, "c + layers * growth"),
            Mistake("only the new channels are halved: want all", HALVED, "c + layers * growth // 2"),
            Mistake("a layer reads only what the one before gave", "c + i * growth for", "(growth if i else c) for"),
            Mistake("the layers count from 1: the first reads c", "c + i * growth for", "c + (i + 1) * growth for"),
            Mistake("the last layer of a block adds nothing", HALVED, "(c + (layers - 1) * growth) // 2"),
            Mistake("half of an odd number is rounded up", HALVED, "(c + layers * growth + 1) // 2"),
            Mistake("all layers are in one list: want one a block", "found.append(", "found.extend("),
        ),
    ),
    Sheet(
        "11.4",
        "How far a pixel sees",
        "middle",
        "field <- field + (kernel - 1) dilation jump,   jump <- jump stride",
        (
            "Begin with field, jump = 1, 1 and go through the layers.",
            "(kernel - 1) dilation steps on the layer's input are that many times jump pixels of the image.",
            "Change field first, with the jump before this layer, then jump.",
        ),
        (
            Mistake("the dilation is left out", "(kernel - 1) * dilation * jump", "(kernel - 1) * jump"),
            Mistake("the jump is left out: a step on a small map is many pixels", "dilation * jump", "dilation"),
            Mistake("kernel for kernel - 1", "(kernel - 1) * dilation", "kernel * dilation"),
            Mistake(
                "the layer's own stride is in its field: want the jump before it",
                "(kernel - 1) * dilation * jump",
                "(kernel - 1) * dilation * jump * stride",
            ),
            Mistake("strides are added: want their product", "jump *= stride", "jump += stride - 1"),
            Mistake("field and jump are in the wrong order", "return field, jump", "return jump, field"),
            Mistake("the field begins with 0: want 1", "field, jump = 1, 1", "field, jump = 0, 1"),
        ),
    ),
    Sheet(
        "11.5",
        "Zeros that keep the size",
        "middle",
        "p = max((ceil(n / s) - 1) s + (k - 1) d + 1 - n, 0);   p // 2 before, the rest behind",
        (
            "-(-size // stride) is ceil(size / stride), the number of outputs.",
            "The last output begins at (outputs - 1) stride and reaches (kernel - 1) dilation + 1 pixels.",
            "An odd p has its larger half behind the last pixel.",
        ),
        (
            Mistake("the dilation is left out", "(kernel - 1) * dilation + 1", "kernel"),
            Mistake(
                "kernel * dilation for (kernel - 1) dilation + 1", "(kernel - 1) * dilation + 1", "kernel * dilation"
            ),
            Mistake("an odd p has its larger half before", "p // 2, p - p // 2", "p - p // 2, p // 2"),
            Mistake("all zeros are behind", "p // 2, p - p // 2", "0, p"),
            Mistake(
                "the stride is left out: these are PyTorch's symmetric zeros",
                "max((outputs - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)",
                "(kernel - 1) * dilation",
            ),
            Mistake("p can be below 0: want at least 0", "max((outputs", "min((outputs"),
            Mistake("outputs are rounded down: want ceil", "-(-size // stride)", "size // stride"),
        ),
    ),
    Sheet(
        "11.6",
        "Mean intersection over union",
        "middle",
        "IoU_i = n_ii / (sum_j n_ij + sum_j n_ji - n_ii),   mIoU = mean over the classes that occur",
        (
            "np.diag(n) are the n_ii; n.sum(0) and n.sum(1) are the sums over columns and rows.",
            "A class with union 0 does not occur: leave it out before you divide.",
            "float(...) makes Python's number of NumPy's.",
        ),
        (
            Mistake(
                "the intersection is counted twice in the union",
                "n.sum(0) + n.sum(1) - np.diag(n)",
                "n.sum(0) + n.sum(1)",
            ),
            Mistake(
                "divided by the pixels of the class: that is recall", "n.sum(0) + n.sum(1) - np.diag(n)", "n.sum(1)"
            ),
            Mistake("divided by what is called so: that is precision", "n.sum(0) + n.sum(1) - np.diag(n)", "n.sum(0)"),
            Mistake(
                "classes that do not occur count as 0: leave them out",
                "np.mean(both[either > 0] / either[either > 0])",
                "np.sum(both[either > 0] / either[either > 0]) / len(n)",
            ),
            Mistake(
                "all pixels are put together: want the mean of the classes",
                "np.mean(both[either > 0] / either[either > 0])",
                "both.sum() / either.sum()",
            ),
            Mistake(
                "this is the fraction of right pixels",
                "np.mean(both[either > 0] / either[either > 0])",
                "both.sum() / n.sum()",
            ),
        ),
    ),
)


def finale() -> str:
    """Segment synthetic scenes with a small DeepLab that the reader's functions describe and judge."""
    import numpy as np

    from lightnn import data, metrics, models
    from lightnn.functional import plain
    from lightnn.functional.shape import same_padding
    from lightnn.papers.deeplab import segmentation

    bottleneck = models.resnet.Bottleneck(32, 8, 1, 1, 0)
    assert metrics.bottleneck_macs(32, 8, 12) == metrics.count_macs(bottleneck, (1, 32, 12, 12)), "11.2 miscounts"
    reads = metrics.dense_channels(64, 32, (6, 12, 24, 16))
    field, _ = metrics.receptive_field([(3, 2, 1)] + [(3, 1, d) for d in segmentation.WAYS["dilation"][0]])
    x = np.random.default_rng(0).random((1, 4, 6, 6))
    y = plain.residual_block(x, np.zeros((4, 4, 3, 3)), np.zeros((4, 4, 3, 3)), 1)
    assert np.array_equal(y, x) and same_padding(64, 3, 1, 8) == (8, 8), "zero weights must pass x on"
    digits = data.load_mnist()
    scenes = data.make_scenes(digits.x_train, digits.y_train, 120, size=64, rng=1)
    test = data.make_scenes(digits.x_test, digits.y_test, 40, size=64, rng=2)
    model = segmentation.network("dilation", rng=0)
    segmentation.train(model, scenes, 3, np.random.default_rng(0))
    n = metrics.confusion(segmentation.segment(model, test.images), test.labels, segmentation.CLASSES)
    reached = f"its mIoU is {100 * metrics.mean_iou(n):.1f} % after a short training"
    return (
        f"your chapter 11: the last layer of DenseNet-121 reads {reads[-1][-1]:,} channels, and a pixel of the small "
        f"DeepLab sees {field} pixels of the image; {reached}"
    )
