"""The one error that reading a model file raises."""


class FormatError(ValueError):
    """The file is not a .lnn file that this version can read; the message says what is wrong and where."""
