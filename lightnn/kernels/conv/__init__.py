"""Convolutions, shifts, pooling, normalization and what stands between them."""
