"""lightnn/kernels/quantized/quads.py: which paths there are; test_panel_llvm.py has their integers."""

from numba import config

from lightnn.kernels.quantized import conv, panel_llvm, quads


def test_the_best_path_comes_first_and_the_portable_one_is_always_there():
    names = [type(path).__name__ for path in quads.PATHS]
    assert names[-1] == "portable" and quads.BEST is quads.PATHS[0]
    assert len(names) == 1 or not config.DISABLE_JIT


def test_a_block_of_pixels_is_whole_tiles():
    for path in quads.PATHS:
        for vectors in range(1, path.vectors + 1):
            assert conv.BLOCK % panel_llvm.rows_of(path.vectors, path.rows, vectors) == 0
