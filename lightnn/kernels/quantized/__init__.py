"""A network's arithmetic on 8-bit integers: uint8 activations, channels last (N, H, W, C); int8 weights; 32-bit sums.

In the order to read:

    requantize.py       output(w, b, M, Z1, ...): what becomes of a layer's sums; gemmlowp's fixed point by definition
    convert.py          quantize, dequantize: float32 planes (N, C, H, W) to bytes and back
    quads.py            PATHS, BEST: four bytes as one number, and the instructions that multiply them
    image.py            padded, find_steps, find_pixels: where the windows of a convolution lie in an image
    conv.py             pack(w): weights, once. forward, linear: bytes to bytes; sums, linear_sums: to 32-bit sums
    depthwise.py        pack(w), forward: one filter a channel
    pool.py             max_pool2d, avg_pool2d, adaptive_avg_pool2d
    join.py             add, concat of bytes of different scales
    look_up_tables.py   linear: floats again, of codes of blocks; products with centroids are looked up

panel_llvm.py, requantize_llvm.py, depthwise_llvm.py and look_up_llvm.py are the innermost loops, in LLVM's vector
types.
"""
