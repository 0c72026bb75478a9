"""Every option of every public function and class: what is valid is taken, all else is one clear error that names it.

`CALLS` has a valid call of each. What it gives in place is material, the arrays and networks to work on; every other
parameter of the signature is an option, and is replaced by hostile values, one at a time. A public callable that no
table names fails, and so does an option of which it is not said what it takes.
"""

import concurrent.futures
import contextlib
import functools
import importlib
import importlib.util
import inspect
import itertools
import math
import numbers
import pathlib
import re
import sys
import tempfile

import numpy as np
import pytest

import lightnn
from lightnn import Tensor, compress, io, models, nn, optim
from lightnn.nn.sketch import shapes_only

PARTS = (
    "functional",
    "nn",
    "optim",
    "data",
    "compress",
    "metrics",
    "models",
    "io",
    "runtime",
    "training",
    "search",
    "",
)

# What each option takes, said once more and in another way than by lightnn/options.py


def whole(low, high=2**31 - 1):
    return lambda v: isinstance(v, int | np.integer) and not isinstance(v, bool) and low <= v <= high


def several(each, lengths):
    def valid(v):
        listed = v.ndim == 1 if isinstance(v, np.ndarray) else isinstance(v, tuple | list | range)
        return listed and len(v) in lengths and all(map(each, v))

    return valid


def pair(low):
    return lambda v: whole(low)(v) or several(whole(low), (2,))(v)


def real(low=-math.inf, high=math.inf, *, infinite=False, but=()):
    def valid(v):
        if not isinstance(v, numbers.Real) or isinstance(v, bool) or (isinstance(v, int) and abs(v) > 10**308):
            return False
        return not math.isnan(v) and (infinite or math.isfinite(v)) and low <= v <= high and v not in but

    return valid


def by_channel(each):
    return lambda v: each(v[()] if isinstance(v, np.ndarray) and not v.ndim else v) or several(each, (1, 4))(v)


def by_length(each, lengths):
    return lambda v: each(v[()] if isinstance(v, np.ndarray) and not v.ndim else v) or several(each, lengths)(v)


def by_layer(each):
    return lambda v: isinstance(v, dict) and all(map(each, v.values()))


def or_none(valid):
    return lambda v: v is None or valid(v)


def flag(v):
    return isinstance(v, bool | np.bool_)


def seed(v):
    return isinstance(v, np.random.Generator) or whole(0, math.inf)(v)


def text(v):
    return isinstance(v, str)


def word(*words):
    return lambda v: text(v) and v in words


def levels(v):
    return several(whole(-(2**15), 2**15), range(2, 257))(v) and all(a < b for a, b in itertools.pairwise(v))


def symmetric_levels(v):
    return levels(v) and all(a == -b for a, b in zip(v, v[::-1]))


COUNT, TIMES, PROBABILITY, FRACTION = whole(1), whole(0), real(0, 1), real(0, 1, but=(0,))
TAKES = {
    pair(0): "padding",
    pair(1): "kernel_size stride dilation output_size size",
    COUNT: "groups in_features out_features in_channels out_channels num_features step_size T_max batch_size n_val "
    "n dt k d rounds bucket num_classes width depth expansion growth last pointwise linear",
    TIMES: "warm_up_steps epochs max_shift iterations connections_before connections_after arrays count t_0",
    whole(-(2**63), 2**63 - 1): "dim start_dim ignore_index t",
    whole(0, 2**63 - 1): "max_bytes seed",
    whole(1, 2**63 - 1): "budget_bytes",
    whole(5): "repeats",
    whole(1, 2): "order",
    whole(2, 8): "bits weight_bits",
    whole(1, 2**20): "levels bins",
    real(0, 1, but=(1,)): "sparsity",
    lambda v: v is None or real(0, but=(0,))(v): "clip",
    lambda v: several(real(0, 1, but=(1,)), range(100))(v): "warm_up",
    lambda v: isinstance(v, lightnn.training.Workers): "workers",
    or_none(lambda v: False): "executors",
    whole(-100, 100): "top",
    whole(-(2**15), 254): "q_min",
    whole(1, 2**15): "q_max",
    by_channel(real(2.0**-126, 2.0**110)): "scale",
    by_channel(whole(0, 255)): "zero_point",
    flag: "timing weighted ceil_mode count_include_pad training bias nesterov projection progress requires_grad",
    lambda v: flag(v): "per_channel symmetric observing signed aux_loss aux_logits transform_input dilated",
    real(2.0**-126, 2.0**110): "alpha",
    real(0, 100): "factor",
    PROBABILITY: "momentum p label_smoothing dropout rate s_i s_f",
    FRACTION: "keep",
    real(0, but=(0,)): "last",
    real(0): "eps lr weight_decay eta_min gamma quality",
    by_channel(real()): "mean",
    by_channel(real(0, but=(0,))): "std",
    real(0, 100, but=(0,)): "width_mult depth_mult",
    several(whole(1), range(1, 9)): "input_shape blocks rates",
    several(whole(1), (4,)): "widths first later kernels",
    several(whole(1), (2,)): "things",
    real(infinite=True): "min_val max_val value",
    several(real(0, 1, but=(1,)), (2,)): "betas",
    several(FRACTION, range(1, 9)): "keeps",
    by_layer(real(0, 1, but=(1,))): "fractions",
    by_layer(several(whole(0, 19), range(20))): "remove",
    real(0, 100, but=(0,)): "percentile",
    seed: "rng",
    text: "description kind values support",
    word("mean", "sum", "none"): "reduction",
    word("values", "support"): "slot",
    callable: "codec optimizer loss init score choose size_of biases apart",
    or_none(text): "key",
    lambda v: levels(v): "Y",
    real(2.0**-20, 2.0**20): "T",
    or_none(callable): "schedule augment after_step tune",
}
TAKES = {name: valid for valid, names in TAKES.items() for name in names.split()}
FROM_ONE_BIT = (
    "functional.dorefa_activation",
    "functional.pact",
    "nn.DoReFaActivation",
    "nn.PACT",
    "nn.SoftActivation",
    "compress.use_dorefa",
    "compress.DoReFa",
)
TAKES_ELSEWHERE = {
    "models.deeplab blocks": several(whole(1), (4,)),
    "models.deeplab output_stride": lambda v: whole(4, 32)(v) and v in (4, 8, 16, 32),
    "models.shiftnet blocks": several(whole(1), (4,)),
    "models.searched operations": several(whole(0, 2), (2,)),
    "models.searched kernels": several(lambda v: whole(1)(v) and v % 2 == 1, (2,)),
    "models.searched depths": several(whole(1), (2,)),
    "models.small family": word(*models.SMALL_FAMILIES),
    "data.make_scenes count": COUNT,
    "data.make_scenes size": COUNT,
    "models.auxiliary_loss weight": real(0),
    "models.shufflenet_v2 width": lambda v: whole(1)(v) and v % 2 == 0,
    "compress.adaround lr": real(0, but=(0,)),
    "functional.soft_quantize T": real(2.0**-126, 2.0**110),
    "compress.set_temperature T": real(2.0**-126, infinite=True),
    "compress.RisingTemperature rate": real(2.0**-126, 2.0**110),
    "compress.use_soft_quantizer Y": symmetric_levels,
    "compress.soft_quantizer Y": symmetric_levels,
    "training.Ensemble kind": word("arithmetic", "geometric"),
    "training.mean_logits kind": word("arithmetic", "geometric"),
    **{f"compress.product_bytes {name}": real(0, but=(0,)) for name in "ndk"},
    "compress.product_quantize k": whole(1, 65536),
    "compress.quantize_blocks k": whole(1, 65536),
    "compress.CentroidSGD momentum": real(0),
    "compress.block_sizes kernels": COUNT,
    **{f"models.compound_scale {name}": real(1, 100) for name in ("alpha", "beta", "gamma")},
    "models.compound_scale phi": real(-100, 100),
    **{f"models.macs_factor {name}": real(0, but=(0,)) for name in "dwr"},
    "metrics.agreement k": whole(1, 3),
    "metrics.information_density accuracy": real(0, 100),
    "metrics.netscore accuracy": real(0, 100, but=(0,)),
    **{f"metrics.{name} params": real(0, but=(0,)) for name in ("information_density", "netscore")},
    "metrics.netscore macs": real(0, but=(0,)),
    **{f"metrics.netscore {name}": real(0) for name in ("alpha", "beta", "gamma")},
    ".compare accuracies": or_none(lambda v: isinstance(v, dict) and all(map(text, v))),
    "nn.Shift2d kernel_size": COUNT,
    "nn.Shift2d dilation": COUNT,
    "optim.SGD momentum": real(0),
    "functional.pad padding": several(TIMES, (0, 2, 4, 6, 8)),
    "data.random_crop padding": TIMES,
    "compress.use_affine scale": lambda v: False,
    "compress.Affine q_min": whole(-(2**15), 126),
    "compress.Affine q_max": whole(0, 2**15),
    "functional.affine_dequantize scale": lambda v: by_length(real(2.0**-126, 2.0**110), (1, 2))(v),
    "functional.affine_dequantize zero_point": lambda v: by_length(whole(-(2**15), 2**15), (1, 2))(v),
    **{f"{name} bits": whole(1, 8) for name in FROM_ONE_BIT},
    "compress.use_trained_ternary t": real(0, 1, but=(1,)),
    "compress.TrainedTernary t": real(0, 1, but=(1,)),
    "compress.Ternary bits": whole(2, 2),
    "compress.BinaryBases bits": whole(1, 4),
    "compress.use_binary_bases bits": whole(1, 4),
    "compress.Binary alpha": lambda v: real(2.0**-126)(v) or (isinstance(v, numbers.Real) and v != v),
    "optim.ExponentialLR epochs": COUNT,
    "compress.use_additive_powers bits": whole(2, 7),
    "compress.threshold quality": lambda v: real(infinite=True)(v) or (isinstance(v, numbers.Real) and v != v),
    "compress.share bits": whole(0, 16),
    "compress.log_codes bits": whole(1, 8),
    "compress.log_codes top": whole(-(2**63), 2**63 - 1),
    "compress.sharing_rate n": real(0, but=(0,)),
    "compress.sharing_rate bits": real(0, but=(0,)),
    "compress.sharing_rate k": real(0, but=(0,)),
    "compress.GradualPruning keeps": lambda v: isinstance(v, list) and v != [],
    "training.train optimizer": lambda v: isinstance(v, optim.Optimizer),
    "training.train schedule": lambda v: v is None or callable(getattr(v, "step", None)),
    "compress.gradual_sparsity t_0": whole(-(2**63), 2**63 - 1),
    "compress.gradual_sparsity n": whole(1, 2**63 - 1),
    "compress.gradual_sparsity dt": whole(1, 2**63 - 1),
    "compress.DoReFaGradient bits": whole(1, 16),
    "compress.GradientQuantizer bits": whole(1, 16),
    "compress.dorefa_gradient bits": whole(1, 16),
    "compress.DeepGradientCompression momentum": real(0, 1, but=(1,)),
    "compress.DeepGradientCompression workers": COUNT,
    "training.Workers count": whole(1, 1024),
    "compress.adjust_dropout connections_before": real(0, but=(0,)),
    "compress.adjust_dropout connections_after": real(0),
}
WRAPPED = {"fractions": lambda v: {"conv1": v}, "remove": lambda v: {"conv1": v}, "keeps": lambda v: [v]}
GIVEN = {
    "G",
    "fixed",
    "space",
    "candidate",
    "weight",
    "running_mean",
    "running_var",
    "mask",
    "validation",
    "where",
    "data",
}  # material wherever it stands
INITS = ("linear_init", "density_init", "kmeans", "share")
DRAWS_NOTHING = {
    f"compress.{name} rng" for name in INITS
}  # it is for an `init` that draws, which checks it: random_init

# Valid calls


def call(*material, **options):
    return material, options


def parameter():
    return nn.Parameter(np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4))


def lenet_and_channels():
    model = models.lenet5(rng=0)
    return model, compress.channels(model, (1, 1, 28, 28))


def training():
    model = nn.Linear(3, 3, rng=0)
    data = np.ones((4, 3), np.float32), np.array([0, 1, 2, 0])
    return model, data, optim.SGD(model.parameters(), 0.1)


def beside(name):
    """The module of a file beside this one."""
    spec = importlib.util.spec_from_file_location(name, pathlib.Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


THREAD = concurrent.futures.ThreadPoolExecutor(1)
FOLDER = tempfile.TemporaryDirectory()


@functools.cache
def saved():
    path = pathlib.Path(FOLDER.name, "small.lnn")
    io.save(SMALL, path)
    return path


@functools.cache
def a_state():
    path = pathlib.Path(FOLDER.name, "small.npz")
    np.savez(path, weight=W)
    return path


def one_worker():
    return lightnn.training.Workers(1, executors=[THREAD])


def recipe():
    return lightnn.training.Recipe(1, 0.1)


X = np.random.default_rng(0).random((4, 4, 6, 6), np.float32)
ROWS, W, NUMBERS = X[:, 0, 0, :3], np.ones((4, 4, 3, 3), np.float32), np.linspace(-1, 1, 9)
VECTORS = [np.ones(4, np.float32), np.zeros(4, np.float32)]
LABELS, SCALES = np.array([0, 1, 2, 0]), [np.ones(1, np.float32)] * 2
SMALL = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
SEEN = compress.Seen(-1.0, 2.0, np.ones((2, 2048), np.int64))


def quantized():
    return compress.quantize(SMALL, X[:, :1])


CALLS = {
    "functional.adaptive_avg_pool2d": lambda: call(X, output_size=2),
    "functional.affine_dequantize": lambda: call(np.array([1, 2])),
    "functional.affine_quantize": lambda: call(X),
    "functional.dorefa_activation": lambda: call(X, bits=2),
    "functional.fake_quantize": lambda: call(X),
    "functional.lsq": lambda: call(X, X[0, 0, 0, :1], bits=2),
    "functional.pact": lambda: call(X, X[0, 0, 0, :1], bits=2),
    "functional.resize_bilinear": lambda: call(X, size=3),
    "functional.stochastic_depth": lambda: call(X, p=0.5, rng=0),
    "functional.scale_and_zero_point": lambda: call(-1.0, 1.0),
    "functional.avg_pool2d": lambda: call(X, kernel_size=2, stride=2),
    "functional.batch_norm": lambda: call(
        X, *VECTORS, running_mean=np.zeros(4, np.float32), running_var=np.ones(4, np.float32)
    ),
    "functional.channel_shuffle": lambda: call(X, groups=2),
    "functional.concat": lambda: call([Tensor(X), Tensor(X)]),
    "functional.conv2d": lambda: call(X, W, None),
    "functional.cross_entropy": lambda: call(ROWS, LABELS),
    "functional.depthwise_conv2d": lambda: call(X, W[:, :1], None),
    "functional.dropout": lambda: call(X, rng=0),
    "functional.flatten": lambda: call(X),
    "functional.grouped_conv2d": lambda: call(X, W[:, :2], None, groups=2),
    "functional.hardtanh": lambda: call(X),
    "functional.input_scale": lambda: call(X, kernel_size=3),
    "functional.log_softmax": lambda: call(X),
    "functional.max_pool2d": lambda: call(X, kernel_size=2, stride=2),
    "functional.pad": lambda: call(X, padding=(1, 2)),
    "functional.softmax": lambda: call(X),
    "functional.hard_quantize": lambda: call(X, *SCALES, np.zeros(1, np.float32), Y=(-1, 1)),
    "functional.soft_quantize": lambda: call(X, *SCALES, np.zeros(1, np.float32), Y=(-1, 1), T=1.0),
    "nn.AdaptiveAvgPool2d": lambda: call(output_size=2),
    "nn.AvgPool2d": lambda: call(kernel_size=2),
    "nn.BatchNorm1d": lambda: call(num_features=3),
    "nn.BatchNorm2d": lambda: call(num_features=3),
    "nn.ChannelShuffle": lambda: call(groups=2),
    "nn.Conv2d": lambda: call(in_channels=2, out_channels=4, kernel_size=3),
    "nn.Dropout": lambda: call(),
    "nn.DoReFaActivation": lambda: call(bits=2),
    "nn.FakeQuantize": lambda: call(),
    "nn.LSQActivation": lambda: call(bits=2),
    "nn.PACT": lambda: call(bits=2),
    "nn.Flatten": lambda: call(),
    "nn.Hardtanh": lambda: call(),
    "nn.Linear": lambda: call(in_features=3, out_features=2),
    "nn.MaxPool2d": lambda: call(kernel_size=2),
    "nn.SamePad2d": lambda: call(kernel_size=3),
    "nn.Shift2d": lambda: call(),
    "nn.SoftActivation": lambda: call(bits=2),
    "nn.StochasticDepth": lambda: call(p=0.5),
    "nn.XnorConv2d": lambda: call(in_channels=2, out_channels=4, kernel_size=3),
    "nn.XnorLinear": lambda: call(in_features=3, out_features=2),
    "optim.Adam": lambda: call([parameter()]),
    "optim.CosineLR": lambda: call(optim.SGD([parameter()], 0.1), T_max=3),
    "optim.ExponentialLR": lambda: call(optim.SGD([parameter()], 0.1), epochs=3, last=0.01),
    "optim.Optimizer": lambda: call([parameter()], lr=0.1),
    "optim.SGD": lambda: call([parameter()], lr=0.1, momentum=0.9),
    "optim.StepLR": lambda: call(optim.SGD([parameter()], 0.1), step_size=3),
    "data.batches": lambda: call(X, LABELS, batch_size=2),
    "data.check_images_labels": lambda: call(X, LABELS, num_classes=3),
    "data.normalize": lambda: call(X, mean=0.5, std=0.5),
    "data.random_crop": lambda: call(X, size=4, rng=0),
    "data.random_flip": lambda: call(X, rng=0),
    "data.random_shift": lambda: call(X, rng=0),
    "data.split_validation": lambda: call(X, LABELS, n_val=1),
    "compress.DeepGradientCompression": lambda: call((4, 5)),
    "compress.DoReFaGradient": lambda: call((4, 5)),
    "compress.GradientCodec": lambda: call((4, 5)),
    "compress.GradientQuantizer": lambda: call(bits=4),
    "compress.OneBitSGD": lambda: call((4, 5)),
    "compress.QSGD": lambda: call((4, 5)),
    "compress.TernGrad": lambda: call((4, 5)),
    "compress.Uncompressed": lambda: call((4, 5)),
    "compress.dorefa_gradient": lambda: call(X, bits=4),
    "compress.qsgd_levels": lambda: call(ROWS, levels=3, rng=0),
    "compress.ternarize": lambda: call(ROWS, rng=0),
    "compress.GradualPruning": lambda: call(keeps=[(parameter(), 0.5)], n=3, dt=2),
    "compress.PowerOfTwo": lambda: call(bits=4, top=0),
    "compress.Affine": lambda: call(np.ones(1, np.float32), np.zeros(1, int)),
    "compress.Binary": lambda: call(alpha=1.0),
    "compress.BinaryBases": lambda: call(bits=2),
    "compress.StochasticBinary": lambda: call(),
    "compress.DoReFa": lambda: call(bits=2),
    "compress.LSQ": lambda: call(2, np.ones(1, np.float32)),
    "compress.AdditivePowers": lambda: call(4, np.ones(1, np.float32)),
    "compress.Ternary": lambda: call(),
    "compress.TrainedTernary": lambda: call(2, np.ones(2, np.float32)),
    "compress.use_additive_powers": lambda: call(parameter(), bits=4),
    "compress.use_ternary": lambda: call(parameter()),
    "compress.use_trained_ternary": lambda: call(parameter()),
    "compress.use_binary_bases": lambda: call(parameter(), bits=2),
    "compress.use_stochastic_binary": lambda: call(parameter()),
    "compress.use_dorefa": lambda: call(parameter(), bits=2),
    "compress.use_lsq": lambda: call(parameter(), bits=2),
    "compress.use_affine": lambda: call(parameter()),
    "compress.activation_density": lambda: call(SMALL, X[:, :1]),
    "compress.adaround": lambda: call(quantized(), X[:, :1], iterations=1),
    "compress.adjust_dropout": lambda: call(rate=0.5, connections_before=10, connections_after=5),
    "compress.calibrate": lambda: call(quantized(), X[:, :1]),
    "compress.channels": lambda: call(SMALL, input_shape=(1, 1, 6, 6)),
    "compress.density_init": lambda: call(NUMBERS, k=2),
    "compress.entropy_range": lambda: call(SEEN, 8),
    "compress.equalize": lambda: call(SMALL, input_shape=(1, 1, 6, 6)),
    "compress.equalized_pairs": lambda: call(SMALL, input_shape=(1, 1, 6, 6)),
    "compress.filter_norms": lambda: call(W),
    "compress.fold_batch_norm": lambda: call(SMALL, input_shape=(1, 1, 6, 6)),
    "compress.gradual_sparsity": lambda: call(t=3, s_i=0.0, s_f=0.5, t_0=1, n=3, dt=2),
    "compress.greedy_norms": lambda: call(W, [0]),
    "compress.kmeans": lambda: call(NUMBERS, k=2),
    "compress.linear_init": lambda: call(NUMBERS, k=2),
    "compress.log_codes": lambda: call(NUMBERS, bits=4, top=0),
    "compress.log_quantize": lambda: call(NUMBERS, bits=4, top=0),
    "compress.min_max_range": lambda: call(SEEN, 8),
    "compress.mixed_bits": lambda: call(quantized(), X[:, :1], LABELS % 2, budget_bytes=10**6, size_of=lambda m: 9),
    "compress.mse_range": lambda: call(SEEN, 8),
    "compress.norms": lambda: call(*lenet_and_channels()),
    "compress.percentile_range": lambda: call(SEEN, 8),
    "compress.plan": lambda: call(*lenet_and_channels(), remove={"conv1": [0]}),
    "compress.plan_folding": lambda: call(SMALL, input_shape=(1, 1, 6, 6)),
    "compress.CentroidSGD": lambda: call([parameter()], lr=0.1),
    "compress.block_sizes": lambda: call(SMALL),
    "compress.blocks_of": lambda: call(W, d=9),
    "compress.input_gram": lambda: call(SMALL[0], X[:, :1], d=9),
    "compress.product_bytes": lambda: call(n=100, d=4, k=16),
    "compress.product_quantize": lambda: call(parameter(), k=2, d=2),
    "compress.quantize_blocks": lambda: call(SMALL, X[:, :1], {"0": 9}),
    "compress.prune": lambda: call(parameter(), quality=1.0),
    "compress.prune_filters": lambda: call(models.lenet5(), input_shape=(1, 1, 28, 28), fractions={"conv1": 0.5}),
    "compress.prune_to_fraction": lambda: call(parameter(), keep=0.5),
    "compress.prune_to_share": lambda: call(parameter(), keep=0.5),
    "compress.quantize": lambda: call(SMALL, X[:, :1]),
    "compress.quality_for": lambda: call(NUMBERS, keep=0.5),
    "compress.random_init": lambda: call(NUMBERS, k=2),
    "compress.random_mask": lambda: call(parameter(), keep=0.5, rng=0),
    "compress.remove_dead": lambda: call(SMALL, input_shape=(1, 1, 6, 6)),
    "compress.select": lambda: call(lenet_and_channels()[1], {"conv1": np.arange(20)}, fractions={"conv1": 0.5}),
    "compress.select_greedily": lambda: call(*lenet_and_channels(), fractions={"conv1": 0.5}),
    "compress.sensitivity": lambda: call(SMALL, {"0.weight": parameter()}, score=lambda model: 1.0, keeps=[0.5]),
    "compress.RisingTemperature": lambda: call(SMALL, rate=10.0),
    "compress.SoftQuantizer": lambda: call((-1, 1), *SCALES, np.zeros(1, np.float32)),
    "compress.kmeans_biases": lambda: call(NUMBERS, Y=(-1, 0, 1)),
    "compress.linear_biases": lambda: call(NUMBERS, Y=(-1, 0, 1)),
    "compress.set_temperature": lambda: call(SMALL, T=10.0),
    "compress.soft_quantizer": lambda: call(W, Y=(-1, 0, 1)),
    "compress.start_soft_activations": lambda: call(SMALL, X[:, :1], rng=0),
    "compress.use_soft_quantizer": lambda: call(parameter(), Y=(-1, 0, 1)),
    "compress.share": lambda: call(parameter(), bits=2),
    "compress.sharing_rate": lambda: call(n=100, bits=32, k=4),
    "compress.smallest": lambda: call([3, 1, 2], count=2),
    "compress.threshold": lambda: call(NUMBERS, quality=1.0),
    "compress.transform": lambda: call(kind="a test's"),
    "compress.use_powers_of_two": lambda: call(parameter(), bits=4),
    "data.make_scenes": lambda: call(X[:, :1], LABELS, count=2, size=8, things=(1, 1), rng=0),
    "metrics.confusion": lambda: call(LABELS, LABELS, num_classes=3),
    "metrics.compare_latency": lambda: call({"a": SMALL}, input_shape=(1, 1, 6, 6), rounds=1),
    "metrics.count_macs": lambda: call(SMALL, input_shape=(1, 1, 6, 6)),
    "metrics.latency": lambda: call(SMALL, input_shape=(1, 1, 6, 6), rounds=1),
    "metrics.least_times": lambda: call({"a": lambda: None}),
    "metrics.trace": lambda: call(SMALL, input_shape=(1, 1, 6, 6)),
    "metrics.agreement": lambda: call(ROWS, ROWS, k=2),
    "metrics.information_density": lambda: call(accuracy=50.0, params=1e6),
    "metrics.netscore": lambda: call(accuracy=50.0, params=1e6, macs=1e9),
    "metrics.peak_activations": lambda: call(SMALL, input_shape=(1, 1, 6, 6)),
    ".compare": lambda: call({"a": SMALL}, input_shape=(1, 1, 6, 6), timing=False),
    "models.compound_scale": lambda: call(phi=1.0),
    "models.macs_factor": lambda: call(d=1.0, w=1.0, r=1.0),
    "models.summary": lambda: call(SMALL, input_shape=(1, 1, 6, 6)),
    "models.build": lambda: call({"type": "ReLU", "args": {}}, arrays=1),
    **{f"models.{name}": call for name in models.ARCHITECTURES if hasattr(models, name)},
    **{f"models.{name}": call for name in ("resnet20", "resnet56", "resnet110", "deeplabv3_resnet50", "densenet121")},
    **{f"models.shiftnet_{letter}": call for letter in "abc"},
    **{f"models.densenet{n}": call for n in (161, 169, 201)},
    **{f"models.shufflenet_v2_x{n}": call for n in ("0_5", "1_0", "1_5", "2_0")},
    **{f"models.mnasnet{n}": call for n in ("0_5", "0_75", "1_0", "1_3")},
    **{f"models.efficientnet_b{i}": call for i in range(8)},
    **{f"models.efficientnet_lite{i}": call for i in range(5)},
    "models.auxiliary_loss": lambda: call((ROWS, ROWS), LABELS % 3),
    "io.from_bytes": lambda: call(io.to_bytes(SMALL), max_bytes=10_000),
    "io.inspect": lambda: call(saved(), max_bytes=10_000),
    "io.read_state": lambda: call(a_state(), key=None, max_bytes=10_000),
    "io.load": lambda: call(saved(), max_bytes=10_000),
    "io.to_onnx": lambda: call(SMALL, pathlib.Path(FOLDER.name, "small.onnx"), input_shape=(1, 1, 6, 6)),
    "io.to_onnx_integers": lambda: call(quantized(), pathlib.Path(FOLDER.name, "small.onnx"), input_shape=(1, 1, 6, 6)),
    "runtime.lower": lambda: call(SMALL, input_shape=(1, 1, 6, 6)),
    "runtime.lower_binary": lambda: call(nn.Sequential(nn.BatchNorm2d(1), nn.Sign()), input_shape=(1, 1, 6, 6)),
    "runtime.lower_integers": lambda: call(quantized(), input_shape=(1, 1, 6, 6)),
    "runtime.step_calls": lambda: call(lightnn.runtime.lower(SMALL), input_shape=(1, 1, 6, 6)),
    "runtime.step_times": lambda: call(lightnn.runtime.lower(SMALL), input_shape=(1, 1, 6, 6), repeats=5),
    "runtime.lowers": lambda: call(nn.Linear, values="a test's"),
    "training.GradientCodec": lambda: call((4, 5)),
    "training.Uncompressed": lambda: call((4, 5)),
    "training.Workers": lambda: call(count=2),
    "training.train_parallel": lambda: call(recipe(), *training()[:2], workers=one_worker(), progress=False),
    "training.Ensemble": lambda: call([SMALL]),
    "training.FeatureStudent": lambda: call(SMALL, len, len),
    "training.distil": lambda: call(SMALL, T=4.0),
    "training.soft_targets": lambda: call(ROWS, T=4.0),
    "training.mean_logits": lambda: call(X[:, 0], kind="geometric"),
    "training.distillation_loss": lambda: call(Tensor(ROWS), ROWS, T=4.0),
    "training.Recipe": lambda: call(epochs=1, lr=0.1),
    "training.evaluate": lambda: call(SMALL, X[:, :1], LABELS % 2, progress=False),
    "training.follow": lambda: call(recipe(), *training()[:2], progress=False),
    "training.predict": lambda: call(SMALL, X[:, :1]),
    "training.latent_histogram": lambda: call(parameter(), bins=4),
    "training.weight_gradients": lambda: call(*training()[:1], *training()[1]),
    "training.reestimate_batch_norm": lambda: call(SMALL, X[:, :1]),
    "training.train": lambda: call(*training()[:2], epochs=1, optimizer=training()[2], progress=False),
    ".Tensor": lambda: call(X),
    ".set_num_threads": lambda: call(n=1),
}
NEED_ONNX = ("io.to_onnx", "io.to_onnx_integers")  # its group may not be installed
OPTIONAL = set(NEED_ONNX if importlib.util.find_spec("onnx") is None else ())
CALLS = {name: valid for name, valid in CALLS.items() if name not in OPTIONAL}
ONLY_MATERIAL = {
    "functional": "approx_sign hardsigmoid hardswish linear logsigmoid mse_loss relu relu6 shift2d "
    "sigmoid sign silu squared_hinge tanh",
    "nn": "ModuleList Parameter Sequential",
    "compress": "Codebook Mask absorb_high_biases correct_bias decode decode_parameter density encode feature_maps "
    "fold_constants look_up look_up_blocks map_statistics mask_channels masked mean_gradient nearest sensitivities "
    "set_mask thin use_binary use_binary_filters Product rounded_to_half",
    "metrics": "count_parameters mean_iou training_memory measured_peak pareto rank_agreement sparse_macs counts",
    "models": "architecture check_reads_back describe description_of_unchanged parse replace to_text",
    "io": "save save_to_train to_bytes to_train_bytes",
    "runtime": "BinaryConv2d BinaryLinear BinaryXnorConv2d BinaryXnorLinear CodebookConv2d CodebookLinear "
    "FloatNetwork PackSigns ProductConv2d ProductLinear SparseConv2d SparseLinear held_bytes lower_report",
    "training": "Remembered attention_loss cosine features_of gradient_cosines relation_loss sign_flips",
    "": "save op",
}
RECORDS = {  # what a function returns: nobody makes one by hand
    "data": "Dataset Scenes",
    "compress": "Encoded Fold Seen",
    "metrics": "Counts Energy Latency Least Row SparseRow TrainingMemory",
    "io": "FileReport",
    "models": "Layer GoogLeNetOutputs InceptionOutputs SegmentationOutputs",
    "runtime": "HeldRow SignTensor StepCall StepTime",
    "training": "History ParallelHistory",
}
UNCHECKED = {
    "runtime": "csr_conv2d csr_matvec from_csr tap_positions to_csr",
    "metrics": "amdahl attainable bottleneck_macs dense_channels dense_cycles eie_cycles energy flops_left "
    "output_stationary_cycles peak_bytes product_intensity receptive_field simulate_output_stationary "
    "simulate_systolic systolic_cycles utilisation",
}  # definitions, whose file says so
SEARCH = beside("public_options_search")
SEARCH_CALLS = {f"search.{name}": valid for name, valid in SEARCH.calls(sys.modules[__name__]).items()}
SEARCH_TAKES = SEARCH.takes(sys.modules[__name__])
TAKES_ELSEWHERE |= {
    f"{name} {option}": valid
    for name in SEARCH_CALLS
    for valid, names in SEARCH_TAKES.items()
    for option in names.split()
}
TAKES_ELSEWHERE |= {f"search.{name}": valid for name, valid in SEARCH.takes_elsewhere(sys.modules[__name__]).items()}
CALLS, ONLY_MATERIAL["search"], RECORDS["search"] = CALLS | SEARCH_CALLS, SEARCH.MATERIAL, SEARCH.RECORDS
SLOW = "compress.select_greedily compress.prune_filters compress.select compress.plan compress.norms"  # as plain Python
MARKS = {"compiled": f"{SLOW} {SEARCH.COMPILED}", "thorough": SEARCH.THOROUGH}
SAME = {".evaluate", ".inspect", ".load", ".predict", ".train"}  # the same objects as above


# Hostile values


HOSTILE = [
    *(True, False, None, "7", "", b"7", "x", 1j, object(), Ellipsis),
    *(-1, 0, 1, 2, 2**31, 2**63, -(2**63) - 1, 2**100, 10**400, -(10**400)),
    *(1.5, 0.5, -0.5, 1.0, math.nan, math.inf, -math.inf),
    *(
        (),
        [],
        (1,),
        (1, 1),
        [1, 2],
        (1, 2, 3),
        (1, -1),
        (1, 2**63),
        (1, "2"),
        (True, 1),
        (1.5, 2),
        (1, None),
        ((1, 2), 3),
    ),
    *({}, {1, 2}, {1: 2}, "12", b"12", range(2)),
    *(
        np.int64(1),
        np.uint8(1),
        np.int64(-1),
        np.float64(0.5),
        np.float32(0.5),
        np.float64(math.nan),
        np.float32(math.inf),
    ),
    *(np.True_, np.array(1), np.array(0.5), np.array([1, 1]), np.array(["1", "2"]), np.complex64(1)),
]


def public():
    """{"functional.conv2d": F.conv2d} of everything that an `__all__` names and that can be called with something."""
    found = {}
    for part in PARTS:
        module = importlib.import_module(f"lightnn.{part}".rstrip("."))
        names = set(module.__all__) | (set(compress.transforms.__all__) if module is compress else set())
        for name in names:
            value = getattr(module, name)
            if callable(value) and not (inspect.isclass(value) and issubclass(value, BaseException | dict | list)):
                found[f"{part}.{name}"] = value
    return {name: value for name, value in found.items() if name not in SAME and inspect.signature(value).parameters}


PUBLIC = public()


LARGER = re.compile(
    r"models\.(efficientnet_(b|lite)[1-7]|densenet(161|169|201)|mnasnet(0_75|1_3)|shufflenet_v2_x[12]_.*)"
)


def marks_of(name):
    """LARGER: networks whose options are those of a smaller one."""
    found = [mark for mark, names in MARKS.items() if name.removeprefix("search.") in names.split()]
    return [getattr(pytest.mark, mark) for mark in [*found, *["thorough"] * bool(LARGER.fullmatch(name))]]


EVERY_CALL = [pytest.param(name, marks=marks_of(name)) for name in CALLS]


def options_of(name):
    """{option: a valid value} of a public callable, from its call in the table and its defaults."""
    material, given = CALLS[name]()
    parameters = list(inspect.signature(PUBLIC[name]).parameters.values())[len(material) :]
    named = {p.name: given.get(p.name, p.default) for p in parameters if p.name not in GIVEN}
    return {n: v for n, v in named.items() if f"{name} {n}" not in DRAWS_NOTHING}


def takes(name, option):
    valid = TAKES_ELSEWHERE.get(f"{name} {option}") or TAKES[option]
    none_too = inspect.signature(PUBLIC[name]).parameters[option].default is None
    return or_none(valid) if none_too and f"{name} {option}" != "functional.dropout rng" else valid


def outcome(name, /, **changed):
    """None, or the error of the valid call with some options changed."""
    material, given = CALLS[name]()
    sketch = shapes_only(10**6) if name.startswith("models.") else contextlib.nullcontext()
    try:
        with sketch:
            PUBLIC[name](*material, **given | changed)
    except Exception as error:
        return error
    return None


def is_clear(error, option=""):
    """Whether an error is one line that says what was wanted and what came, and names the option."""
    message = str(error)
    said = "want " in message and "got " in message and option in message and "\n" not in message
    return isinstance(error, ValueError | TypeError) and said and len(message) <= 400


def fault(name, option, value):
    """What is wrong with how a public callable takes a value of an option; None if nothing is."""
    error, valid = outcome(name, **{option: value}), takes(name, option)(value)
    if not valid and error is None:
        return "it passes"
    if (
        error is not None
        and not is_clear(error, "" if valid else option)
        and not (valid and isinstance(error, io.FormatError))
    ):
        return f"{type(error).__name__}: {error}"[:150]
    return None


def probes(name):
    """(option, value) of every option of a public callable and every hostile value."""
    for option in options_of(name):
        yield from ((option, value) for value in HOSTILE)
        if option in WRAPPED:
            yield from ((option, WRAPPED[option](value)) for value in HOSTILE)


@pytest.mark.parametrize("name", EVERY_CALL)
def test_only_what_is_valid_is_taken_and_an_error_names_the_option(name):
    faults = [(option, value, found) for option, value in probes(name) if (found := fault(name, option, value))]
    assert faults == []


@pytest.mark.parametrize("name", EVERY_CALL)
def test_a_valid_call_passes_with_numpys_numbers_too(name):
    assert outcome(name) is None
    for option, base in options_of(name).items():
        kinds = {bool: [np.bool_], int: [np.int64, np.uint8], float: [np.float64, np.float32]}.get(type(base), [])
        twins = [kind(base) for kind in kinds if not (kind is np.uint8 and not 0 <= base < 256)]
        assert [error for twin in twins if (error := outcome(name, **{option: twin})) is not None] == [], option


def test_every_public_callable_is_in_one_table():
    elsewhere = {
        f"{part}.{n}" for table in (ONLY_MATERIAL, RECORDS, UNCHECKED) for part in table for n in table[part].split()
    }
    assert elsewhere.isdisjoint(CALLS)
    assert set(PUBLIC) - elsewhere - OPTIONAL == set(CALLS)


def test_what_takes_only_material_has_no_option():
    for part, names in ONLY_MATERIAL.items():
        for name in names.split():
            parameters = inspect.signature(PUBLIC[f"{part}.{name}"]).parameters.values()
            assert [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name in TAKES] == []


def test_what_is_not_checked_says_so():
    for part, names in UNCHECKED.items():
        for name in names.split():
            assert "othing is checked" in inspect.getmodule(inspect.unwrap(PUBLIC[f"{part}.{name}"])).__doc__
