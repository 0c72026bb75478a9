"""A quantized network in integers: from the first FakeQuantize to the last, nothing but 8-bit codes and 32-bit sums.

program.py  `lower_integers`: from one run of the network to a list of steps
steps.py    what a step holds and does
"""
