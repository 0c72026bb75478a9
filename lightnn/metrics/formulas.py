"""What a structure costs and sees, by formula, before any network is built. trace counts the same in a run.

Nothing is checked."""

from lightnn.exercise import exercise


@exercise("11.2")
def bottleneck_macs(c, width, size, stride=1):
    """MACs of a bottleneck block on an image of size x size with c channels (He et al. 2016, arXiv 1512.03385, figure
    5; the stride in the 3x3, as in torchvision):

        1x1, c to width | 3x3, stride, width to width | 1x1, width to 4 width

    and, unless stride is 1 and c = 4 width, a 1x1 of this stride as shortcut, c to 4 width. The 3x3 has one pixel of
    zeros around its image; so what has the stride gives ceil(size / stride) pixels a side. One multiplication and one
    addition are one MAC; batch norm, biases and the sum are not counted. All arguments are ints >= 1; returns an int.
    """
    before, after = size**2, (-(-size // stride)) ** 2
    macs = before * c * width + after * 9 * width * width + after * width * 4 * width
    return macs + (after * c * 4 * width if stride > 1 or c != 4 * width else 0)


@exercise("11.3")
def dense_channels(c, growth, blocks):
    """How many channels each layer of a DenseNet reads, a list of lists of ints: one list a block, one int a layer
    (Huang et al. 2017, arXiv 1608.06993, section 3).

    c channels come into the first block. A layer reads all channels that there are and puts `growth` new ones beside
    them, for the next layer. Between two blocks a transition halves the channels, rounded down; there is none after the
    last block. blocks: the number of layers of each block. All are ints >= 1.
    """
    found = []
    for layers in blocks:
        found.append([c + i * growth for i in range(layers)])
        c = (c + layers * growth) // 2
    return found


@exercise("11.4")
def receptive_field(layers):
    """(field, jump) behind a chain of convolutions or poolings, each (kernel, stride, dilation), the first one first.

    field: how many pixels of a row of the image one output sees, from the first to the last, pixels that it skips
    included. jump: how many pixels of the image lie between two neighbouring outputs. Before the first layer both are
    1. A layer looks at `kernel` outputs of the one before, `dilation` apart, and gives every stride-th result:

        field + (kernel - 1) dilation jump,   jump stride

    All are ints >= 1; an empty list gives (1, 1).
    """
    field, jump = 1, 1
    for kernel, stride, dilation in layers:
        field += (kernel - 1) * dilation * jump
        jump *= stride
    return field, jump
