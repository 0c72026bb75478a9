import numpy as np
from lightnn.kernels.quantized import conv
def pack(w): return w
def forward(x, w, out, stride, padding, dilation):
    return conv.forward(x, conv.pack(w, x.shape[-1], dilation), out, stride, padding)
