"""A whole float network in one kernel: its steps are rows of a table, and all threads walk through the table together.

run.py      who does what: tasks that threads take, and the wait for the last one of a step
steps.py    what a task of each kind of step computes
tile.py     the register tile and its epilogue: bias, the addition of a shortcut, the clamp
tail.py     activations with an exponential, on numbers that are still in the first-level cache
atomic.py   counters that several threads change

Images lie channels last: pixel p of an array has its V-lane vectors side by side, so that the tile's broadcast operand
is the image itself, read in place, and its vectors are filters, packed once when the network is lowered. An array says
where its pixels begin (a table) and in which slot of a pixel each channel lies (a table as well). So a concatenation,
a slice, a channel shuffle and a flatten are tables, not copies.
"""
