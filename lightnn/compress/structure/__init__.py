"""Removing channels and neurons: which depend on each other, and the smaller network without them.

channel_graph.py finds out which channels depend on each other, by the numbers that numbering.py gives them in one run;
surgery.py plans a removal and carries it out; dead.py removes what pruning has left without connections.
wiring.py finds out in one run which op reads what; norm_folding.py lets layers take over the batch norms after them.
"""
