"""The papers' experiments, one folder per paper: each runs the experiment and prints the paper's tables beside ours.

A folder registers itself by the PAPER in its `__init__` (lab/registry.py); lab/ is what the experiments have in common.
"""
