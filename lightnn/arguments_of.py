"""The arguments of each command: `study(p)` declares those of `python -m lightnn study` on the parser p, and so on."""

import argparse


def _integer(name, least, most):
    """A type of argument: an integer from least to most."""

    def read(text):
        digits = text.removeprefix("-")
        readable = digits.isascii() and digits.isdigit() and len(digits) < 30  # int refuses ² and 5,000 digits
        if not readable or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"want a {name} from {least} to {most}, got {text!r}")
        return int(text)

    return read


def _percent(text):
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"want a number of % from 0 to 100, got {text!r}")
    return value


def _image(text):
    """(C, H, W) of "3x224x224"."""
    read = _integer("size", 1, 2**16)
    parts = text.split("x")
    if len(parts) != 3:
        raise argparse.ArgumentTypeError(f"want CxHxW, such as 1x28x28, got {text!r}")
    return tuple(map(read, parts))


def study(p):
    p.add_argument("chapter", nargs="?", metavar="NN", help="the chapter's number (default: 00)")
    p.add_argument("--execute", metavar="NN", help="run chapter NN without JupyterLab and print the result's path")
    p.add_argument("--fresh", action="store_true", help="put your copy of the chapter aside and start with a new one")
    p.add_argument("--no-browser", action="store_true", help="serve the chapter without opening a browser")
    p.add_argument("--port", type=_integer("port", 1, 65535), default=8888, help="JupyterLab's port (default: 8888)")


def exercise(p):
    p.add_argument("number", metavar="NN", help="the chapter, such as 04, or with --reference an exercise, 04.5")
    p.add_argument("--reference", action="store_true", help="print the reference solution instead")


def check(p):
    p.add_argument("number", nargs="?", metavar="NN", help="a chapter, 04, or an exercise, 04.5 (default: all)")
    p.add_argument("--hint", action="store_true", help="give one more hint for the first exercise that is wrong")
    p.add_argument("--watch", action="store_true", help="one exercise at a time, graded whenever your file is saved")
    p.add_argument("--debug", action="store_true", help="make the failing call of one exercise under the debugger")


def book(p):
    p.add_argument("what", choices=["execute", "lint", "html"], metavar="WHAT", help="execute, lint or html")
    p.add_argument("chapter", nargs="?", metavar="NN", help="for execute: one chapter (default: all)")
    p.add_argument("--write", action="store_true", help="for execute: replace the committed chapters with this run")


def compress(p):
    from lightnn.papers.deep_compression import SUBJECTS

    p.add_argument("model", choices=list(SUBJECTS), metavar="MODEL", help=" or ".join(SUBJECTS))
    p.add_argument("-o", "--output", required=True, metavar="FILE", help="the .lnn file to write")
    how = p.add_mutually_exclusive_group()
    how.add_argument("--int8", action="store_true", help="integers of 8 bits, instead of Deep Compression")
    how.add_argument("--bits", type=_integer("number of bits", 2, 8), metavar="K", help="weights of K bits, 2 to 8")
    budget = _integer("number of bytes", 1, 2**63 - 1)
    how.add_argument("--mixed", type=budget, metavar="BYTES", help="bits for each layer, within a file of BYTES")
    how.add_argument("--binary", action="store_true", help="weights of one bit, with a scale for each filter")
    long_run(p, "fewer epochs: about a minute, with a larger error", "also write the results to this file")


def reproduce(p):
    from lightnn.papers.lab.registry import papers, table

    p.add_argument("paper", choices=list(papers()), metavar="PAPER", help=", ".join(papers()))
    file = "write the results to this file (default for a full run: to chapters/results)"
    long_run(p, "fewer epochs: a minute or two, with larger errors", file)
    p.formatter_class, p.epilog = argparse.RawDescriptionHelpFormatter, table()


def search(p):
    from lightnn.papers.lab.searching import METHODS, MODELS

    p.add_argument("method", choices=list(METHODS), metavar="METHOD", help=", ".join(METHODS))
    p.add_argument("model", choices=list(MODELS), metavar="MODEL", help=", ".join(MODELS))
    target = "latency=0.5x (netadapt, mnasnet), macs=0.5x (netadapt, amc) or bytes=20x (pocketflow)"
    p.add_argument("--target", required=True, metavar="WHAT=TIMESx", help=target)
    p.add_argument("-o", "--output", required=True, metavar="FILE", help="the .lnn file to write")
    long_run(p, "less training: a minute or two, with a larger error", "also write the results to this file")


def long_run(p, quick, json):
    p.add_argument("--quick", action="store_true", help=quick)
    p.add_argument("--seed", type=_integer("seed", 0, 2**63 - 1), default=0, help="of all random draws (default: 0)")
    p.add_argument("--json", metavar="FILE", help=f"{json}, with command, seed and machine")
    p.add_argument("--fresh", action="store_true", help="start over, even if an interrupted run has finished steps")


def inspect(p):
    p.add_argument("file", metavar="FILE", help="a .lnn file")


def report(p):
    p.add_argument("target", metavar="FILE|MODEL", help="a .lnn file, or a network of lightnn.models, such as resnet18")
    p.add_argument("--accuracy", type=_percent, metavar="PERCENT", help="for the scores (default: the published one)")
    p.add_argument("--input", type=_image, metavar="CxHxW", help="the images it takes (default: as far as it is known)")
    p.add_argument("--counts", action="store_true", help="only what is counted: no times, no training step")
    p.add_argument("--csv", metavar="FILE", help="also write the measures to this file")
    p.add_argument("--plot", metavar="FILE", help="also draw what each part costs to this picture (.png or .svg)")


def classify(p):
    p.add_argument("photo", metavar="PHOTO", help="a picture, such as a .jpg or .png file")
    p.add_argument("--model", metavar="FILE", help="a .lnn file (default: EfficientNet-Lite0 with ImageNet weights)")


def bench(p):
    from lightnn.bench.suite import table

    p.add_argument("families", nargs="*", metavar="FAMILY", help="one or several from one line of the table below")
    p.add_argument("--json", metavar="FILE", help="also write the results, with the machine, to this file")
    p.add_argument("--plot", metavar="FILE", help="also draw the results to this picture (.png or .svg)")
    p.formatter_class, p.epilog = argparse.RawDescriptionHelpFormatter, table()
