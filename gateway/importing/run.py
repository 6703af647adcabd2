"""An import from its file to its report: all rows are checked first, then sent and followed."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import orjson

from gateway.api.schema import schema
from gateway.importing.client import Client, TooLargeError, Wanted
from gateway.importing.parts import PART, cut
from gateway.importing.report import Report, told, write_rejected
from gateway.importing.rows import ImportRefusedError, read_table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    from gateway.importing.parts import Part, Placed
    from gateway.importing.rows import Table
    from gateway.settings import Settings

LOOK_SECONDS = 0.5
"""Between two looks at how far an operation is."""
CALL_SECONDS = 300.0
ENDED = {"SUCCEEDED", "PARTIAL", "FAILED"}
GOING_ON = {"QUEUED", "ACCEPTED"}
GOES_ON = (
    "What was stored before is delivered all the same: start the same import again to go on with "
    "the rest, and to hear what became of it."
)


class Progress(Protocol):
    """Hears how far an import is."""

    def begin(self, what: str, total: int) -> None:
        """A part of the work begins."""
        ...

    def at(self, done: int) -> None:
        """So many of its rows are done."""
        ...

    def say(self, line: str) -> None:
        """A line for people."""
        ...


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be imported, and how."""

    path: Path
    wanted: Wanted
    dry: bool = False
    null: str = "null"
    """The cell that clears a field."""
    rejected_to: Path | None = None
    """Where rejected rows go; beside the file, unless it is given."""
    url: str | None = None
    """A running gateway; None delivers in this process."""
    key: str | None = None
    """The caller's API key or token at that gateway."""

    @property
    def rejected_path(self) -> Path:
        """Where rejected rows go."""
        return self.rejected_to or self.path.with_suffix(f".rejected{self.path.suffix}")


async def run_import(order: Order, settings: Settings | None, progress: Progress) -> Report:
    """Import a file; raises ImportRefusedError where nothing of it can be used.

    `settings` are those of a gateway in this process, for an order without an address.
    """
    content = await asyncio.to_thread(_read, order)
    contact: Any = schema._schema.type_map["ContactInput"]  # noqa: SLF001 - Strawberry gives no other way to it
    table = await asyncio.to_thread(read_table, order.path, content, contact, order.null)
    report = Report()
    for place, row in enumerate(table.rows):
        if row.problems:
            report.reject(place, row.problems)
    good = [(place, row) for place, row in enumerate(table.rows) if not row.problems]
    async with _gateway(order, settings) as client:
        work = _Import(order=order, client=client, progress=progress, report=report)
        parts = await work.check(good)
        if not order.dry:
            await work.send(parts, hashlib.sha256(content).hexdigest())
    report.sum_up(table)
    if report.rejected:
        report.lines.append(await asyncio.to_thread(_write_rejected, order, table, report))
    return report


def _read(order: Order) -> bytes:
    """The file; raises ImportRefusedError, also where its rejected rows could not be kept."""
    try:
        content = order.path.read_bytes()
    except OSError as error:
        raise ImportRefusedError([f"{order.path} cannot be read: {error}."]) from error
    kept = order.rejected_path
    if kept.exists() and kept.samefile(order.path):
        raise ImportRefusedError(
            [f"{kept} is the file to import: give another for its rejected rows (--rejected)."]
        )
    if kept.is_dir() or not os.access(kept if kept.exists() else kept.parent, os.W_OK):
        raise ImportRefusedError(
            [f"Rejected rows cannot be written to {kept}: give another file (--rejected)."]
        )
    return content


def _write_rejected(order: Order, table: Table, report: Report) -> str:
    """Keep the rejected rows; the line that says where. The report is told in any case."""
    try:
        write_rejected(order.rejected_path, table, report.rejected)
    except OSError as error:
        return f"Rejected rows could not be written to {order.rejected_path}: {error}."
    return f"Rejected rows, each with its reason: {order.rejected_path}"


@dataclass(frozen=True, kw_only=True)
class _Import:
    order: Order
    client: Client
    progress: Progress
    report: Report

    async def check(self, good: list[Placed]) -> list[Part]:
        """Ask for the problems of every row before any is sent; the parts that the gateway takes."""
        self.progress.begin("Checking", len(good))
        bad: dict[int, list[str]] = {}
        parts: list[Part] = []
        async for part, payload in self._taken(cut(good, PART), lambda _: None):
            for problem in payload["errors"]:
                bad.setdefault(part.place(problem), []).append(told(problem))
            parts.append(part)
            self.progress.at(part.end)
        if self.order.dry:
            for place, reasons in bad.items():
                self.report.reject(place, reasons)
        if bad and not self.order.dry:
            self.progress.say(f"{len(bad)} rows have problems and are left out.")
        return parts

    async def send(self, parts: list[Part], content: str) -> None:
        """Send every row, then follow them to their end.

        Rows with problems are sent along: the gateway rejects them and keeps the others, and a
        second start of this import sends the very same calls under the very same keys.
        """
        options = orjson.dumps(
            [self.order.wanted.variables(), self.order.null], option=orjson.OPT_SORT_KEYS
        )
        name = hashlib.sha256(content.encode() + options).hexdigest()[:40]
        operations: list[tuple[str, Part]] = []
        try:
            await self._store(parts, f"import-{name}", operations)
            await self._follow(operations)
        except ImportRefusedError as error:
            if not operations:
                raise
            raise ImportRefusedError([*error.problems, GOES_ON]) from error

    async def _store(self, parts: list[Part], key: str, operations: list[tuple[str, Part]]) -> None:
        """Send every row, and note the operations that deliver them."""
        self.progress.begin("Storing", sum(len(part.rows) for part in parts))
        stored = 0
        async for part, payload in self._taken(parts, lambda part: f"{key}-{part.name}"):
            if payload["operation"] is None:
                for problem in payload["errors"]:
                    self.report.reject(part.place(problem), [told(problem)])
            else:
                operations.append((payload["operation"]["id"], part))
            self.report.sent_before += len(part.rows) if payload["replayed"] else 0
            stored += len(part.rows)
            self.progress.at(stored)

    async def _follow(self, operations: list[tuple[str, Part]]) -> None:
        self.progress.begin("Delivering", sum(len(part.rows) for _, part in operations))
        done = 0
        for operation_id, part in operations:
            await self._follow_one(operation_id, done)
            async for item in self.client.items(operation_id):
                self.report.take(part.rows[item["index"]][0], item)
            done += len(part.rows)

    async def _follow_one(self, operation_id: str, done: int) -> None:
        """Follow an operation until it has ended, or only a person can go on with it.

        `done` is how many rows were through before it.
        """
        while True:
            found = await self.client.operation(operation_id)
            self.progress.at(done + found["completed"])
            if found["status"] in ENDED:
                return
            if found["status"] == "NEEDS_ATTENTION" and not await self._on_the_way(operation_id):
                self.progress.say(
                    f"Operation {operation_id} has steps that wait for a person: "
                    "gateway steps list shows them."
                )
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _on_the_way(self, operation_id: str) -> bool:
        """Whether anything of an operation is still to be delivered or confirmed."""
        async for item in self.client.items(operation_id):
            if any(step["result"]["outcome"] in GOING_ON for step in item["steps"]):
                return True
        return False

    async def _taken(
        self, parts: Iterable[Part], key: Callable[[Part], str | None]
    ) -> AsyncIterator[tuple[Part, dict[str, Any]]]:
        """Each part and its payload; one that is too large goes in halves.

        Where it is by its number of rows, those behind it do so as well. A row that is too large by
        itself is rejected, and spoils no other.
        """
        waiting = deque(parts)
        while waiting:
            part = waiting.popleft()
            try:
                payload = await self._upsert(part, key(part))
            except TooLargeError as error:
                if len(part.rows) == 1:
                    self.report.reject(part.rows[0][0], error.problems)
                    continue
                half = -(-len(part.rows) // 2)
                if error.by_number:
                    waiting = deque(piece for one in waiting for piece in one.cut(half))
                waiting.extendleft(reversed(part.cut(half)))
            else:
                yield part, payload

    async def _upsert(self, part: Part, key: str | None) -> dict[str, Any]:
        payload = await self.client.upsert(
            [row.input or {} for _, row in part.rows], self.order.wanted, key=key
        )
        whole = [problem for problem in payload["errors"] if problem["field"][:1] != ["inputs"]]
        if whole:
            raise ImportRefusedError([told(problem) for problem in whole])
        return payload


@asynccontextmanager
async def _gateway(order: Order, settings: Settings | None) -> AsyncIterator[Client]:
    """A gateway to send to: the one at an address, or one in this process."""
    headers = {"Authorization": f"Bearer {order.key}"} if order.key else {}
    if order.url is not None:
        async with httpx.AsyncClient(
            base_url=order.url, headers=headers, timeout=CALL_SECONDS
        ) as http:
            yield Client(http=http)
        return
    if settings is None:
        raise AssertionError("an import without an address needs settings")
    from gateway.app import create_app

    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),
            base_url="http://localhost",
            headers=headers,
            timeout=CALL_SECONDS,
        ) as http,
    ):
        yield Client(http=http)
