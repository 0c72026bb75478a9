"""The exercises: stubs to fill in, tests that grade them, and the report."""
