"""The command line: `python -m lightnn COMMAND`. Arguments to functions, and their errors to one line."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from typing import NamedTuple


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


def inspect(arguments):
    from lightnn.io import inspect

    print(inspect(arguments.file))
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


def _integer(name, least, most):
    """A type of argument: an integer from least to most."""

    def read(text):
        digits = text.removeprefix("-")
        readable = digits.isascii() and digits.isdigit() and len(digits) < 30  # int refuses ² and 5,000 digits
        if not readable or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"want a {name} from {least} to {most}, got {text!r}")
        return int(text)

    return read


def declare_study(p):
    p.add_argument("chapter", nargs="?", metavar="NN", help="the chapter's number (default: 00)")
    p.add_argument("--execute", metavar="NN", help="run chapter NN without JupyterLab and print the result's path")
    p.add_argument("--fresh", action="store_true", help="put your copy of the chapter aside and start with a new one")
    p.add_argument("--no-browser", action="store_true", help="serve the chapter without opening a browser")
    p.add_argument("--port", type=_integer("port", 1, 65535), default=8888, help="JupyterLab's port (default: 8888)")


def declare_exercise(p):
    p.add_argument("number", metavar="NN", help="the chapter, such as 04, or with --reference an exercise, 04.5")
    p.add_argument("--reference", action="store_true", help="print the reference solution instead")


def declare_check(p):
    p.add_argument("number", nargs="?", metavar="NN", help="a chapter, 04, or an exercise, 04.5 (default: all)")
    p.add_argument("--hint", action="store_true", help="give one more hint for the first exercise that is wrong")
    p.add_argument("--watch", action="store_true", help="one exercise at a time, graded whenever your file is saved")
    p.add_argument("--debug", action="store_true", help="make the failing call of one exercise under the debugger")


def declare_book(p):
    p.add_argument("what", choices=["execute", "lint"], metavar="WHAT", help="execute or lint")
    p.add_argument("chapter", nargs="?", metavar="NN", help="for execute: one chapter (default: all)")
    p.add_argument("--write", action="store_true", help="for execute: replace the committed chapters with this run")


def declare_compress(p):
    from lightnn.papers.deep_compression import SUBJECTS

    p.add_argument("model", choices=list(SUBJECTS), metavar="MODEL", help=" or ".join(SUBJECTS))
    p.add_argument("-o", "--output", required=True, metavar="FILE", help="the .lnn file to write")
    how = p.add_mutually_exclusive_group()
    how.add_argument("--int8", action="store_true", help="integers of 8 bits, instead of Deep Compression")
    how.add_argument("--bits", type=_integer("number of bits", 2, 8), metavar="K", help="weights of K bits, 2 to 8")
    budget = _integer("number of bytes", 1, 2**63 - 1)
    how.add_argument("--mixed", type=budget, metavar="BYTES", help="bits for each layer, within a file of BYTES")
    how.add_argument("--binary", action="store_true", help="weights of one bit, with a scale for each filter")
    declare_long_run(p, "fewer epochs: about a minute, with a larger error", "also write the results to this file")


def declare_reproduce(p):
    from lightnn.papers.lab.registry import papers, table

    p.add_argument("paper", choices=list(papers()), metavar="PAPER", help=", ".join(papers()))
    file = "write the results to this file (default for a full run: to chapters/results)"
    declare_long_run(p, "fewer epochs: a minute or two, with larger errors", file)
    p.formatter_class, p.epilog = argparse.RawDescriptionHelpFormatter, table()


def declare_long_run(p, quick, json):
    p.add_argument("--quick", action="store_true", help=quick)
    p.add_argument("--seed", type=_integer("seed", 0, 2**63 - 1), default=0, help="of all random draws (default: 0)")
    p.add_argument("--json", metavar="FILE", help=f"{json}, with command, seed and machine")
    p.add_argument("--fresh", action="store_true", help="start over, even if an interrupted run has finished steps")


def declare_inspect(p):
    p.add_argument("file", metavar="FILE", help="a .lnn file")


def declare_bench(p):
    from lightnn.bench.suite import table

    p.add_argument("families", nargs="*", metavar="FAMILY", help="one or several from one line of the table below")
    p.add_argument("--json", metavar="FILE", help="also write the results, with the machine, to this file")
    p.add_argument("--plot", metavar="FILE", help="also draw the results to this picture (.png or .svg)")
    p.formatter_class, p.epilog = argparse.RawDescriptionHelpFormatter, table()


class Command(NamedTuple):
    """What `--help` says of a command, its arguments, and the function that runs it."""

    help: str
    declare: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


COMMANDS = {
    "study": Command("open your copy of a chapter in JupyterLab, or run the chapter", declare_study, study),
    "exercise": Command("write the stubs of a chapter's functions for you to fill in", declare_exercise, exercise),
    "check": Command("grade your functions, or show your progress in the book", declare_check, check),
    "book": Command("run the chapters again and compare, or check their form", declare_book, book),
    "compress": Command("train a network, compress it, and write it to a file", declare_compress, compress),
    "reproduce": Command("run a paper's experiment and print its tables beside ours", declare_reproduce, reproduce),
    "inspect": Command("show what the bytes of a .lnn file are", declare_inspect, inspect),
    "bench": Command("time kernels and training against PyTorch", declare_bench, bench),
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
