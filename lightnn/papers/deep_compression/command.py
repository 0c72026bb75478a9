"""`python -m lightnn compress MODEL`: Deep Compression of one network, written to a .lnn file."""

from lightnn.papers.deep_compression import experiment
from lightnn.papers.deep_compression.tables import format_tables
from lightnn.papers.lab.run import Run, run_to_file
from lightnn.papers.lab.session import Session


def compress_to_file(
    model: str,
    output: str,
    command: str,
    seed: int = 0,
    quick: bool = False,
    path: str | None = None,
    fresh: bool = False,
) -> dict:
    """Compress a network of SUBJECTS to the file `output`, print its tables, and write the numbers to path, if any."""
    subject = experiment.SUBJECTS[model]
    pipeline = subject.quick if quick else subject.full

    def work(journal):
        return experiment.compress_network(model, output, pipeline, Session(journal, seed, quick))

    def report(result):
        size = f"{output}: {result['size_bytes']:,} bytes"
        return f"{format_tables(result)}\n\n{size}\npython -m lightnn inspect {output} shows what they are."

    run = Run(f"compress {model}", command, seed, pipeline, fresh)
    return run_to_file(run, work, report, output, path)
