"""Contacts read from every backend side by side.

A contact is known by some key at first; each record that is found may tell further keys, by which
the other backends are asked. All contacts of a request are read together, in rounds: what can be
asked of a backend at one time about any of them is one look-up. A round waits only a bounded time
for a backend that is silent.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from gateway.backends.adapter import KeyKind, Stored
from gateway.errors import BackendFailure, GatewayError, NotWrittenError
from gateway.model import Backend, title
from gateway.reading.record_names import read_names
from gateway.reading.together import read_failed, together
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.backends.adapter import Adapter
    from gateway.reading.record_names import Names
    from gateway.records import Contact
    from gateway.upstream import Exchange

    Rows = list[Stored] | BackendFailure
    Asking = asyncio.Task[Mapping[str, Rows]]

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class ContactKeys:
    """What a contact is known by when it is to be read."""

    external_id: str | None = None
    email: str | None = None
    native_ids: tuple[tuple[Backend, str], ...] = ()


class NobodyAskedError(GatewayError):
    """No backend could be asked for a contact; `problems` say why, one for each that was tried."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__()
        self.problems = problems


async def read_contacts(
    wanted: Sequence[ContactKeys],
    adapters: Sequence[Adapter],
    exchange: Exchange,
    *,
    wait: float,
) -> list[Contact | NobodyAskedError | None]:
    """Each contact as the backends hold it; None where all were asked and none knows it.

    `wait` is how many seconds a round waits for a silent backend before the others go on.
    """
    reads = [_Read(keys) for keys in wanted]
    await _read_in_rounds(reads, adapters, exchange, wait)
    for read in reads:
        read.note_the_unasked(adapters)
    by_backend = {adapter.backend: adapter for adapter in adapters}
    stored = [(by_backend[backend], row) for read in reads for backend, row in read.found.items()]
    names = await read_names(stored, exchange)
    return [read.outcome(by_backend, names) for read in reads]


# ---------------------------------------------------------------- one contact


class _Read:
    """One contact, as far as it has been read."""

    def __init__(self, keys: ContactKeys) -> None:
        self.external_id, self.email = keys.external_id, keys.email
        self.native_ids = dict(keys.native_ids)
        self.tried: set[tuple[Backend, KeyKind]] = set()
        self.found: dict[Backend, Stored] = {}
        self.problems: dict[Backend, Problem] = {}
        self.answered: set[Backend] = set()
        self.failed: set[Backend] = set()

    def next_key(self, adapter: Adapter) -> tuple[KeyKind, str] | None:
        """What a backend is to be asked by now; None when it has told, or there is nothing."""
        backend = adapter.backend
        if backend in self.found or backend in self.problems:
            return None
        values = {
            KeyKind.NATIVE_ID: self.native_ids.get(backend),
            KeyKind.EXTERNAL_ID: self.external_id,
            KeyKind.EMAIL: self.email,
        }
        for kind in adapter.key_kinds:
            value = values[kind]
            if value is not None and (backend, kind) not in self.tried:
                return kind, value
        return None

    def take(self, backend: Backend, kind: KeyKind, value: str, rows: Rows) -> None:
        """Note what a backend answered, and the keys that its record tells.

        A record that is reached by e-mail and holds another externalId is another contact: a
        mailbox may be shared.
        """
        if isinstance(rows, BackendFailure):
            self.fail(backend, rows.problem)
            return
        self.answered.add(backend)
        if kind is KeyKind.EMAIL and self.external_id is not None:
            rows = [row for row in rows if row.external_id in (None, self.external_id)]
        if len(rows) > 1:
            self.problems[backend] = _several(backend, kind, value, rows)
        elif rows:
            [row] = rows
            self.found[backend] = row
            self.external_id = self.external_id or row.external_id
            self.email = self.email or row.email

    def fail(self, backend: Backend, problem: Problem) -> None:
        """Note that a backend could not be read."""
        problem.backend = backend
        self.problems[backend] = problem
        self.failed.add(backend)

    def note_the_unasked(self, adapters: Sequence[Adapter]) -> None:
        """Name the backends that had no key because the one that may have told it failed."""
        silent = [backend for backend in Backend if backend in self.failed]
        if not silent:
            return
        asked = {backend for backend, _kind in self.tried}
        for adapter in adapters:
            if adapter.backend not in asked:
                self.fail(adapter.backend, _no_key(adapter.backend, silent))

    def outcome(
        self,
        adapters: Mapping[Backend, Adapter],
        names: Mapping[Backend, Names],
    ) -> Contact | NobodyAskedError | None:
        """The contact, with a record for each backend that holds it."""
        problems = [self.problems[backend] for backend in Backend if backend in self.problems]
        if not self.answered:
            return NobodyAskedError(problems)
        if not self.found and not problems:
            return None
        held = {backend: self.found[backend] for backend in Backend if backend in self.found}
        return together(held, adapters, names, problems)


def _several(backend: Backend, kind: KeyKind, value: str, rows: Sequence[Stored]) -> Problem:
    ids = ", ".join(row.id for row in rows)
    return Problem(
        backend=backend,
        code=ProblemCode.CONFLICT,
        message=f"{title(backend)} holds {len(rows)} records with the {kind.value} {value!r}, with "
        f"the ids {ids}: ask for one of them by its id or externalId.",
    )


def _no_key(backend: Backend, silent: Sequence[Backend]) -> Problem:
    names = " and ".join(map(title, silent))
    return Problem(
        backend=backend,
        code=ProblemCode.UNAVAILABLE,
        message=f"{title(backend)} could not be asked: what it is asked by may be told by {names}, "
        "which could not be read.",
        retryable=True,
    )


# ---------------------------------------------------------------- the rounds


@dataclass(kw_only=True)
class _Question:
    """One look-up in one backend, for all the contacts that wait for it."""

    adapter: Adapter
    kind: KeyKind
    asking: list[tuple[_Read, str]] = field(default_factory=list)

    def start(self, exchange: Exchange) -> Asking:
        """Ask for every value at once."""
        values = list(dict.fromkeys(value for _read, value in self.asking))
        return asyncio.create_task(_asked(self.adapter, self.kind, values, exchange))

    def settle(self, task: Asking) -> None:
        """Tell each contact what came of its value."""
        found = task.result()
        for read, value in self.asking:
            read.take(self.adapter.backend, self.kind, value, found[value])


async def _read_in_rounds(
    reads: Sequence[_Read], adapters: Sequence[Adapter], exchange: Exchange, wait: float
) -> None:
    """Ask, and ask again by what the answers tell, until there is nothing more to ask."""
    order = {adapter.backend: place for place, adapter in enumerate(adapters)}
    running: dict[Asking, _Question] = {}
    try:
        while running := running | _questions(reads, adapters, exchange):
            done = await _answered(running, wait)
            for task in sorted(done, key=lambda task: order[running[task].adapter.backend]):
                running.pop(task).settle(task)
    finally:
        for task in running:
            task.cancel()


def _questions(
    reads: Sequence[_Read], adapters: Sequence[Adapter], exchange: Exchange
) -> dict[Asking, _Question]:
    """What can be asked now, joined by backend and kind of key."""
    questions: dict[tuple[Backend, KeyKind], _Question] = {}
    for adapter in adapters:
        for read in reads:
            key = read.next_key(adapter)
            if key is None:
                continue
            kind, value = key
            read.tried.add((adapter.backend, kind))
            question = questions.setdefault(
                (adapter.backend, kind), _Question(adapter=adapter, kind=kind)
            )
            question.asking.append((read, value))
    return {question.start(exchange): question for question in questions.values()}


async def _asked(
    adapter: Adapter, kind: KeyKind, values: Sequence[str], exchange: Exchange
) -> Mapping[str, Rows]:
    """What a backend answers; a fault of ours is told as a failure, and leaves the others' records."""
    try:
        return await adapter.look_up(kind, values, exchange)
    except Exception:
        log.exception("read failed", backend=adapter.backend.value)
        return dict.fromkeys(values, NotWrittenError(read_failed(adapter.backend)))


async def _answered(running: Mapping[Asking, _Question], wait: float) -> set[Asking]:
    """The look-ups that have answered: all of them, or after a while those that have, at least one."""
    done, _ = await asyncio.wait(running, timeout=wait)
    if not done:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    return done
