"""How far an import is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Task

LINE_SECONDS = 5.0
"""Between two lines where there is no terminal."""


class _Rate(ProgressColumn):
    """Rows in a second."""

    def render(self, task: Task) -> str:
        """The rate, as soon as there is one."""
        return f"{task.speed:.0f}/s" if task.speed else ""


class Bar:
    """A bar with rate and time left."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            TaskProgressColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._progress.stop()

    def begin(self, what: str, total: int) -> None:
        """Draw a new bar."""
        self._task = self._progress.add_task(what, total=total)

    def at(self, done: int) -> None:
        """Move it."""
        if self._task is not None:
            self._progress.update(self._task, completed=done)

    def say(self, line: str) -> None:
        """Print above it."""
        self._progress.console.print(line, markup=False, highlight=False)


class Lines:
    """A line at each beginning and end, and every few seconds in between."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._what = ""
        self._total = 0
        self._began = self._said = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        sys.stderr.flush()

    def begin(self, what: str, total: int) -> None:
        """Say what begins."""
        self._what, self._total = what, total
        self._began = self._said = self._clock()

    def at(self, done: int) -> None:
        """Say how far it is, when there was nothing said for a while, and at the end."""
        now = self._clock()
        if done < self._total and now - self._said < LINE_SECONDS:
            return
        self._said = now
        rate = done / max(now - self._began, 0.001)
        left = (self._total - done) / rate if rate else 0.0
        rest = f", {rate:.0f}/s, about {left:.0f} s left" if done < self._total else ""
        self.say(f"{self._what} {done} of {self._total}{rest}")

    def say(self, line: str) -> None:
        """Print it."""
        sys.stderr.write(f"{line}\n")


def progress() -> Bar | Lines:
    """What fits where standard error goes."""
    return Bar() if sys.stderr.isatty() else Lines()
