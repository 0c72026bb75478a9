"""Modules, parameters and layers, as in PyTorch."""

from lightnn.nn import init
from lightnn.nn.containers import ModuleList, Sequential
from lightnn.nn.filters import ChannelShuffle, Shift2d
from lightnn.nn.layers import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    Conv2d,
    Dropout,
    Flatten,
    Hardswish,
    Hardtanh,
    Identity,
    Linear,
    MaxPool2d,
    ReLU,
    ReLU6,
    Sigmoid,
    Tanh,
)
from lightnn.nn.module import Module, Parameter
from lightnn.nn.norm import BatchNorm1d, BatchNorm2d
from lightnn.nn.quantize import PACT, DoReFaActivation, FakeQuantize, LSQActivation
from lightnn.nn.soft import SoftActivation

__all__ = [
    "PACT",
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "ChannelShuffle",
    "Conv2d",
    "DoReFaActivation",
    "Dropout",
    "FakeQuantize",
    "Flatten",
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
    "Sequential",
    "Shift2d",
    "Sigmoid",
    "SoftActivation",
    "Tanh",
    "init",
]
