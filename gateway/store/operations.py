"""The operation log: what was accepted for delivery, and how far each part of it is.

The life of a step: `submit` stores it; `claim_steps` hands it to one worker at a time, with a lease
and a fence; the worker `save`s what it learns, its intent before a call that must not be repeated
included; a worker that dies loses its lease, and the next claim hands the step to another, with all
that was saved. Nothing of this waits for a lock that a caller holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.store import claims, operation_reads, saves, submissions

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from gateway.store.database import Database
    from gateway.store.idempotency import KeyUse
    from gateway.store.operation_records import (
        Backlog,
        ClaimedStep,
        Item,
        NewOperation,
        Operation,
        OperationStatus,
        Save,
        Step,
        Which,
    )
    from gateway.store.saves import Summarize


class Operations:
    """Durable operations with their items, steps and events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def submit(
        self, operation: NewOperation, *, now: datetime, key: KeyUse | None = None
    ) -> bool:
        """Store an operation, whole, in one commit; its steps are due at once.

        `key` is a held idempotency key that this operation answers; raises KeyLostError when
        another request has taken it over. False when the id was stored before.
        """
        return await self._database.write(submissions.submit, operation, key, now)

    async def claim_steps(
        self,
        owner: str,
        which: Which,
        *,
        until: datetime,
        now: datetime,
        limit: int = 100,
    ) -> list[ClaimedStep]:
        """Take steps that are due, those of dead workers included.

        `owner` names the worker; `limit` counts what is to be delivered and, of bulks, what follows a
        job apart. Two steps on one record are never in hand at once, and go in the
        order of their acceptance.
        """
        return await self._database.write(claims.claim_due, owner, which, until, now, limit)

    async def claim_for_person(
        self, step_id: int, owner: str, *, until: datetime, now: datetime
    ) -> ClaimedStep | None:
        """Take a step that needs attention, to settle it; None when it does not, or is taken."""
        return await self._database.write(claims.claim_for_person, step_id, owner, until, now)

    async def renew_steps(self, steps: Sequence[Step], *, until: datetime) -> frozenset[int]:
        """Work on them longer; gives the ids of those that another worker has taken over."""
        return await self._database.write(claims.renew, steps, until)

    async def save(
        self, saves_: Sequence[Save], *, summarize: Summarize, now: datetime
    ) -> frozenset[int]:
        """Save claimed steps with their new values, and their items and operations with them.

        Gives the places of saves whose steps another worker has taken over: of those nothing is
        saved, and what became of them is no longer this worker's to tell. `summarize` must be pure.
        """
        return await self._database.write(saves.save, saves_, summarize, now)

    async def read_operation(self, operation_id: str) -> Operation | None:
        """An operation by id."""
        return await self._database.read(operation_reads.read_operation, operation_id)

    async def list_operations(
        self,
        *,
        caller: str | None = None,
        status: OperationStatus | None = None,
        first: int = 50,
        after: Operation | None = None,
    ) -> list[Operation]:
        """Operations, newest first; of one caller, in one status, behind `after`."""
        return await self._database.read(
            operation_reads.list_operations, caller, status, first, after
        )

    async def read_items(
        self, operation_id: str, *, status: str | None = None, first: int = 50, after: int = -1
    ) -> list[Item]:
        """Items with their steps, in order, behind the position `after`."""
        return await self._database.read(
            operation_reads.read_items, operation_id, status, first, after
        )

    async def read_step(self, step_id: int) -> Step | None:
        """A step by id."""
        return await self._database.read(operation_reads.read_step, step_id)

    async def waiting_records(
        self, records: Collection[tuple[str, str]]
    ) -> frozenset[tuple[str, str]] | None:
        """Those of the records, each a backend and a key, that have an accepted step not yet through.

        Who writes to one of those now overtakes. None where no record has anything waiting, whether
        it was asked for or not.
        """
        return await self._database.read(operation_reads.waiting_records, records)

    def version(self) -> int | None:
        """A number that is another one once anything was stored; None where it cannot be told."""
        return self._database.version()

    async def read_backlog(self, now: datetime) -> Backlog:
        """What has not ended."""
        return await self._database.read(operation_reads.read_backlog, now)

    async def purge_operations(self, before: datetime, limit: int = 1000) -> int:
        """Remove operations that ended before then, at most `limit` rows of them in one commit.

        Gives the number of rows removed: call again until it is 0. In between, an operation may be
        seen without some of its events, steps or items.
        """
        return await self._database.write(operation_reads.purge, before, limit)
