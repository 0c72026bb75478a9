"""What each opcode of a pickle does to the machine of `pickled`, and nothing else: the table OPCODES.

m is the machine. What a pickle names is looked up in m.names, and a function of it is a Function that is in there.
"""

import struct
from collections.abc import Callable

from lightnn.io.errors import FormatError

MOST_LONG, MOST_KEY = 16, 2**53  # bytes of an int; an int as a key
MOST_ARGUMENTS = 10
U1, U2, U4, U8, I4, F8 = map(struct.Struct, ("<B", "<H", "<I", "<Q", "<i", ">d"))


class Function:
    """What a pickle may apply to a tuple of arguments. It raises FormatError for those that do not fit."""

    def __init__(self, apply: Callable[[tuple], object]):
        self.apply = apply


def _number(form):
    return lambda m: m.push(m.number(form))


def _sized(form, decode):
    return lambda m: m.push(decode(m.take(m.number(form))))


def _long(m):
    if (count := m.number(U1)) > MOST_LONG:
        raise FormatError(f"want an int of at most {MOST_LONG} bytes, got {count}")
    m.push(int.from_bytes(m.take(count), "little", signed=True))


def _protocol(m):
    if (protocol := m.number(U1)) not in (2, 3, 4, 5):
        raise FormatError(f"want protocol 2, 3, 4 or 5, got {protocol}")


def _tuple(count):
    return lambda m: m.push(tuple([m.pop() for _ in range(count)][::-1]))


def _append(m):
    value = m.pop()
    m.top(list).append(value)


def _extend(m):
    values = m.pop_marked()
    m.top(list).extend(values)


def set_items(table: dict, items: list) -> dict:
    """Put the keys and values that alternate in `items` into the dict. FormatError for a key that is there already."""
    if len(items) % 2:
        raise FormatError("want a value for each key, got one too few")
    for key, value in zip(items[::2], items[1::2]):
        if not (isinstance(key, str) or (type(key) is int and abs(key) < MOST_KEY)):
            raise FormatError(f"want texts or ints as keys of a dict, got a {type(key).__name__}")
        if key in table:
            raise FormatError(f"the name {key!r} is there twice")
        table[key] = value
    return table


def _set_item(m):
    value, key = m.pop(), m.pop()
    set_items(m.top(dict), [key, value])


def _set_marked_items(m):
    items = m.pop_marked()
    set_items(m.top(dict), items)


def _push_named(m, name):
    if name not in m.names:
        raise _refused(name)
    m.push(m.names[name])


def _refused(name):
    return FormatError(
        f"it names {name}, which is none of the tensors, storages and containers that this reader knows; nothing was "
        "run. Want a file of torch.save(model.state_dict(), path)"
    )


def _name_on_stack(m):
    name, module = m.pop(str), m.pop(str)
    _push_named(m, f"{module}.{name}")


def _instance(m):
    raise _refused(f"{m.line()}.{m.line()}")


def _remember(form):
    def remember(m):
        m.remembered[len(m.remembered) if form is None else m.number(form)] = m.top()

    return remember


def _recall(form):
    def recall(m):
        if (number := m.number(form)) not in m.remembered:
            raise FormatError(f"nothing was remembered as number {number}")
        m.push(m.remembered[number])

    return recall


def _apply(m):
    arguments, function = m.pop(tuple), m.pop(Function)
    if len(arguments) > MOST_ARGUMENTS:
        raise FormatError(f"want at most {MOST_ARGUMENTS} arguments, got {len(arguments)}")
    m.spend(sum(len(a) for a in arguments if isinstance(a, list)))  # may be copied, each time it is applied
    m.push(function.apply(arguments))


def _leave_out_attributes(m):
    m.pop()
    m.top(dict)


OPCODES = {
    0x80: _protocol,
    0x95: lambda m: m.number(U8),
    ord("N"): lambda m: m.push(None),
    0x88: lambda m: m.push(True),
    0x89: lambda m: m.push(False),
    ord("K"): _number(U1),
    ord("M"): _number(U2),
    ord("J"): _number(I4),
    0x8A: _long,
    ord("G"): _number(F8),
    **{code: _sized(form, bytes.decode) for code, form in ((ord("X"), U4), (0x8C, U1), (0x8D, U8))},
    **{ord(code): _sized(form, bytes.decode) for code, form in (("T", I4), ("U", U1))},
    **{code: _sized(form, bytes) for code, form in ((ord("B"), U4), (ord("C"), U1), (0x8E, U8))},
    ord("]"): lambda m: m.push([]),
    ord("}"): lambda m: m.push({}),
    ord(")"): lambda m: m.push(()),
    ord("("): lambda m: m.marks.append(len(m.stack)),
    ord("t"): lambda m: m.push(tuple(m.pop_marked())),
    0x85: _tuple(1),
    0x86: _tuple(2),
    0x87: _tuple(3),
    ord("l"): lambda m: m.push(m.pop_marked()),
    ord("d"): lambda m: m.push(set_items({}, m.pop_marked())),
    ord("a"): _append,
    ord("e"): _extend,
    ord("s"): _set_item,
    ord("u"): _set_marked_items,
    ord("0"): lambda m: m.pop(),
    ord("1"): lambda m: m.pop_marked(),
    ord("2"): lambda m: m.push(m.top()),
    ord("q"): _remember(U1),
    ord("r"): _remember(U4),
    0x94: _remember(None),
    ord("h"): _recall(U1),
    ord("j"): _recall(U4),
    ord("c"): lambda m: _push_named(m, f"{m.line()}.{m.line()}"),
    0x93: _name_on_stack,
    ord("Q"): lambda m: m.push(m.persistent(m.pop())),
    ord("R"): _apply,
    ord("b"): _leave_out_attributes,
    ord("i"): _instance,
}
