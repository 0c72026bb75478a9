"""A network's arithmetic on signs: -1 and +1 as one bit each, 64 to a word; XOR and popcount give the sums, int32.

In the order to read:

    words.py        pack_signs, xnor_dot: the definitions; rows and planes to words and back; words_llvm.py: its loops
    popcount.py     the register tile: sums from running words
    paths.py        PATHS, BEST: the instructions that count bits
    product.py      pack(words): weights, once. sums, linear, linear_of_signs: a product of matrices
    image.py        joined, bordered images of words, and where the windows of a convolution lie in them
    panel_llvm.py   the words that sixteen output pixels need, side by side
    conv.py         pack(w): weights, once. sums, forward, forward_of_signs: a convolution
    pool.py         max pooling, an OR of words
    thresholds.py   batch norm and sign of a channel as one threshold
"""
