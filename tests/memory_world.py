"""Three small backends in memory and a writer, for the story of a write."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from strawberry import Some

from gateway.locking.locks import Locks
from gateway.model import Backend
from gateway.names import Loaders
from gateway.upsert import Receipt, Writer, upsert
from tests.memory_backend import Memory, MemoryAdapter
from tests.plain_backend import within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.backends.adapter import Adapter
    from gateway.results import BackendResult, Outcome, Problem
    from gateway.write import ContactWrite

IVVY, EVERBRIDGE, SENDGRID = Backend.IVVY, Backend.EVERBRIDGE, Backend.SENDGRID
ADA: dict[str, Any] = {"external_id": Some("E-1"), "first_name": Some("Ada")}


@dataclass
class World:
    """Three backends and a writer."""

    adapters: dict[Backend, MemoryAdapter] = field(
        default_factory=lambda: {backend: MemoryAdapter(backend) for backend in Backend}
    )
    writer: Writer = field(default_factory=lambda: Writer(locks=Locks(), plan_wait=10.0))

    def memory(self, backend: Backend) -> Memory:
        return self.adapters[backend].memory

    def impatient(self) -> None:
        self.writer = Writer(locks=self.writer.locks, plan_wait=0.0)

    async def upsert(
        self,
        write: ContactWrite,
        *targets: Backend,
        problems: Sequence[Problem] = (),
        seconds: float = 20.0,
        dry: bool = False,
    ) -> Receipt:
        # A write needs nothing of the half of an adapter that reads for queries.
        chosen = [cast("Adapter", self.adapters[backend]) for backend in targets or tuple(Backend)]
        return await upsert(
            write,
            problems,
            chosen,
            Loaders(within(seconds)),
            self.writer,
            deadline=time.monotonic() + seconds,
            request_id="r-1",
            dry=dry,
        )

    def written(self) -> list[Backend]:
        return [backend for backend in Backend if self.memory(backend).writes()]


def outcomes(receipt: Receipt) -> dict[Backend, Outcome]:
    return {result.backend: result.outcome for result in receipt.results}


def of(receipt: Receipt, backend: Backend) -> BackendResult:
    return next(result for result in receipt.results if result.backend is backend)
