"""python -m lightnn: arguments to functions, and their errors to one line."""

import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import lightnn
import lightnn.papers
from lightnn import journal
from lightnn.__main__ import main
from lightnn.papers import deep_compression, han2015
from lightnn.papers.deep_compression import experiment as deep_compression_experiment
from lightnn.papers.deep_compression import reproduction
from lightnn.papers.lab import registry
from lightnn.papers.lab import run as lab_run
from lightnn.papers.lab.lock import alone
from lightnn.study.exercises.sheets import chapters

COMPRESS = ["compress", "lenet_300_100", "-o"]


@pytest.fixture
def run(capsys):
    """run(*arguments): (exit status, standard output, standard error)."""

    def run(*arguments):
        try:
            status = main([str(a) for a in arguments])
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    return run


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path_factory):
    """A user's cache of this test's own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *args, **options: str(folder))
    return folder


@pytest.fixture
def experiment(monkeypatch):
    """Stands for the experiment; what it was called with, and it does what `experiment.does` says."""

    class Experiment:
        calls = []
        does = staticmethod(lambda path: lightnn.save(lightnn.nn.Linear(3, 2), path))

        def __call__(self, name, path, pipeline, session):
            self.calls.append((name, path, pipeline, session.seed))
            self.finished = session.journal.step("finished", lambda: {"by call": len(self.calls)})["by call"]
            size = self.does(path)
            row = dict.fromkeys(["kept %", "weight bits", "weight bits H", "index bits", "index bits H"], 1.0)
            table = {"fc1": {"weights": 6, **row, "rate %": 3.0, "rate % H": 2.0}}
            errors = {"reference error %": 1.64, "compressed error %": 1.58}
            return errors | {"size_bytes": size, "rate": 40.0, "table 2": table}

    experiment = Experiment()
    experiment.calls = []
    monkeypatch.setattr(deep_compression_experiment, "compress_network", experiment)
    no_control = {"network": "lenet_300_100", "epochs": {"reference": 1}, "runs": {"0": {"reference": 1.64}}}
    monkeypatch.setattr(reproduction, "control", lambda *arguments: no_control)
    return experiment


@pytest.fixture
def folder(tmp_path):
    """A folder with a file of text, a folder and a good .lnn file."""
    (tmp_path / "text.lnn").write_text("some text")
    (tmp_path / "folder").mkdir()
    lightnn.save(lightnn.nn.Linear(3, 2, rng=0), tmp_path / "good.lnn")
    (tmp_path / "cut.lnn").write_bytes((tmp_path / "good.lnn").read_bytes()[:-1])
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "COMMAND"),
        ("nonsense", "nonsense"),
        ("--nonsense", "COMMAND"),
        ("inspect", "FILE"),
        ("inspect a b", "unrecognized arguments: b"),
        ("inspect missing.lnn", "missing.lnn"),
        ("inspect folder", "folder"),
        ("inspect text.lnn", "text.lnn: not a .lnn file"),
        ("inspect cut.lnn", "cut.lnn: the checksum does not fit"),
        ("compress", "MODEL"),
        ("compress lenet_300_100", "-o"),
        ("compress vgg16 -o a.lnn", "vgg16"),
        ("compress lenet_300_100 -o a.lnn --seed x", "--seed"),
        ("compress lenet_300_100 -o missing/a.lnn", "missing/a.lnn"),
        ("compress lenet_300_100 -o text.lnn/a.lnn", "text.lnn/a.lnn"),
        ("compress lenet_300_100 -o folder", "folder"),
        ("compress lenet_300_100 -o a.lnn --json missing/a.json", "missing/a.json"),
        ("compress lenet_300_100 -o a.lnn --json a.lnn", "a.lnn"),
        ("compress lenet_300_100 -o a.lnn --json a.lnn --int8", "want two files"),
        ("compress lenet_300_100 -o missing/a.lnn --bits 4", "missing/a.lnn"),
        ("compress lenet_300_100 -o a.lnn --bits 9", "want a number of bits from 2 to 8, got '9'"),
        ("compress lenet_300_100 -o a.lnn --bits 1", "want a number of bits from 2 to 8, got '1'"),
        ("compress lenet_300_100 -o a.lnn --mixed 0", "want a number of bytes from 1"),
        ("compress lenet_300_100 -o a.lnn --int8 --bits 4", "not allowed with argument --int8"),
        ("bench dense nope", "training, zoo, measures; got nope"),
        ("bench dense sparse", "want sparse alone, it is a benchmark of its own; got dense sparse"),
        ("bench zoo --plot a.png", "zoo has no picture: leave out --plot"),
        ("study 99", "no chapter 99"),
        ("study abc", "no chapter abc"),
        ("study --execute 99", "no chapter 99"),
        ("study 00 --port x", "--port"),
    ],
)
def test_a_wrong_argument_gives_one_clear_line_and_status_2(run, folder, monkeypatch, experiment, arguments, message):
    monkeypatch.chdir(folder)
    before = {name: os.path.getsize(name) for name in os.listdir()}
    status, out, error = run(*arguments.split())
    assert status == 2 and out == "" and message in error
    assert len(error.splitlines()) == 1, error
    assert not experiment.calls  # it is said before the training, not after
    assert before == {name: os.path.getsize(name) for name in os.listdir()}


def test_inspect_prints_the_report(run, folder):
    assert run("inspect", folder / "good.lnn") == (0, f"{lightnn.inspect(folder / 'good.lnn')}\n", "")


@pytest.mark.parametrize("quick", [False, True])
def test_compress_runs_the_experiment_and_prints_the_tables(run, folder, monkeypatch, experiment, quick):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["lightnn", "compress", "..."])
    options = ["--seed", "7", "--json", "a.json", *(["--quick"] if quick else [])]
    status, out, error = run(*COMPRESS, "a.lnn", *options)
    assert (status, error) == (0, "")
    subject = deep_compression.SUBJECTS["lenet_300_100"]
    assert experiment.calls == [("lenet_300_100", "a.lnn", subject.quick if quick else subject.full, 7)]
    assert f"a.lnn: {os.path.getsize('a.lnn'):,} bytes" in out and "paper" in out
    record = json.loads((folder / "a.json").read_text())
    assert record["seed"] == 7 and record["command"] == "python -m lightnn compress ..." and record["rate"] == 40


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (journal.Interrupted("interrupted in the stage 'x'"), 130, "lightnn compress: interrupted in the sta"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (FloatingPointError("train: the loss is nan"), 1, "lightnn compress: train: the loss is nan"),
        (OSError("cannot write a.lnn: No space left on device"), 2, "lightnn compress: cannot write a.lnn"),
    ],
)
def test_what_ends_a_run_is_said_in_one_line(run, folder, experiment, error, status, line):
    def fail(path):
        raise error

    experiment.does = fail
    got, out, err = run(*COMPRESS, folder / "a.lnn")
    assert got == status and out == "" and err.startswith(line) and len(err.splitlines()) == 1


@pytest.mark.parametrize("fresh", [False, True])
def test_an_interrupted_compress_continues_and_a_finished_one_starts_over(run, folder, experiment, cache, fresh):
    arguments, does = [*COMPRESS, folder / "a.lnn", *(["--fresh"] if fresh else [])], experiment.does

    def interrupt(path):
        raise journal.Interrupted("interrupted in 'x'; the same command continues from here")

    experiment.does = interrupt
    assert run(*arguments) == (130, "", "lightnn compress: interrupted in 'x'; the same command continues from here\n")
    experiment.does = does
    status, out, _ = run(*arguments)
    assert status == 0 and experiment.finished == (2 if fresh else 1)
    assert ("continuing after 1 finished step of" in out) != fresh
    assert not list(cache.rglob("*.json"))
    assert run(*arguments)[0] == 0 and experiment.finished == 3


class Experiment:
    """Stands for a paper's experiment."""

    def __init__(self, fails=None):
        self.calls, self.fails, self.records = [], fails, lambda result: {"han2015.json": result}

    def reproduce(self, session):
        self.calls.append((session.seed, session.quick))
        numbers = session.journal.step("long", lambda: {"error %": 1.5, "call": len(self.calls)})
        if self.fails:
            raise self.fails
        session.say("a line")
        return numbers

    def format_tables(self, result):
        return f"error {result['error %']} %"


@pytest.fixture
def paper(monkeypatch, folder):
    """The stand-in for han2015, and folder / "results" for chapters/results."""
    paper = Experiment()
    (folder / "results").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["lightnn", "reproduce", "..."])
    monkeypatch.setattr(lab_run, "RESULTS", folder / "results")
    functions = {"reproduce": paper.reproduce, "format_tables": paper.format_tables}
    functions["records"] = lambda result: paper.records(result)
    monkeypatch.setattr(han2015, "PAPER", dataclasses.replace(han2015.PAPER, **functions))
    return paper


def test_reproduce_prints_the_tables_and_writes_the_committed_result(run, folder, paper):
    status, out, error = run("reproduce", "han2015", "--seed", "3")
    assert (status, error) == (0, "") and out == "a line\n\nerror 1.5 %\n\nwritten: han2015.json\n"
    record = json.loads((folder / "results" / "han2015.json").read_text())
    assert record["command"] == "python -m lightnn reproduce ..." and record["seed"] == 3 and record["error %"] == 1.5
    assert paper.calls == [(3, False)] and {"machine", "call"} < record.keys()


def test_a_paper_may_have_several_files(run, folder, paper):
    paper.records = lambda result: {"a.json": {"n": 1}, "b.json": {"n": 2}}
    assert run("reproduce", "han2015")[0] == 0
    assert sorted(os.listdir("results")) == ["a.json", "b.json"]
    assert json.loads((folder / "results" / "b.json").read_text())["n"] == 2


def test_a_quick_run_writes_only_where_it_is_told(run, folder, paper):
    assert run("reproduce", "han2015", "--quick")[:2] == (0, "a line\n\nerror 1.5 %\n")
    assert run("reproduce", "han2015", "--quick", "--json", "q.json")[0] == 0
    assert run("reproduce", "han2015", "--json", "f.json")[0] == 0
    assert os.listdir("results") == [] and paper.calls == [(0, True), (0, True), (0, False)]
    assert json.loads((folder / "q.json").read_text())["call"] == 2


def test_without_a_clone_a_full_run_prints_only(run, folder, paper):
    (folder / "results").rmdir()
    assert run("reproduce", "han2015")[:2] == (0, "a line\n\nerror 1.5 %\n")


def test_an_interrupted_reproduce_goes_on_unless_fresh(run, folder, paper, cache):
    paper.fails = KeyboardInterrupt()
    assert run("reproduce", "han2015", "--quick")[0] == 130
    paper.fails = journal.Interrupted("interrupted in 'x'; the same command continues from here")
    status, out, error = run("reproduce", "han2015", "--quick")
    assert (
        status == 130 and "continuing after 1 finished step of" in out and error.startswith("lightnn reproduce: interr")
    )
    paper.fails = None
    run("reproduce", "han2015", "--quick", "--json", "a.json")
    assert json.loads((folder / "a.json").read_text())["call"] == 1 and not list(cache.rglob("*.json"))
    paper.fails = KeyboardInterrupt()
    run("reproduce", "han2015", "--quick")
    paper.fails = None
    assert "continuing" not in run("reproduce", "han2015", "--quick", "--fresh", "--json", "a.json")[1]
    assert json.loads((folder / "a.json").read_text())["call"] == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("reproduce", "PAPER"),
        ("reproduce han2016", "choose from ablations, architectures, composition, "),
        ("reproduce han2015 --seed x", "--seed"),
        ("reproduce han2015 --json missing/a.json", "missing/a.json"),
        ("reproduce han2015 --json folder", "folder"),
    ],
)
def test_a_wrong_argument_of_reproduce_is_one_line(run, paper, arguments, message):
    status, out, error = run(*arguments.split())
    assert status == 2 and out == "" and message in error.replace("'", "") and len(error.splitlines()) == 1
    assert not paper.calls


MADE_UP = """
from lightnn.papers.lab.registry import Paper

def reproduce(session):
    return session.journal.step("count", lambda: {"seed": session.seed, "quick": session.quick})

PAPER = Paper("nobody2030", "what nobody wrote", "3001.00001", 1, 1, reproduce, lambda numbers: f"a table {numbers}")
"""


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """A paper whose folder lies in lightnn/papers for the time of a test."""
    folder = tmp_path / "papers" / "nobody2030"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(MADE_UP)
    monkeypatch.setattr("lightnn.papers.__path__", [*lightnn.papers.__path__, str(folder.parent)])
    yield folder
    sys.modules.pop("lightnn.papers.nobody2030", None)


def test_the_command_line_offers_a_paper_that_has_a_folder(run, made_up, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(lab_run, "RESULTS", made_up / "no such folder")
    names = list(registry.papers())
    assert names[-3:] == ["kill-the-bits", "quantization-networks", "nobody2030"] and "han2015" in names
    out = run("reproduce", "--help")[1]
    assert max(map(len, out.splitlines())) <= 80
    assert "quantization-networks,nobody2030" in "".join(out.split()) and "what nobody wrote" in out
    assert run("reproduce", "nobody2030", "--seed", "4") == (0, "\na table {'seed': 4, 'quick': False}\n", "")
    assert "nobody2030" in run("reproduce", "nobody2031")[2]


def test_compress_offers_every_subject(run, monkeypatch):
    monkeypatch.setitem(deep_compression.SUBJECTS, "lenet_made_up", None)
    assert "lenet_made_up" in run("compress", "--help")[1]


def test_a_bug_is_not_hidden(folder, experiment):
    experiment.does = lambda path: {}["no such key"]
    with pytest.raises(KeyError):
        main([*COMPRESS, str(folder / "a.lnn")])


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["compress", "--help"], ["inspect", "-h"], ["study", "-h"], ["reproduce", "-h"], ["bench", "-h"]],
)
def test_help_fits_the_terminal_and_is_no_error(run, monkeypatch, arguments):
    monkeypatch.setenv("COLUMNS", "80")
    status, out, error = run(*arguments)
    assert (status, error) == (0, "") and max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(("name", "status"), [("good.lnn", 0), ("cut.lnn", 2)])
def test_the_module_runs_as_a_program(folder, name, status):
    root = os.path.dirname(os.path.dirname(lightnn.__file__))
    done = subprocess.run(
        [sys.executable, "-m", "lightnn", "inspect", str(folder / name)],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": root},
    )
    assert done.returncode == status and "Traceback" not in done.stderr
    assert ("total" in done.stdout) == (status == 0) and len(done.stderr.splitlines()) == (status == 2)


def test_unwritable_json_after_a_long_run_keeps_the_network(run, folder, experiment):
    """The folder of the record goes while the training runs: the network is in its file all the same."""
    (folder / "gone").mkdir()

    def train(path):
        (folder / "gone").rmdir()
        return lightnn.save(lightnn.nn.Linear(3, 2, rng=0), path)

    experiment.does = train
    status, _, error = run(*COMPRESS, folder / "a.lnn", "--json", folder / "gone" / "a.json")
    assert status == 2 and "cannot write" in error
    np.testing.assert_array_equal(lightnn.load(folder / "a.lnn").bias.data, lightnn.nn.Linear(3, 2, rng=0).bias.data)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["exercise", "00"], f"lightnn exercise: chapter 00 has no exercises; there are {', '.join(chapters())}"),
        (["exercise", "04.77", "--reference"], "lightnn exercise: no exercise 04.77; there are 04.1, "),
        (["check", "99"], "lightnn check: chapter 99 has no exercises"),
        (["book", "execute", "77"], "lightnn book: no chapter 77; there are 00, 01, "),
        (["book", "read"], "invalid choice: 'read'"),
    ],
)
def test_a_wrong_chapter_or_exercise_is_one_line(run, arguments, said):
    status, out, err = run(*arguments)
    assert status == 2 and said in err and err.count("\n") == 1 and not out


def test_the_reference_is_one_command_away(run):
    status, out, _ = run("exercise", "04.2", "--reference")
    assert status == 0 and "def look_up(codebook, *, codes):" in out and "np.bincount" in out
    status, out, _ = run("exercise", "12", "--reference")
    assert out.count("\ndef ") == 8


def test_book_lint_passes_on_the_committed_chapters(run):
    status, out, _ = run("book", "lint")
    assert status == 0 and out.endswith("chapters, 0 complaints\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("compress lenet_300_100 -o a.lnn --seed -1", "want a seed from 0 to 9223372036854775807, got '-1'"),
        ("compress lenet_300_100 -o a.lnn --seed 1e3", "want a seed from 0"),
        ("compress lenet_300_100 -o a.lnn --seed ²", "want a seed from 0"),
        ("compress lenet_300_100 -o a.lnn --seed --1", "--seed"),
        ("compress lenet_300_100 -o a.lnn --seed " + "9" * 5000, "want a seed from 0"),
        ("reproduce han2015 --seed 99999999999999999999", "want a seed from 0"),
        ("study --port -5", "want a port from 1 to 65535, got '-5'"),
        ("study --port 0", "want a port from 1 to 65535, got '0'"),
        ("study --port 99999", "want a port from 1 to 65535, got '99999'"),
        ("exercise 04.99", "no exercise 04.99; there are 04.1, "),
        ("bench zoo --plot a.txt", "--plot: want a name that ends in .png or .svg, got 'a.txt'"),
        ("bench dense --plot a", "--plot: want a name that ends in .png or .svg, got 'a'"),
        ("compress lenet_300_100 -o a.lnn --json link.json", "want two files for the network and the results"),
        ("compress lenet_300_100 -o link.json --json a.lnn", "want two files for the network and the results"),
        ("compress lenet_300_100 -o circle", "cannot write circle: "),
        ("compress lenet_300_100 -o /dev/null", "cannot write /dev/null: it is a device"),
        ("compress lenet_300_100 -o a.lnn --json /dev/null", "cannot write /dev/null: it is a device"),
    ],
)
def test_what_can_not_work_is_said_before_the_work(run, folder, monkeypatch, experiment, arguments, message):
    monkeypatch.chdir(folder)
    (folder / "link.json").symlink_to("a.lnn")
    (folder / "circle").symlink_to("circle")
    before = sorted(os.listdir())
    status, out, error = run(*arguments.split())
    assert status == 2 and out == "" and message in error and len(error.splitlines()) == 1, error
    assert not experiment.calls and sorted(os.listdir()) == before


@pytest.mark.parametrize("arguments", [["-o", ""], ["-o", "a.lnn", "--json", ""]])
def test_an_empty_name_is_no_file(run, folder, monkeypatch, experiment, arguments):
    monkeypatch.chdir(folder)
    status, out, error = run("compress", "lenet_300_100", *arguments)
    assert (status, out) == (2, "") and error == "lightnn compress: cannot write '': want the name of a file\n"
    assert not experiment.calls


def test_an_empty_name_is_no_file_for_reproduce_and_bench_either(run, paper):
    for arguments in (["reproduce", "han2015", "--json", ""], ["reproduce", "han2015", "--quick", "--json", ""]):
        assert run(*arguments)[0] == 2
    assert run("bench", "sparse", "--json", "")[0] == 2 and "--plot" in run("bench", "sparse", "--plot", "")[2]
    assert not paper.calls


def test_the_second_run_on_one_output_says_who_holds_it(run, folder, experiment):
    with alone([folder / "a.lnn"], "lightnn compress of another"):
        status, out, error = run(*COMPRESS, folder / "a.lnn")
    assert (status, out) == (2, "") and not experiment.calls
    assert error.startswith(f"lightnn compress: a.lnn: process {os.getpid()} (`lightnn compress of another`, since ")
    assert run(*COMPRESS, folder / "a.lnn")[0] == 0


def test_two_runs_that_share_a_journal_are_two_runs_on_one_output(run, folder, experiment):
    """Other files, but the same steps: the second would read what the first is writing."""
    found = []
    does = experiment.does

    def second(path):
        experiment.does = does
        found.append(run(*COMPRESS, folder / "b.lnn"))
        return does(path)

    experiment.does = second
    assert run(*COMPRESS, folder / "a.lnn")[0] == 0
    ((status, _, error),) = found
    assert status == 2 and "is writing it" in error and not (folder / "b.lnn").exists()


@pytest.mark.parametrize("there", ["a file", "full"])
def test_without_a_cache_the_run_goes_on_and_says_so(run, folder, experiment, cache, monkeypatch, there):
    if there == "a file":
        cache.rmdir()
        cache.write_bytes(b"")
    else:

        def no_space(path, data):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(journal, "write_atomically", no_space)
    status, out, error = run(*COMPRESS, folder / "a.lnn", "--json", folder / "a.json")
    assert (status, error) == (0, "") and out.count("finished steps are not kept") == 1
    assert lightnn.load(folder / "a.lnn").weight.shape == (2, 3) and (folder / "a.json").exists()


def program(*arguments, **options):
    """The command in a process of its own."""
    root = os.path.dirname(os.path.dirname(lightnn.__file__))
    environment = os.environ | {"PYTHONPATH": root} | options.pop("env", {})
    command = [sys.executable, "-m", "lightnn", *arguments]
    return subprocess.run(command, env=environment, timeout=120, **options)


@pytest.mark.thorough
@pytest.mark.skipif(os.name == "nt", reason="POSIX's pipes")
def test_the_reader_of_a_pipe_may_have_seen_enough(folder):
    model = lightnn.nn.Sequential(*(lightnn.nn.Linear(3, 3, rng=0) for _ in range(700)))  # more text than a pipe holds
    lightnn.save(model, folder / "many.lnn")
    root = os.path.dirname(os.path.dirname(lightnn.__file__))
    for reader in ("head -1", "true"):
        line = f"'{sys.executable}' -m lightnn inspect many.lnn | {reader}; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(
            ["bash", "-c", line], cwd=folder, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": root}
        )
        assert done.stderr == "" and done.stdout.splitlines()[-1] == "0", done
    assert len(done.stdout.splitlines()) == 1


NAMES = [os.fsdecode(b"\xff.lnn"), "모델.lnn", "é.lnn"]


@pytest.mark.thorough
@pytest.mark.skipif(os.name == "nt", reason="POSIX's locales")
@pytest.mark.parametrize("name", NAMES)
def test_a_file_may_have_any_name_in_any_locale(folder, name):
    lightnn.save(lightnn.nn.Linear(3, 2, rng=0), folder / name)
    for env in ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"LC_ALL": "C.UTF-8"}):
        done = program("inspect", os.fsencode(name), cwd=folder, capture_output=True, env=env)
        assert (done.returncode, done.stderr) == (0, b"") and b"total" in done.stdout
        done = program("inspect", os.fsencode(f"no {name}"), cwd=folder, capture_output=True, env=env)
        assert done.returncode == 2 and b"Traceback" not in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_record_may_name_a_file_of_any_name(run, folder, experiment, monkeypatch):
    name = os.fsdecode("é".encode() + b"\xff.lnn")
    monkeypatch.setattr(sys, "argv", ["lightnn", "compress", name])
    assert run(*COMPRESS, folder / name, "--json", folder / "a.json")[0] == 0
    assert json.loads((folder / "a.json").read_bytes())["command"].startswith("python -m lightnn compress")
