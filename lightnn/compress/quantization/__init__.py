"""Quantization after training: which tensors, their ranges, and what saves accuracy at few bits.

ranges.py        how far a range should reach: min-max, percentile, MSE, entropy
calibration.py   what calibration images show of each tensor, and the ranges that follow
sites.py         which tensors integer inference must hold in few bits, and the module that gives each
post_training.py `quantize`, which puts it together
equalizing.py    cross-layer equalisation
absorbing.py     high-bias absorption
correcting.py    bias correction
rounding.py      AdaRound
soft_activations.py where the steps of soft activations start
mixing.py        bits for each layer under a budget of bytes
"""
