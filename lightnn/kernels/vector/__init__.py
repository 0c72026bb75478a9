"""Pieces of LLVM vector code that the kernels are made of."""
