"""Removing channels and neurons: which depend on each other, and the smaller network without them."""
