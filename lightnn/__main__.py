"""The command line: `python -m lightnn COMMAND`. Arguments to functions, and their errors to one line."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from typing import NamedTuple

from lightnn import arguments_of as of


def study(arguments):
    from lightnn.study import execute, open_lab

    if arguments.execute is not None:
        print(f"executed: {execute(arguments.execute)}")
        return 0
    return open_lab(arguments.chapter, arguments.port, not arguments.no_browser, arguments.fresh)


def exercise(arguments):
    from lightnn.study.exercises import stubs
    from lightnn.study.exercises.sheets import sheet, sheets_of

    if arguments.reference:
        chosen = [sheet(arguments.number)] if "." in arguments.number else sheets_of(arguments.number)
        print("\n\n".join(stubs.show_reference(s.number) for s in chosen))
        return 0
    if "." in arguments.number:
        sheet(arguments.number)  # an unknown one is an error
    chapter = arguments.number.partition(".")[0].zfill(2)
    path, written = stubs.write_stubs(chapter)
    shown = os.path.relpath(path)
    if written:
        print(f"{shown}: wrote {len(written)} exercises, {written[0]} to {written[-1]}")
    else:
        print(f"{shown}: unchanged; it has all {len(sheets_of(chapter))} exercises")
    print(f"python -m lightnn check {chapter} grades them.")
    return 0


def check(arguments):
    from lightnn.study.exercises import checking

    if arguments.number is None:
        return checking.progress()
    if arguments.watch:
        from lightnn.study.exercises.watch import watch

        return watch(arguments.number)
    if arguments.debug:
        from lightnn.study.exercises.debug import debug

        return debug(arguments.number)
    return checking.check(arguments.number, hint=arguments.hint)


def book(arguments):
    from lightnn.study.book import execute_and_compare, lint_chapters

    if arguments.what == "lint":
        return 1 if lint_chapters() else 0
    if arguments.what == "html":
        from lightnn.study.book.pages import build_pages

        print(f"open {os.path.relpath(build_pages()[0])} in a browser")
        return 0
    return 1 if execute_and_compare(arguments.chapter, write=arguments.write) else 0


def compress(arguments):
    from lightnn.papers.deep_compression.command import compress_to_file
    from lightnn.papers.deep_compression.integers import Integers, OneBit, quantize_to_file

    files = arguments.model, arguments.output, command()
    if arguments.int8 or arguments.bits or arguments.mixed or arguments.binary:
        integers = OneBit() if arguments.binary else Integers(arguments.bits or 8, arguments.mixed)
        quantize_to_file(*files, integers, **of_long_run(arguments))
    else:
        compress_to_file(*files, **of_long_run(arguments))
    return 0


def reproduce(arguments):
    from lightnn.papers.lab.registry import papers
    from lightnn.papers.lab.run import reproduce

    reproduce(papers()[arguments.paper], command(), **of_long_run(arguments))
    return 0


def search(arguments):
    from lightnn.papers.lab.searching import search_to_file

    search_to_file(
        arguments.method, arguments.model, arguments.target, arguments.output, command(), **of_long_run(arguments)
    )
    return 0


def inspect(arguments):
    from lightnn.io import inspect

    print(inspect(arguments.file))
    return 0


def report(arguments):
    from lightnn.reporting import report

    options = {"accuracy": arguments.accuracy, "input_shape": arguments.input, "timing": not arguments.counts}
    print(report(arguments.target, **options, csv_path=arguments.csv, plot_path=arguments.plot))
    return 0


def classify(arguments):
    from lightnn.pretrained import report

    print(report(arguments.photo, arguments.model))
    return 0


def bench(arguments):
    from lightnn.bench.suite import run

    run(arguments.families, command(), arguments.json, arguments.plot)
    return 0


def of_long_run(arguments):
    return {"seed": arguments.seed, "quick": arguments.quick, "path": arguments.json, "fresh": arguments.fresh}


def command():
    """This very command, as a result's record says it."""
    return "python -m lightnn " + shlex.join(sys.argv[1:])


class Command(NamedTuple):
    """What `--help` says of a command, its arguments, and the function that runs it."""

    help: str
    declare: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


COMMANDS = {
    "study": Command("open your copy of a chapter in JupyterLab, or run the chapter", of.study, study),
    "exercise": Command("write the stubs of a chapter's functions for you to fill in", of.exercise, exercise),
    "check": Command("grade your functions, or show your progress in the book", of.check, check),
    "book": Command("run the chapters again and compare, check their form, or make pages of them", of.book, book),
    "compress": Command("train a network, compress it, and write it to a file", of.compress, compress),
    "reproduce": Command("run a paper's experiment and print its tables beside ours", of.reproduce, reproduce),
    "search": Command("let a search make a network smaller, and write it to a file", of.search, search),
    "inspect": Command("show what the bytes of a .lnn file are", of.inspect, inspect),
    "report": Command("show all measures of a .lnn file or of a known network", of.report, report),
    "classify": Command("name what a photograph shows, by a network trained on ImageNet", of.classify, classify),
    "bench": Command("time kernels and training against PyTorch", of.bench, bench),
}


class OneLine(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def parser(chosen):
    """The parser of all commands. Only the chosen one gets its arguments: their choices come from the registries, and
    `--help` should not have to import all papers and benchmarks."""
    top = OneLine("python -m lightnn", description="Neural-network compression, to read, run and rebuild.")
    subparsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, each in COMMANDS.items():
        p = subparsers.add_parser(name, help=each.help)
        if name == chosen:
            each.declare(p)
    return top


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that can't show a character shows its number
    arguments = parser(next(iter(argv), None)).parse_args(argv)
    try:
        status = COMMANDS[arguments.command].run(arguments)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe has seen enough: `inspect x | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, TypeError) as error:
        print(f"lightnn {arguments.command}: {error}", file=sys.stderr)
        return 2
    except Exception as error:
        if type(error).__name__ not in ("Interrupted", "CellExecutionError", "FloatingPointError"):
            raise
        print(f"lightnn {arguments.command}: {error}", file=sys.stderr)
        return 130 if type(error).__name__ == "Interrupted" else 1


if __name__ == "__main__":
    sys.exit(main())
