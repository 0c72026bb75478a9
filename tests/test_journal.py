"""lightnn/journal.py: finished steps are kept, found again bit for bit, dropped when damaged."""

import json
import time

import numpy as np
import pytest

from lightnn import journal as module
from lightnn import models
from lightnn.compress import prune, share
from lightnn.journal import Interrupted, Journal, draws, file_name


@pytest.fixture
def said():
    return []


@pytest.fixture
def journal(tmp_path, said):
    return Journal(tmp_path / "runs" / "a", said.append)


def never():
    raise AssertionError("this step was finished")


def test_a_finished_step_is_read_back_instead_of_done(journal, said):
    assert not journal.folder.exists()
    first = journal.step("x", lambda: {"error %": 0.1 + 0.2, "fractions": (1, 2)})
    assert first == {"error %": 0.1 + 0.2, "fractions": [1, 2]}  # as it will be read: no tuple the first time only
    assert journal.step("x", never) == Journal(journal.folder).step("x", never) == first
    assert journal.step("y", lambda: {"n": 1}) == {"n": 1}
    assert not said


def test_a_finished_network_is_read_back_bit_for_bit(journal):
    def work():
        model = models.lenet_300_100(rng=3)
        prune(model.fc1.weight, 1.0)
        share(model.fc2.weight, 3)
        model.fc3.weight.data[0, 0] = 1e-41  # a denormal number
        return model, {"error %": 2.5}

    first, numbers = journal.network("train", work)
    again, same = Journal(journal.folder).network("train", never)
    assert numbers == same == {"error %": 2.5} and not first.training
    want = dict(work()[0].named_parameters())
    for model in (first, again):
        for name, p in model.named_parameters():
            if name in want:
                np.testing.assert_array_equal(p().data, want[name]().data)


def test_a_network_without_its_numbers_is_not_finished(journal):
    journal.network("train", lambda: (models.lenet_300_100(rng=0), {"n": 1}))
    next(journal.folder.glob("*.json")).unlink()
    assert journal.network("train", lambda: (models.lenet_300_100(rng=0), {"n": 2}))[1] == {"n": 2}


@pytest.mark.parametrize("damage", [b"", b"{", b'{"numbers": ', b"[1]", b"{}", b"\xff\xfe"])
def test_damaged_numbers_are_dropped_with_a_line(journal, said, damage):
    journal.step("the step", lambda: {"n": 1})
    next(journal.folder.glob("*.json")).write_bytes(damage)
    assert journal.step("the step", lambda: {"n": 2}) == {"n": 2}
    assert len(said) == 1 and said[0] == "the finished step 'the step' can't be read and is done again"
    assert journal.step("the step", never) == {"n": 2} and len(said) == 1


@pytest.mark.parametrize("damage", ["cut", "gone", "text"])
def test_a_damaged_network_is_dropped_with_a_line(journal, said, damage):
    journal.network("train", lambda: (models.lenet_300_100(rng=0), {"n": 1}))
    path = next(journal.folder.glob("*.lnn"))
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-7] if damage == "cut" else b"some text")
    assert journal.network("train", lambda: (models.lenet_300_100(rng=0), {"n": 2}))[1] == {"n": 2}
    assert len(said) == 1 and "'train'" in said[0]
    assert journal.network("train", never)[1] == {"n": 2}


def test_a_step_that_fails_or_is_interrupted_leaves_no_entry(journal):
    def fails():
        raise RuntimeError("no")

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(RuntimeError, match="no"):
        journal.step("x", fails)
    for step in (journal.step, journal.network):
        with pytest.raises(Interrupted, match="interrupted in 'x'; the same command continues from here"):
            step("x", interrupted)
    with pytest.raises(TypeError):
        journal.step("x", lambda: {"n": np.zeros(2)})
    assert not list(journal.folder.rglob("*.*"))


def test_parts_have_names_of_their_own_and_seconds_add_up(journal):
    journal.step("x", lambda: {"n": 1})
    journal.part("lenet5").step("x", lambda: {"n": 2})
    assert journal.step("x", never) == {"n": 1} and journal.part("lenet5").step("x", never) == {"n": 2}
    assert journal.seconds >= journal.part("lenet5").seconds > 0
    next(journal.part("lenet5").folder.rglob("*.json")).write_text(json.dumps({"numbers": {}, "seconds": 2.5}))
    assert 0 < journal.seconds < 2.5  # what is damaged does not count
    journal.forget()
    assert not journal.folder.exists() and journal.seconds == 0
    journal.forget()


def test_names_are_safe_for_files_and_stay_apart():
    names = ["prune to 5% / 3", "prune to 5% : 3", "../../etc", "가지치기", "x" * 300, "X", "x", "con", ""]
    files = [file_name(name) for name in names]
    assert len(set(files)) == len(names)
    assert len({f.lower() for f in files}) == len(names)
    assert all(f and f.isascii() and len(f) < 80 and not set(f) & set("/\\:*?<>|%. ") for f in files)
    assert file_name("lenet5") == "lenet5"


def test_each_step_draws_its_own_numbers():
    first = draws(0, "a").random(5)
    np.testing.assert_array_equal(first, draws(0, "a").random(5))
    assert not np.isin(first, [draws(0, "b").random(5), draws(1, "a").random(5)]).any()
    with pytest.raises(ValueError, match="non-negative"):
        draws(-1, "a")


def test_open_finds_the_run_of_the_same_paper_seed_recipe_and_source(tmp_path, monkeypatch, said):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *args, **options: str(tmp_path))

    def opened(paper="han2015", seed=0, recipe="quick=True", **options):
        return Journal.open(paper, seed, recipe, say=said.append, **options)

    opened().step("x", lambda: {"n": 1})
    assert not said and opened().step("x", never) == {"n": 1}
    assert said == ["continuing after 1 finished step of an interrupted run (--fresh starts over)"]
    others = [opened(paper="li2016"), opened(seed=1), opened(recipe="quick=False")]
    monkeypatch.setattr(module, "source_digest", lambda: "changed")
    assert len({j.folder for j in (*others, opened())}) == 4 and not any(j._entries() for j in (*others, opened()))
    monkeypatch.undo()
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *args, **options: str(tmp_path))
    assert opened(fresh=True).step("x", lambda: {"n": 2}) == {"n": 2}
    assert all(tmp_path in j.folder.parents for j in others)


def forge(path, entry):
    """Write an entry of any structure, with a check that fits it."""
    text = json.dumps(entry)
    path.write_text(json.dumps({"entry": entry, "check": module._digest(text.encode())}))


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-3])


def a_folder(path):
    path.unlink()
    path.mkdir()
    (path / "inside").write_bytes(b"x")


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": cut_short,
    "not UTF-8": lambda path: path.write_bytes(b"\xff\xfe"),
    "nested": lambda path: path.write_bytes(b"[" * 200_000),
    "nested and closed": lambda path: path.write_text('{"entry": ' + "[" * 90_000 + "]" * 90_000 + ', "check": ""}'),
    "another's": lambda path: path.write_text('{"numbers": {"n": 1}, "seconds": 1}'),
    "a folder": a_folder,
    "a link to nothing": lambda path: (path.unlink(), path.symlink_to("nowhere")),
    "a list": lambda path: forge(path, [1]),
    "no seconds": lambda path: forge(path, {"numbers": {"n": 1}, "network": None}),
    "more": lambda path: forge(path, {"numbers": {"n": 1}, "seconds": 1.0, "network": None, "more": 1}),
    "seconds in words": lambda path: forge(path, {"numbers": {"n": 1}, "seconds": "long", "network": None}),
    "endless": lambda path: forge(path, {"numbers": {"n": 1}, "seconds": float("inf"), "network": None}),
    "numbers in a list": lambda path: forge(path, {"numbers": [1], "seconds": 1.0, "network": None}),
    "a number for the network": lambda path: forge(path, {"numbers": {"n": 1}, "seconds": 1.0, "network": 5}),
    "another network": lambda path: forge(path, {"numbers": {"n": 1}, "seconds": 1.0, "network": "0" * 32}),
}


@pytest.mark.parametrize("network", [False, True])
@pytest.mark.parametrize("damage", DAMAGE)
def test_an_entry_that_is_damaged_in_any_way_is_done_again_once(journal, said, damage, network):
    def go(work):
        if network:
            return journal.network("x", lambda: (models.lenet_300_100(rng=0), work()))[1]
        return journal.step("x", work)

    go(lambda: {"n": 0})
    DAMAGE[damage](journal._path("x"))
    assert journal.seconds == (damage == "another network")  # which is found out when the step is asked for
    assert go(lambda: {"n": 2}) == {"n": 2} and go(never) == {"n": 2}
    assert said == ["the finished step 'x' can't be read and is done again"] * (damage != "a link to nothing")
    assert Journal(journal.folder, said.append).seconds > 0


@pytest.mark.parametrize("damage", [*DAMAGE, "gone"])
def test_a_network_that_is_damaged_in_any_way_is_done_again_once(journal, said, damage):
    def go(work):
        return journal.network("x", lambda: (models.lenet_300_100(rng=0), work()))[1]

    go(lambda: {"n": 0})
    path = journal._path("x").with_suffix(".lnn")
    path.unlink() if damage == "gone" else DAMAGE[damage](path)
    assert go(lambda: {"n": 2}) == {"n": 2} and go(never) == {"n": 2} and len(said) == 1


def test_a_step_does_not_read_a_networks_entry_and_the_other_way_round(journal, said):
    journal.network("x", lambda: (models.lenet_300_100(rng=0), {"n": 1}))
    assert journal.step("x", lambda: {"n": 2}) == {"n": 2}
    assert journal.network("x", lambda: (models.lenet_300_100(rng=0), {"n": 3}))[1] == {"n": 3} and len(said) == 2


@pytest.fixture
def full(monkeypatch):
    """full(): from now on, nothing more can be written."""

    def no_space(path, data):
        raise OSError(28, "No space left on device", str(path))

    return lambda: monkeypatch.setattr(module, "write_atomically", no_space)


def test_a_finished_stage_is_not_lost_when_the_disk_is_full(journal, said, full):
    journal.step("a", lambda: {"n": (1, 2)})
    full()
    assert journal.step("b", lambda: {"n": (3, 4)}) == {"n": [3, 4]}  # as it would be read back
    model, numbers = journal.network("c", lambda: (models.lenet_300_100(rng=3), {"n": 5}))
    assert numbers == {"n": 5} and not model.training
    np.testing.assert_array_equal(model.fc1.weight.data, models.lenet_300_100(rng=3).fc1.weight.data)
    assert len(said) == 1 and said[0].startswith("finished steps are not kept, so an interrupted run starts over: ")
    assert journal.step("a", never) == {"n": [1, 2]}  # what is there already can be read


def test_a_part_that_can_not_write_says_so_for_the_whole(journal, said, full):
    full()
    journal.part("one").step("x", lambda: time.sleep(0.01) or {"n": 1})
    journal.part("two").step("x", lambda: {"n": 2})
    journal.step("y", lambda: {"n": 3})
    assert len(said) == 1 and journal.seconds >= 0.01


@pytest.mark.parametrize("there", ["lightnn", "lightnn/runs"])
def test_a_cache_that_can_not_be_written_is_said_before_the_first_step(tmp_path, monkeypatch, said, there):
    """A file stands where the folder should be: so it is for root too, who may write everywhere."""
    path = tmp_path / there
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *args, **options: str(tmp_path / "lightnn"))
    for fresh in (False, True):
        journal = Journal.open("a", 0, "recipe", fresh, said.append)
        assert len(said) == 1 and said.pop().startswith("finished steps are not kept")
        assert journal.step("x", lambda: {"n": 1}) == {"n": 1} and journal.part("p").step("x", lambda: {"n": 2})
        assert not said and journal.seconds > 0 and path.is_file()
