"""The one error that reading a file raises, and how it quotes what the file holds."""

from lightnn.files import FormatError, one_line

__all__ = ["FormatError", "one_line"]
