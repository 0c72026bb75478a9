"""`python -m lightnn check NN --watch`: one exercise at a time, graded whenever the reader's file is saved."""

import contextlib
import pathlib
import select
import sys
import time
from typing import TextIO

from lightnn.study.exercises import checking, report, solutions
from lightnn.study.exercises.sheets import Sheet, exercise_number, sheet, sheets_of
from lightnn.study.exercises.stubs import show_reference

KEYS = "keys: h hint   l list   r reference   n next   q quit"
CLEAR = "\x1b[2J\x1b[3J\x1b[H"


class Watch:
    """The state of one watch: the exercises, which is shown, and what was last seen of the file."""

    def __init__(self, number: str, folder: str | pathlib.Path | None = None, out: TextIO = sys.stdout):
        number = exercise_number(number)
        self.chapter = number.partition(".")[0]
        self.sheets = list(sheets_of(self.chapter))
        self.folder, self.out, self.style = folder, out, report.Style(out)
        self.at = self.sheets.index(sheet(number)) if "." in number else 0
        self.passed, self.verdict, self.stamp = set(), None, ()

    @property
    def sheet(self) -> Sheet:
        return self.sheets[self.at]

    def look(self) -> bool:
        """Grade again if the file has changed; whether anything was done."""
        path = solutions.work_file(self.chapter, self.folder)
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:
            stamp = None
        if stamp == self.stamp:
            return False
        self.stamp = stamp
        if stamp is None:
            self._show([f"{solutions.shown(path.resolve())} is not there; waiting for it."])
        else:
            self.grade()
        return True

    def grade(self) -> None:
        """Grade the exercise at hand; go on while they are passed, then show where the reader is."""
        news = []
        with contextlib.suppress(ValueError):  # the file went away in between: the next look says so
            while self.at < len(self.sheets):
                (self.verdict,) = checking.grade_work([self.sheet], self.folder)
                if self.verdict["status"] != "PASSED":
                    break
                self.passed.add(self.sheet.number)
                news.append(self.style("PASSED", f"{self.sheet.number} {self.sheet.name}: passed"))
                self.at += 1
            if len(self.passed) == len(self.sheets):
                self._show([*news[-3:], "", checking.TOGETHER])
            self._show([*news[-3:], *([""] if news else []), *self._now()])

    def _now(self):
        if self.at < len(self.sheets):
            lines = report.exercise_report(self.verdict, self.sheet, self.style)
            return [self.sheet.title, f"  {self.sheet.equation}", "", *lines]
        self.at = next((i for i, s in enumerate(self.sheets) if s.number not in self.passed), len(self.sheets) - 1)
        if len(self.passed) == len(self.sheets):
            return [report.paragraph(checking.chapter_end(self.chapter, self.folder))]
        return [f"That was the last one. {self.sheet.number} {self.sheet.name} is still open: press n."]

    def _show(self, lines):
        head = f"chapter {self.chapter}: " + " ".join(self._mark(i) for i in range(len(self.sheets)))
        body = "\n".join([self.style("bold", head), "", *lines, "", self.style("dim", KEYS)])
        print((CLEAR if self.style.on else "") + body, file=self.out, flush=True)

    def _mark(self, i):
        name = self.sheets[i].number
        return f"[{name}]" if i == self.at else f"{name}+" if name in self.passed else name

    def press(self, key: str) -> bool:
        """What a key does; False to quit."""
        if key == "q":
            return False
        if key == "h" and self.verdict is not None:
            print("\n" + checking.give_hint([self.verdict], self.folder), file=self.out, flush=True)
        elif key == "l":
            rows = [f"{self._mark(i):<8}{s.name:<23}{s.title}"[: report.WIDTH] for i, s in enumerate(self.sheets)]
            print("\n" + "\n".join(rows), file=self.out, flush=True)
        elif key == "r":
            print("\n" + show_reference(self.sheet.number), file=self.out, flush=True)
        elif key == "n":
            self.at = (self.at + 1) % len(self.sheets)
            self.grade()
        return True


def watch(number: str, folder: str | pathlib.Path | None = None, out: TextIO = sys.stdout) -> int:
    """Show one exercise after the other, until q or Ctrl-C; 0."""
    state = Watch(number, folder, out)
    try:
        with _keys() as key:
            while True:
                state.look()
                pressed = key(0.3)
                if pressed and not state.press(pressed.lower()):
                    return 0
    except KeyboardInterrupt:
        return 0


@contextlib.contextmanager
def _keys():
    """A function that waits at most so many seconds for a key and returns it, or ""."""
    if not sys.stdin.isatty():
        yield lambda seconds: time.sleep(seconds) or ""
        return
    try:
        import termios
        import tty
    except ImportError:  # Windows
        yield _windows_key
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield lambda seconds: sys.stdin.read(1) if select.select([sys.stdin], [], [], seconds)[0] else ""
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _windows_key(seconds):
    import msvcrt

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if msvcrt.kbhit():
            return msvcrt.getwch()
        time.sleep(0.02)
    return ""
