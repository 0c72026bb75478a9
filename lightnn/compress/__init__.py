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
from lightnn.compress.quantization.absorbing import absorb_high_biases
from lightnn.compress.quantization.calibration import calibrate
from lightnn.compress.quantization.centroids import CentroidSGD, block_sizes, quantize_blocks
from lightnn.compress.quantization.correcting import correct_bias
from lightnn.compress.quantization.equalizing import equalize, equalized_pairs
from lightnn.compress.quantization.mixing import mixed_bits, sensitivities
from lightnn.compress.quantization.post_training import quantize
from lightnn.compress.quantization.product_codes import input_gram, product_bytes, product_quantize
from lightnn.compress.quantization.ranges import Seen, entropy_range, min_max_range, mse_range, percentile_range
from lightnn.compress.quantization.rounding import adaround
from lightnn.compress.quantization.soft_activations import start_soft_activations
from lightnn.compress.structure.channel_graph import Channels, channels
from lightnn.compress.structure.dead import fold_constants, remove_dead
from lightnn.compress.structure.norm_folding import Fold, Folding, fold_batch_norm, plan_folding
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
    "CentroidSGD",
    "Channels",
    "Codebook",
    "DeepGradientCompression",
    "DoReFaGradient",
    "Encoded",
    "Fold",
    "Folding",
    "GradientCodec",
    "GradientQuantizer",
    "GradualPruning",
    "Mask",
    "OneBitSGD",
    "Plan",
    "Seen",
    "TernGrad",
    "Transform",
    "Uncompressed",
    "absorb_high_biases",
    "activation_density",
    "adaround",
    "adjust_dropout",
    "block_sizes",
    "calibrate",
    "channels",
    "correct_bias",
    "decode",
    "decode_parameter",
    "density",
    "density_init",
    "dorefa_gradient",
    "encode",
    "entropy_range",
    "equalize",
    "equalized_pairs",
    "feature_maps",
    "filter_norms",
    "fold_batch_norm",
    "fold_constants",
    "gradual_sparsity",
    "greedy_norms",
    "input_gram",
    "kmeans",
    "linear_init",
    "map_statistics",
    "mask_channels",
    "min_max_range",
    "mixed_bits",
    "mse_range",
    "nearest",
    "norms",
    "percentile_range",
    "plan",
    "plan_folding",
    "product_bytes",
    "product_quantize",
    "prune",
    "prune_filters",
    "prune_to_fraction",
    "prune_to_share",
    "qsgd_levels",
    "quality_for",
    "quantize",
    "quantize_blocks",
    "random_init",
    "random_mask",
    "remove_dead",
    "select",
    "select_greedily",
    "sensitivities",
    "sensitivity",
    "set_mask",
    "share",
    "sharing_rate",
    "smallest",
    "start_soft_activations",
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
