"""The pickle format, read as data: an interpreter of its opcodes that can't run anything.

A pickle is a program for a machine with a stack. Python's own `pickle.load` may import and call whatever it names, so
that a hostile file can run any code. This machine knows numbers, texts, bytes, lists, tuples and dicts, and of all
other names only those of one table that its caller gives. It imports nothing, calls nothing but that table's functions,
sets no attribute, and refuses any other name with that name.

    opcodes                                            what they do
    80 n    95 n8                                      protocol (2 to 5), frame: nothing
    N 88 89 K M J 8a G                                 push None, True, False, an int of 1, 2, 4 or n bytes, a float64
    X 8c 8d    U T    B C 8e                           push a text; a text of Python 2; bytes
    ] } )    (                                         push an empty list, dict, tuple; push a mark
    t 85 86 87 l d    a e s u    0 1 2                 collect into a tuple, list, dict; add to one; pop, duplicate
    q r 94    h j                                      remember the top of the stack, push what was remembered
    c 93    Q                                          push what the table has for a name; for a persistent id
    R    b                                             apply a function of the table; attributes of a dict, left out
    i                                                  refused with the name that it has
    .                                                  the end: the object is on the stack

The meaning of each is in Python's `pickletools`. Every length is compared with the bytes that are left before it is
used; what is remembered is a dict, so that no number makes it large; there are at most 2^19 steps, each of which
makes at most some hundred bytes; and keys are texts or ints, so that nothing that is nested is hashed, printed or
walked through.
"""

from collections.abc import Callable, Mapping

from lightnn.io.errors import FormatError
from lightnn.io.pickle_opcodes import OPCODES

MOST_STEPS = 2**19  # a tensor takes about 40
MOST_NAME = 500


def read_pickle(
    data: memoryview, at: int, names: Mapping[str, object], persistent: Callable[[object], object]
) -> tuple[object, int]:
    """(the object of the pickle that begins at byte `at`, the byte after its end).

    names: what a name such as "collections.OrderedDict" stands for, a Function, or anything else to push as it is.
    persistent: gives the object of a persistent id. FormatError says what is wrong and at which byte.
    """
    machine, begin = _Machine(data, at, names, persistent), at
    try:
        while True:
            begin = machine.at
            machine.spend(1)
            opcode = machine.take(1)[0]
            if opcode == ord("."):
                return machine.pop(), machine.at
            if opcode not in OPCODES:
                raise FormatError(f"opcode 0x{opcode:02x} is none of those that a state dict needs")
            OPCODES[opcode](machine)
    except (FormatError, UnicodeError) as error:
        raise FormatError(f"in the pickle, at byte {begin}: {error}") from None


class _Machine:
    """The stack, the marks in it (how much was below each), what is remembered, and the place in the bytes."""

    def __init__(self, data, at, names, persistent):
        self.data, self.at, self.names, self.persistent = data, at, names, persistent
        self.stack, self.marks, self.remembered = [], [], {}
        self.steps = 0  # opcodes, and what is copied by one

    def spend(self, steps):
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise FormatError(f"want a pickle of at most {MOST_STEPS} steps, got more")

    def take(self, count):
        if not 0 <= count <= len(self.data) - self.at:
            raise FormatError(f"want {count} more bytes, but only {len(self.data) - self.at} are left")
        self.at += count
        return bytes(self.data[self.at - count : self.at])

    def number(self, form):
        return form.unpack(self.take(form.size))[0]

    def line(self):
        raw, newline, _ = bytes(self.data[self.at : self.at + MOST_NAME]).partition(b"\n")
        if not newline:
            raise FormatError(f"want a line of at most {MOST_NAME} bytes, got none that ends")
        self.at += len(raw) + 1
        return raw.decode()

    def push(self, value):
        self.stack.append(value)

    def top(self, wanted=object):
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise FormatError(f"want a {wanted.__name__} on the stack, got nothing above the last mark")
        if not isinstance(self.stack[-1], wanted):
            raise FormatError(f"want a {wanted.__name__} on the stack, got a {type(self.stack[-1]).__name__}")
        return self.stack[-1]

    def pop(self, wanted=object):
        value = self.top(wanted)
        del self.stack[-1]
        return value

    def pop_marked(self):
        if not self.marks:
            raise FormatError("want a mark on the stack, got none")
        at = self.marks.pop()
        values = self.stack[at:]
        del self.stack[at:]
        return values
