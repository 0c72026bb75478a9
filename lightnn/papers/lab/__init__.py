"""What the papers' experiments have in common; papers don't import each other.

registry.py    Paper and papers(): how a paper's folder registers itself
run.py         the commands `reproduce` and `compress`: journal, report, records
journal.py     the finished steps of a long run on disk
experiment.py  one network's experiment as steps of a journal
stage.py       MNIST, the recipe of one stage of training, errors
pruning.py     several layers pruned at once
low_bits.py    weights and activations of few bits: one network, several ways, a float control; low_bits_tables.py
one_bit.py     networks of one bit: several ways by one recipe; one_bit_tables.py
exchange.py    what workers exchange: one network trained with several gradient codecs
record.py      results as JSON, with command, seed and machine
"""
