"""The papers' experiments, one file a paper: each returns the paper's table beside ours."""
