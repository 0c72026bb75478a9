"""Timings against PyTorch: kernels, sparse layers, training."""
