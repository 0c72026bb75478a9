"""DeepLab V3 (Chen et al. 2017, arXiv 1706.05587): a class for each pixel, from a residual network with holes.

    y[i] = sum_k x[i + r k] w[k]            atrous convolution of rate r (equation 1)

Where ResNet would halve the map for the last two times, stride 1 and a dilation of 2, then 4, keep the pixels and the
field of view. Atrous spatial pyramid pooling (section 3.3) then looks at each place with 3x3 filters of several rates,
a 1x1 and the mean of the image. The classes of every eighth pixel, each way, are interpolated.
"""

from collections.abc import Sequence
from typing import NamedTuple

from lightnn import functional as F
from lightnn import nn, options
from lightnn.models.blocks import checked, conv_norm, scaled
from lightnn.models.registry import Rng, architecture
from lightnn.models.resnet import Stem, bottlenecks
from lightnn.tensor import Tensor

__all__ = ["SegmentationOutputs", "deeplab", "deeplabv3_resnet50"]


def stages(output_stride: int, dilated: bool = True) -> list[tuple[int, tuple[int, int]]]:
    """(stride, (dilation of the first block, of the others)) of each stage. A stage that would leave fewer than
    1 / output_stride of the pixels has stride 1, and doubles the dilation instead (section 3.1)."""
    found, size, dilation = [(1, (1, 1))], 4, 1  # the stem leaves a quarter
    for _ in range(3):
        if size < output_stride:
            size *= 2
            found.append((2, (dilation, dilation)))
            continue
        before, dilation = dilation, 2 * dilation
        found.append((1, (before, dilation) if dilated else (1, 1)))
    return found


class SegmentationOutputs(NamedTuple):
    """What the network gives while it trains with an auxiliary classifier: twice logits (N, num_classes, H, W)."""

    out: Tensor
    aux: Tensor


class AtrousResNet(Stem):
    """ResNet's stem and four stages of bottlenecks, the last ones with dilation instead of stride."""

    def __init__(self, blocks, layout, in_channels, width_mult, rng):
        c = scaled(64, width_mult)
        super().__init__(in_channels, c, rng)
        for i, (count, (stride, dilations)) in enumerate(zip(blocks, layout)):
            width = scaled(64 * 2**i, width_mult)
            setattr(self, f"layer{i + 1}", bottlenecks(c, width, count, stride, rng, dilations))
            c = 4 * width
        self.channels = 4 * scaled(256, width_mult), c

    def forward(self, x):
        """The maps of the third and of the last stage."""
        middle = self.layer3(self.layer2(self.layer1(self.stem(x))))
        return middle, self.layer4(middle)


class ImagePooling(nn.Module):
    """The mean of the image through a 1x1 convolution, at every pixel again; its layers have numbers for names."""

    def __init__(self, c_in, c, rng):
        for i, layer in enumerate((nn.AdaptiveAvgPool2d(1), *conv_norm(c_in, c, 1, rng=rng))):
            setattr(self, str(i), layer)
        self.joined = nn.Identity()

    def forward(self, x):
        y = x
        for _, layer in list(self.members())[:-1]:
            y = layer(y)
        return self.joined(F.resize_bilinear(y, size=x.shape[2:]))


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: 1x1, 3x3 of each rate and the image's mean side by side, then 1x1 (figure 5)."""

    def __init__(self, c_in, c, rates, rng):
        convs = [conv_norm(c_in, c, 1, rng=rng)]
        for rate in rates:
            conv = nn.Conv2d(c_in, c, 3, padding=rate, dilation=rate, bias=False, rng=rng)
            convs.append(nn.Sequential(conv, nn.BatchNorm2d(c), nn.ReLU()))
        convs.append(ImagePooling(c_in, c, rng))
        self.convs = nn.ModuleList(convs)
        self.joined = nn.Identity()
        self.project = nn.Sequential(*conv_norm(len(convs) * c, c, 1, rng=rng), nn.Dropout(0.5, rng=rng))

    def forward(self, x):
        return self.project(self.joined(F.concat([conv(x) for conv in self.convs], 1)))


class DeepLab(nn.Module):
    """backbone, classifier, interpolation to the image's size; with aux_loss a second classifier, of the third stage's
    maps, for training. torchvision's names."""

    def __init__(self, blocks, rates, layout, aux_loss, sizes, width_mult, rng):
        num_classes, in_channels, width_mult, rng = checked("deeplab", *sizes, width_mult, rng)
        blocks = options.ints("deeplab: blocks", blocks, "four numbers of blocks, each >= 1", 1)
        rates = options.ints("deeplab: rates", rates, "one to eight dilations, each >= 1", 1)
        if len(blocks) != 4 or not 1 <= len(rates) <= 8:
            raise ValueError(f"deeplab: want four blocks and one to eight rates, got {blocks} and {rates}")
        c, self.aux_loss = scaled(256, width_mult), options.flag("deeplab: aux_loss", aux_loss)
        self.backbone = AtrousResNet(blocks, layout, in_channels, width_mult, rng)
        middle, wide = self.backbone.channels
        head = *conv_norm(c, c, 3, rng=rng), nn.Conv2d(c, num_classes, 1, rng=rng)
        self.classifier, self.aux_classifier = nn.Sequential(ASPP(wide, c, rates, rng), *head), None
        self.resized = nn.Identity()
        if self.aux_loss:
            first = conv_norm(middle, c, 3, rng=rng)
            last = nn.Dropout(0.1, rng=rng), nn.Conv2d(c, num_classes, 1, rng=rng)
            self.aux_classifier = nn.Sequential(*first, *last)

    def forward(self, x):
        middle, last = self.backbone(x)
        out = self.resized(F.resize_bilinear(self.classifier(last), size=x.shape[2:]))
        if not (self.aux_loss and self.training):
            return out
        return SegmentationOutputs(out, F.resize_bilinear(self.aux_classifier(middle), size=x.shape[2:]))


@architecture
def deeplab(
    blocks: Sequence[int] = (3, 4, 6, 3),
    rates: Sequence[int] = (12, 24, 36),
    aux_loss: bool = False,
    num_classes: int = 21,
    in_channels: int = 3,
    width_mult: float = 1.0,
    output_stride: int = 8,
    dilated: bool = True,
    rng: Rng = None,
) -> nn.Module:
    """Logits (N, num_classes, H, W) for images (N, in_channels, H, W).

    blocks: of the four stages. rates: of the pyramid's 3x3, in pixels of its map. aux_loss: in training it returns
    SegmentationOutputs; in eval the logits alone. output_stride: 4, 8, 16 or 32; the map has 1/output_stride of the
    image's rows, 32 being ResNet without dilation. dilated: False leaves all dilations of the backbone at 1, for
    comparison: the same weights with a smaller field of view.
    """
    if options.count("deeplab: output_stride", output_stride) not in (4, 8, 16, 32):
        raise options.wrong("deeplab: output_stride", "4, 8, 16 or 32", output_stride)
    layout = stages(output_stride, options.flag("deeplab: dilated", dilated))
    return DeepLab(blocks, rates, layout, aux_loss, (num_classes, in_channels), width_mult, rng)


def deeplabv3_resnet50(
    num_classes: int = 21, in_channels: int = 3, aux_loss: bool = False, rng: Rng = None
) -> nn.Module:
    """39,638,869 parameters; torchvision's, also with its auxiliary classifier (aux_loss: 42,004,074)."""
    return deeplab((3, 4, 6, 3), (12, 24, 36), aux_loss, num_classes, in_channels, rng=rng)
