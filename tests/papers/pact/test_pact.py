"""lightnn/papers/pact on few images: the clip is learned in one way of each pair, and stays in the other."""

import numba
import pytest

from lightnn.papers import pact
from lightnn.papers.pact.experiment import ALPHA, clips

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training convolutions takes the compiler")


@pytest.mark.thorough
@needs_compiler
def test_the_clip_is_learned_or_stays(few_bits_run):
    result, network = few_bits_run(pact)
    for name in pact.WAYS:
        a = [p.data.item() for p in clips(network(name))]
        assert len(a) == 2 and result["ways"][name]["a"] == [round(x, 3) for x in a]
        assert (a == [ALPHA, ALPHA]) == name.endswith("fixed")
        assert network(name).fc1.weight.values.bits == int(name[0]) and network(name).fc2.weight.values is None
    text = pact.format_tables(result)
    assert max(map(len, text.splitlines())) <= 80 and "2 bits, a fixed: a = 3.0, 3.0" in text
