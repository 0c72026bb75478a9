"""Modules, parameters and layers, as in PyTorch."""

from lightnn.nn import init
from lightnn.nn.activation import (
    Dropout,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    StochasticDepth,
    Tanh,
)
from lightnn.nn.binary import ApproxSign, Sign, XnorConv2d, XnorLinear
from lightnn.nn.containers import ModuleList, Sequential
from lightnn.nn.filters import ChannelShuffle, Shift2d
from lightnn.nn.layers import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    Conv2d,
    Flatten,
    Identity,
    Linear,
    MaxPool2d,
    SamePad2d,
)
from lightnn.nn.module import Module, Parameter
from lightnn.nn.norm import BatchNorm1d, BatchNorm2d
from lightnn.nn.quantize import PACT, DoReFaActivation, FakeQuantize, LSQActivation
from lightnn.nn.soft import SoftActivation

__all__ = [
    "PACT",
    "AdaptiveAvgPool2d",
    "ApproxSign",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "ChannelShuffle",
    "Conv2d",
    "DoReFaActivation",
    "Dropout",
    "FakeQuantize",
    "Flatten",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Identity",
    "LSQActivation",
    "Linear",
    "MaxPool2d",
    "Module",
    "ModuleList",
    "Parameter",
    "ReLU",
    "ReLU6",
    "SamePad2d",
    "Sequential",
    "Shift2d",
    "SiLU",
    "Sigmoid",
    "Sign",
    "SoftActivation",
    "StochasticDepth",
    "Tanh",
    "XnorConv2d",
    "XnorLinear",
    "init",
]
