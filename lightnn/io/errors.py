"""The one error that reading a model file raises."""


class FormatError(ValueError):
    """The file is not a .lnn file that this version can read; the message says what is wrong and where."""


def one_line(text, most=400):
    """The text with whatever does not print replaced, and cut where it is too long: files may hold anything."""
    text = "".join(c if c.isprintable() else "?" for c in str(text))
    return text if len(text) <= most else text[:most] + " ..."
