"""Shared by the tests of files: how much Python a call runs, as a clock that other programs do not slow down."""

import sys

import pytest


@pytest.fixture
def calls_of():
    """calls_of(fn): how often Python functions and generators are entered in fn()."""

    def calls_of(fn):
        count = 0

        def profile(frame, event, arg):
            nonlocal count
            count += event == "call"

        sys.setprofile(profile)
        try:
            fn()
        finally:
            sys.setprofile(None)
        return count

    return calls_of
