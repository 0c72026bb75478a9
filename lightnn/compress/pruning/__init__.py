"""Choosing which weights or filters are removed."""
