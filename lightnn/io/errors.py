"""The one error that reading a file raises, and how it quotes what the file holds."""

from lightnn.files import FormatError

__all__ = ["FormatError", "one_line"]


def one_line(text, most=400):
    """The text with whatever does not print replaced, and cut where it is too long: files may hold anything."""
    text = "".join(c if c.isprintable() else "?" for c in str(text))
    return text if len(text) <= most else text[:most] + " ..."
