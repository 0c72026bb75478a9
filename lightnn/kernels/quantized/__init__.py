"""Arithmetic on 8-bit integers with 32-bit sums: products, convolutions, pooling, and back to 8 bits."""
