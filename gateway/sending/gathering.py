"""Lets pieces of work that run side by side make one call to a backend together.

Whoever has something for a call comes to a point and waits there for others. Those who wait leave
together: when the point is full, when nobody has come for a while, or when the first has waited
long enough. What the one call brings is given to each of them as its own.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterator, Sequence

T = TypeVar("T")
R = TypeVar("R")

Together: TypeAlias = "Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]]"
"""Does for many what each of them came for: a result, or an error, for each in their order."""

Leaving: TypeAlias = "Callable[[list[T]], Coroutine[Any, Any, None]]"
"""Does it for many, and tells each of them itself."""


@dataclass(kw_only=True, slots=True)
class _Point(Generic[T]):
    """Those who wait for one call."""

    leaving: Leaving[T]
    longest: float
    behind: Hashable
    first_at: float
    last_at: float
    items: list[T] = field(default_factory=list)
    weight: int = 0
    timer: asyncio.TimerHandle | None = None


@dataclass(kw_only=True)
class Gathering:
    """Points at which work meets, by name."""

    quiet: float
    """Seconds without a newcomer after which those who wait leave."""
    longest: float
    """Seconds after which they leave at the latest, counted from the first one's coming."""
    _points: dict[Hashable, _Point[Any]] = field(default_factory=dict)
    _leaving: set[asyncio.Task[None]] = field(default_factory=set)
    _coming: Counter[Hashable] = field(default_factory=Counter)

    @contextmanager
    def on_the_way(self, name: Hashable) -> Iterator[None]:
        """For as long as the context lasts, points `behind` this name wait for whoever is in it."""
        self._coming[name] += 1
        try:
            yield
        finally:
            self._coming[name] -= 1

    async def meet(
        self,
        point: Hashable,
        item: T,
        together: Together[T, R],
        *,
        most: int,
        weight: int = 1,
        heaviest: int | None = None,
        behind: Hashable = None,
        patience: float = 1.0,
    ) -> R:
        """Wait at a point for others, and give what `together` brings for this item.

        At most `most` items leave together, of at most the weight `heaviest` in sum. Where others
        come slowly, because what they do before takes turns, a quiet point waits on while any of
        them is `on_the_way` to what it is `behind`, and `patience` times as long as usual at most.
        Whoever is cancelled before they have left does not go with them; afterwards the call is finished
        without it. All who meet at a point must bring the same `together`.
        """
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self.join(
            point,
            (item, answer),
            partial(_go_if_wanted, together),
            most=most,
            weight=weight,
            heaviest=heaviest,
            behind=behind,
            patience=patience,
        )
        return await answer

    def join(
        self,
        point: Hashable,
        item: T,
        leaving: Leaving[T],
        *,
        most: int,
        weight: int = 1,
        heaviest: int | None = None,
        behind: Hashable = None,
        patience: float = 1.0,
    ) -> None:
        """Put an item to those who wait at a point, as `meet` does, and wait for nothing.

        What becomes of it is for `leaving` to tell, which raises nothing.
        """
        waiting = self._points.get(point)
        if waiting and heaviest is not None and waiting.weight + weight > heaviest:
            self._leave(point)
            waiting = None
        now = time.monotonic()
        if waiting is None:
            waiting = self._points[point] = _Point(
                leaving=leaving,
                longest=self.longest * patience,
                behind=behind,
                first_at=now,
                last_at=now,
            )
            waiting.timer = self._wait(point, min(self.quiet, waiting.longest))
        waiting.last_at = now
        waiting.weight += weight
        waiting.items.append(item)
        if len(waiting.items) >= most:
            self._leave(point)

    def _wait(self, point: Hashable, seconds: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, self._look, point)

    def _look(self, point: Hashable) -> None:
        """Leave, or wait on for those who keep coming."""
        waiting = self._points[point]
        now = time.monotonic()
        quiet_at = (now if self._coming[waiting.behind] else waiting.last_at) + self.quiet
        rest = min(quiet_at, waiting.first_at + waiting.longest) - now
        if rest > 0:
            waiting.timer = self._wait(point, rest)
        else:
            self._leave(point)

    def _leave(self, point: Hashable) -> None:
        """Send those who wait on their way; the next one to come waits for others anew."""
        waiting = self._points.pop(point)
        if waiting.timer is not None:
            waiting.timer.cancel()
        task = asyncio.create_task(waiting.leaving(waiting.items))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


async def _go_if_wanted(
    together: Together[T, R], came: Sequence[tuple[T, asyncio.Future[R]]]
) -> None:
    """Do it for those of them whose callers have not gone."""
    there = [(item, answer) for item, answer in came if not answer.done()]
    if there:
        await go_together(together, there)


async def go_together(
    together: Together[T, R], there: Sequence[tuple[T, asyncio.Future[R]]]
) -> None:
    """Do it for all of them, and tell each what became of its own."""
    results: Sequence[R | Exception]
    try:
        results = await together([item for item, _ in there])
        told = list(zip(there, results, strict=True))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told to those who wait for it
        told = [(one, error) for one in there]
    except BaseException:
        for _, answer in there:
            answer.cancel()
        raise
    for (_, answer), result in told:
        if answer.done():  # its caller has gone
            continue
        if isinstance(result, Exception):
            answer.set_exception(result)
        else:
            answer.set_result(result)
