"""Layers of one bit: signs times signs, from packed words.

signs.py       SignTensor, a Tensor whose numbers are -1 and +1, held as bits; PackSigns, which makes one
layers.py      BinaryLinear, BinaryConv2d, XnorLinear and XnorConv2d on weights of one bit
thresholds.py  lower_binary: batch norm and sign become one threshold a channel
"""
