"""What the operation log holds, as its callers see it.

An operation has items, one for each input; an item has steps, one for each backend that it goes to.
Ids of items and operations are texts; a step's is the number of its acceptance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.store.database import Json


class StepState(StrEnum):
    """Where a step is. Whether somebody works on it now is told by its owner."""

    QUEUED = "QUEUED"
    """To be delivered, for the first time or again."""
    FOLLOWING = "FOLLOWING"
    """Sent; the backend's job is asked after until it ends."""
    NEEDS_ATTENTION = "NEEDS_ATTENTION"
    """May have happened and must not be repeated: a person settles it."""
    DONE = "DONE"
    """Its outcome is final."""


BULK_CONTACT = "BULK_CONTACT"
"""The name of bulks' steps, which are claimed apart: the indexes of what is due know it."""


class OperationStatus(StrEnum):
    """Where an operation is."""

    PENDING = "PENDING"
    """Stored; none of its steps has been tried."""
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    PARTIAL = "PARTIAL"
    """All items have ended: something was written, or may have been, and something was not."""
    FAILED = "FAILED"
    """All items have ended, and nothing was written of any of them."""
    NEEDS_ATTENTION = "NEEDS_ATTENTION"
    """A step waits for a person; the others go on."""


MAYBE_WRITTEN = ("PARTIAL", "UNKNOWN")
"""Statuses of items that have failed somewhere, and of which something was or may be written."""


@dataclass(frozen=True, kw_only=True)
class NewStep:
    """One backend's part of an item, to be delivered."""

    backend: str
    name: str
    """What is to be done, by a name that later versions of the code still know."""
    record_key: str
    """Of the record that it writes: steps with the same backend and key run one after the other,
    in the order of their acceptance."""
    outcome: str | None = None
    """For one that an earlier operation has done already: it is stored as it ended."""
    result: Json | None = None


@dataclass(frozen=True, kw_only=True)
class NewItem:
    """One input. Without a step that is to be delivered it has ended already, as `status` tells."""

    external_id: str | None
    status: str
    payload: Json
    steps: Sequence[NewStep]
    result: Json | None = None
    failed: bool = False
    """For one that has ended: whether it was rejected or has failed."""

    @property
    def ended(self) -> bool:
        """Whether nothing of it is to be delivered."""
        return all(step.outcome is not None for step in self.steps)


@dataclass(frozen=True, kw_only=True)
class NewOperation:
    """An operation to be stored; `payload` is what its items have in common."""

    id: str
    caller: str
    kind: str
    payload: Json
    payload_version: int
    items: Sequence[NewItem]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step as it is stored. Whoever has claimed it saves it with its new values."""

    id: int
    operation_id: str
    position: int
    """Of its item among the operation's."""
    backend: str
    name: str
    record_key: str
    state: StepState
    holds_record: bool = True
    """Later steps on the same record wait for this one. A FOLLOWING step may let them go first;
    NEEDS_ATTENTION and DONE always do."""
    attempts: int
    due_at: datetime
    """The next attempt's time; while somebody works on it, the end of the lease."""
    owner: str | None
    fence: int
    outcome: str | None
    intent: Json | None
    """What is about to be sent, written before a call that must not be repeated. Whoever finds one
    without a result does not know whether that call was made."""
    result: Json | None
    jobs: Sequence[str]
    """The backend's jobs that carry it."""


@dataclass(frozen=True, kw_only=True)
class ClaimedStep:
    """A step in hand, with what it needs to be delivered."""

    step: Step
    caller: str
    kind: str
    shared: Json
    """The operation's payload."""
    payload_version: int
    external_id: str | None
    payload: Json
    """The item's payload."""


@dataclass(frozen=True, kw_only=True)
class Which:
    """Which steps a worker looks for."""

    backends: Sequence[str]
    bulk: bool = False
    """Those of bulks alone; otherwise all others."""


@dataclass(frozen=True, kw_only=True)
class Save:
    """New values of a claimed step."""

    step: Step
    keep_until: datetime | None = None
    """Work on it until then; None gives it back, to be tried at `step.due_at`."""


@dataclass(frozen=True, kw_only=True)
class ItemSummary:
    """What an item's outcomes come to."""

    status: str
    failed: bool


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation and how far it is."""

    id: str
    caller: str
    kind: str
    status: OperationStatus
    payload: Json
    payload_version: int
    submitted_at: datetime
    completed_at: datetime | None
    total: int
    completed: int
    """Items that have ended, failed ones included."""
    failed: int
    revision: int
    """Grows by one with each change."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One input of an operation and what became of it."""

    operation_id: str
    position: int
    external_id: str | None
    status: str
    payload: Json
    result: Json | None
    steps: Sequence[Step] = field(default_factory=tuple)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Steps of one backend in one state that have not ended."""

    backend: str
    state: StepState
    number: int
    oldest: datetime
    """When the operation of the oldest of them was submitted."""


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """What has not ended, for metrics and the log."""

    operations: int
    oldest: datetime | None
    """When the oldest of them was submitted."""
    due: int
    """Steps whose time has come and that nobody works on."""
    attention: int
    """Steps that wait for a person."""
    steps: Sequence[Waiting] = ()

    @property
    def undelivered_since(self) -> datetime | None:
        """When the oldest write that no backend has yet was submitted; None when there is none."""
        queued = [waiting.oldest for waiting in self.steps if waiting.state is StepState.QUEUED]
        return min(queued, default=None)
