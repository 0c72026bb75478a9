"""Techniques that make a network smaller: weight transforms, and the procedures that set them; gradient codecs."""

from lightnn.compress import transforms
from lightnn.compress.gradients import (
    QSGD,
    DeepGradientCompression,
    DoReFaGradient,
    GradientCodec,
    GradientQuantizer,
    OneBitSGD,
    TernGrad,
    Uncompressed,
    dorefa_gradient,
    qsgd_levels,
    ternarize,
)
from lightnn.compress.pruning.activity import activation_density
from lightnn.compress.pruning.filters import (
    feature_maps,
    filter_norms,
    greedy_norms,
    map_statistics,
    norms,
    prune_filters,
    select,
    select_greedily,
    smallest,
)
from lightnn.compress.pruning.gradual import GradualPruning, gradual_sparsity
from lightnn.compress.pruning.magnitude import (
    adjust_dropout,
    density,
    prune,
    prune_to_fraction,
    prune_to_share,
    quality_for,
    random_mask,
    sensitivity,
    set_mask,
    threshold,
)
from lightnn.compress.structure.channel_graph import Channels, channels
from lightnn.compress.structure.dead import fold_constants, remove_dead
from lightnn.compress.structure.surgery import Plan, mask_channels, plan, thin
from lightnn.compress.transforms import (
    SUPPORTS,
    VALUES,
    Codebook,
    Encoded,
    Mask,
    Transform,
    decode,
    decode_parameter,
    encode,
    transform,
)
from lightnn.compress.transforms.clustering import (
    density_init,
    kmeans,
    linear_init,
    nearest,
    random_init,
    share,
    sharing_rate,
)

__all__ = [
    "QSGD",
    "SUPPORTS",
    "VALUES",
    "Channels",
    "Codebook",
    "DeepGradientCompression",
    "DoReFaGradient",
    "Encoded",
    "GradientCodec",
    "GradientQuantizer",
    "GradualPruning",
    "Mask",
    "OneBitSGD",
    "Plan",
    "TernGrad",
    "Transform",
    "Uncompressed",
    "activation_density",
    "adjust_dropout",
    "channels",
    "decode",
    "decode_parameter",
    "density",
    "density_init",
    "dorefa_gradient",
    "encode",
    "feature_maps",
    "filter_norms",
    "fold_constants",
    "gradual_sparsity",
    "greedy_norms",
    "kmeans",
    "linear_init",
    "map_statistics",
    "mask_channels",
    "nearest",
    "norms",
    "plan",
    "prune",
    "prune_filters",
    "prune_to_fraction",
    "prune_to_share",
    "qsgd_levels",
    "quality_for",
    "random_init",
    "random_mask",
    "remove_dead",
    "select",
    "select_greedily",
    "sensitivity",
    "set_mask",
    "share",
    "sharing_rate",
    "smallest",
    "ternarize",
    "thin",
    "threshold",
    "transform",
]


def __getattr__(name):
    """What a technique's file in transforms/ names in `__all__` is here, too."""
    if name in transforms.__all__:
        return getattr(transforms, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
