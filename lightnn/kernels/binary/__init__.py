"""A network's arithmetic on signs: -1 and +1 as one bit each, 64 to a word; XOR and popcount give the sums, int32.

In the order to read:

    words.py        pack_signs, xnor_dot: the definitions; rows and planes to words and back; words_llvm.py: its loops
    popcount.py     PATHS, BEST: the register tile, and the instructions that count bits
    product.py      pack(words): weights, once. sums, linear: a product of matrices
    image.py        joined, bordered images of words, and where the windows of a convolution lie in them
    conv.py         pack(w): weights, once. sums, forward: a convolution
    pool.py         max pooling, an OR of words
    thresholds.py   batch norm and sign of a channel as one threshold
"""
