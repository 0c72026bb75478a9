"""What the papers' experiments have in common; papers don't import each other.

registry.py    Paper and papers(): how a paper's folder registers itself
run.py         long runs from the command line: journal, report, records
searching.py   the command `search`: one network, one target, one file
session.py     what every paper's `reproduce` takes
experiment.py  one network's experiment as steps of a journal
stage.py       MNIST, the recipe of one stage of training, errors
pruning.py     several layers pruned at once
low_bits.py    weights and activations of few bits: one network, several ways, a float control; low_bits_tables.py
one_bit.py     networks of one bit: several ways by one recipe; one_bit_tables.py
exchange.py    what workers exchange: one network trained with several gradient codecs
networks.py    networks that several train

The journal of a run and the record of its result are below the papers: lightnn/journal.py, lightnn/record.py.
"""
