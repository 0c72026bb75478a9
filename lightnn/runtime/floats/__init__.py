"""Float networks as one program: batch norms folded, activations and shortcuts in the layers before them, no tape.

recording.py   one run: the ops, in order, and what each reads
graph.py       from ops to nodes: what is folded, fused, or only a view
rules.py       what each op becomes
layout.py      where channels lie in a pixel; weights packed, once
program.py     for a batch size: where arrays lie in memory and when it is used again; the steps as rows of a table
timing.py      how long each step takes
network.py     FloatNetwork, which `runtime.lower` returns
"""
