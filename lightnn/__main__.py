"""The command line: `python -m lightnn COMMAND`. Arguments to functions, and their errors to one line."""

import argparse
import importlib
import os
import shlex
import sys


def study(arguments):
    from lightnn.study import execute, open_lab

    if arguments.execute is not None:
        print(f"executed: {execute(arguments.execute)}")
        return 0
    return open_lab(arguments.chapter, arguments.port, not arguments.no_browser)


def compress(arguments):
    from lightnn.files import check_writable
    from lightnn.papers import deep_compression
    from lightnn.papers.lab import record
    from lightnn.papers.lab.journal import Journal

    if arguments.json and os.path.abspath(arguments.json) == os.path.abspath(arguments.output):
        raise ValueError(f"want two files for the network and the results, got {arguments.output} for both")
    for path in filter(None, (arguments.output, arguments.json)):
        check_writable(path)
    subject = deep_compression.SUBJECTS[arguments.model]
    recipe = subject.quick if arguments.quick else subject.full
    journal = Journal.open(f"compress {arguments.model}", arguments.seed, recipe, arguments.fresh)
    result = deep_compression.compress_network(
        arguments.model, arguments.output, recipe, arguments.seed, journal=journal
    )
    print(f"\n{deep_compression.format_tables(result)}\n\n{arguments.output}: {result['size_bytes']:,} bytes")
    print(f"python -m lightnn inspect {arguments.output} shows what they are.")
    if arguments.json:
        record.write(arguments.json, command(), arguments.seed, result)
    journal.forget()
    return 0


def reproduce(arguments):
    from lightnn.papers.lab.reproduce import run

    run(arguments.paper, command(), arguments.seed, arguments.quick, arguments.json, arguments.fresh)
    return 0


def command():
    """This very command, as a result's record says it."""
    return "python -m lightnn " + shlex.join(sys.argv[1:])


def inspect(arguments):
    from lightnn.io import inspect

    print(inspect(arguments.file))
    return 0


def exercise(arguments):
    from lightnn.study.exercises import stubs
    from lightnn.study.exercises.sheets import sheet, sheets_of

    if arguments.reference:
        chosen = [sheet(arguments.number)] if "." in arguments.number else sheets_of(arguments.number)
        print("\n\n".join(stubs.show_reference(s.number) for s in chosen))
        return 0
    chapter = arguments.number.partition(".")[0].zfill(2)
    path, written = stubs.write_stubs(chapter)
    shown = os.path.relpath(path)
    if written:
        print(f"{shown}: wrote {len(written)} exercises, {written[0]} to {written[-1]}")
    else:
        print(f"{shown}: left as it is; it has all {len(sheets_of(chapter))} exercises")
    print(f"python -m lightnn check {chapter} grades them.")
    return 0


def check(arguments):
    from lightnn.study.exercises import checking

    if arguments.number is None:
        return checking.progress()
    number = arguments.number if "." in arguments.number else arguments.number.zfill(2)
    if arguments.watch:
        return checking.watch(number)
    return checking.check(number, hint=arguments.hint)


def book(arguments):
    from lightnn.study.book import execute_and_compare, lint_chapters

    if arguments.what == "lint":
        return 1 if lint_chapters() else 0
    return 1 if execute_and_compare(arguments.chapter, write=arguments.write) else 0


def bench(arguments):
    from lightnn.files import check_writable
    from lightnn.papers.lab import record

    for target in filter(None, (arguments.json, arguments.plot)):
        check_writable(target)
    for family in arguments.families:
        if family not in arguments.kinds:
            raise ValueError(f"want one of {', '.join(arguments.kinds)}; got {family}")
    sparse = "sparse" in arguments.families
    suite = importlib.import_module(f"lightnn.bench.{'sparse' if sparse else 'convolution'}")
    if sparse and len(arguments.families) > 1:
        raise ValueError(f"want sparse alone, it is a benchmark of its own; got {' '.join(arguments.families)}")
    result = suite.run() if sparse else suite.run(arguments.families or tuple(suite.FAMILIES))
    if arguments.json:
        record.write(arguments.json, command(), 0, result)
    if arguments.plot:
        suite.plot(result, arguments.plot)
    return 0


FRESH = "begin anew instead of going on after the finished steps of an interrupted run"


class OneLine(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (--help lists what there is)\n")


def parser():
    top = OneLine("python -m lightnn", description="Neural-network compression, to read, run and rebuild.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_reading(commands)
    _add_experiments(commands)
    return top


def _add_reading(commands):
    """study, exercise, check, book."""
    p = commands.add_parser("study", help="open a chapter in JupyterLab, or run it")
    p.add_argument("chapter", nargs="?", metavar="NN", help="the chapter's number (default 00)")
    p.add_argument("--execute", metavar="NN", help="run chapter NN without JupyterLab and say where the result is")
    p.add_argument("--no-browser", action="store_true", help="serve, but open no browser")
    p.add_argument("--port", type=int, default=8888)
    p.set_defaults(run=study)
    p = commands.add_parser("exercise", help="write the functions of a chapter that are yours to write")
    p.add_argument("number", metavar="NN", help="the chapter, such as 04, or with --reference an exercise, 04.5")
    p.add_argument("--reference", action="store_true", help="print the reference solution instead")
    p.set_defaults(run=exercise)
    p = commands.add_parser("check", help="grade your functions, or show how far you are in the book")
    p.add_argument("number", nargs="?", metavar="NN", help="a chapter, 04, or an exercise, 04.5 (default: the book)")
    p.add_argument("--hint", action="store_true", help="give one more hint for the first that is not passed")
    p.add_argument("--watch", action="store_true", help="check again whenever your file changes")
    p.set_defaults(run=check)
    p = commands.add_parser("book", help="run the chapters again and compare, or check their form")
    p.add_argument("what", choices=["execute", "lint"], metavar="WHAT", help="execute or lint")
    p.add_argument("chapter", nargs="?", metavar="NN", help="for execute: one chapter (default: all)")
    p.add_argument("--write", action="store_true", help="for execute: replace the committed chapters by this run")
    p.set_defaults(run=book)


def _add_experiments(commands):
    """compress, reproduce, inspect, bench."""
    p = commands.add_parser("compress", help="train a network, compress it, and write it to a file")
    p.add_argument("model", choices=["lenet_300_100", "lenet5"], metavar="MODEL", help="lenet_300_100 or lenet5")
    p.add_argument("-o", "--output", required=True, metavar="FILE", help="the .lnn file to write")
    p.add_argument("--quick", action="store_true", help="fewer epochs: about a minute, with a larger error")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--json", metavar="FILE", help="also write the results, with seed and machine, to this file")
    p.add_argument("--fresh", action="store_true", help=FRESH)
    p.set_defaults(run=compress)
    p = commands.add_parser("reproduce", help="run a paper's experiment and print its tables beside ours")
    papers = ["han2015", "li2016", "deep-compression"]
    p.add_argument("paper", choices=papers, metavar="PAPER", help="han2015, li2016 or deep-compression")
    p.add_argument("--quick", action="store_true", help="fewer epochs: a minute or two, with larger errors")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--json", metavar="FILE", help="write the numbers here (default for a full run: chapters/results)")
    p.add_argument("--fresh", action="store_true", help=FRESH)
    p.set_defaults(run=reproduce)
    p = commands.add_parser("inspect", help="tabulate what the bytes of a .lnn file are")
    p.add_argument("file", metavar="FILE")
    p.set_defaults(run=inspect)
    p = commands.add_parser("bench", help="time the kernels against PyTorch, or plain NumPy without it")
    kinds = ["dense", "depthwise", "grouped", "shift", "sparse"]
    help_text = f"{', '.join(kinds[:-1])} (default: these four), or sparse"
    p.add_argument("families", nargs="*", metavar="FAMILY", help=help_text)
    p.add_argument("--json", metavar="FILE", help="also write the results, with the machine, to this file")
    p.add_argument("--plot", metavar="FILE", help="also draw the ratios to this picture (.png or .svg)")
    p.set_defaults(run=bench, kinds=kinds)


def main(argv=None):
    arguments = parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
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
