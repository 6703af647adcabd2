"""What every backend's adapter gives, and the values that pass between the steps of a write.

A new backend implements `Adapter` in a folder of its own; docs/adding-a-backend.md shows how.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from gateway.backends.reads import Reads
from gateway.fixed import fixed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.calls import Call, Reply
    from gateway.entries import CatalogName
    from gateway.model import Backend
    from gateway.names import Resolution, Wanted
    from gateway.results import BackendResult, ImportJob, Outcome, Problem
    from gateway.upstream import Exchange, Sender
    from gateway.write import ContactWrite


class KeyKind(Enum):
    """What a record can be found by, in the order in which the keys are tried."""

    __hash__ = object.__hash__  # as the key of dicts; Enum's own is slow
    NATIVE_ID = "id"
    EXTERNAL_ID = "externalId"
    EMAIL = "email"


class Key(NamedTuple):
    """One thing to find a record by."""

    kind: KeyKind
    value: str
    source: str
    """Where it comes from: an input field such as ivvy.id, or a sibling such as IVVY.email."""
    path: tuple[str, ...] = ()
    """The input field's path, for problems; empty when a sibling gave the key."""


@fixed
class Stored:
    """A record as a backend holds it."""

    id: str
    external_id: str | None
    email: str | None
    raw: Mapping[str, Any]
    """The backend's own JSON, as it came."""
    read_at: float
    """When the read that brought it began, on the clock of `time.monotonic`."""


@fixed
class Found:
    """What looking for a record brought."""

    stored: Stored | None = None
    matched_by: str | None = None
    looked: bool = True
    """False when the backend was not asked, because the write does not need it."""
    keyless: bool = False
    """True when there was no key to ask by, neither in the input nor with a sibling; also when
    nothing was found and a new record still lacks a key, which a sibling may give."""
    looked_at: float = 0.0
    """When the look-up began, on the clock of `time.monotonic`."""
    asked_by: tuple[Key, ...] = ()
    """The keys that it was looked for by, those that a sibling gave included."""
    answered: bool = True
    """False where this stands, among siblings, for a backend of which nobody knows what it holds."""


@fixed
class Plan:
    """The calls that a write needs in one backend, and what they will have done."""

    outcome: Outcome
    """What the write comes to when all calls succeed; UNCHANGED has none."""
    calls: tuple[Call, ...] = ()
    id: str | None = None
    matched_by: str | None = None
    changed: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Why the input cannot be written here; a plan with problems is never delivered."""
    warnings: tuple[Problem, ...] = ()


@fixed
class Answer:
    """What a successful reply to a writing call says."""

    id: str | None = None
    jobs: tuple[ImportJob, ...] = field(default=())


class Adapter(Reads, Protocol):
    """One backend, for one set of credentials; what it gives to reads stands in `Reads`."""

    native_custom_fields: str
    """The input field of custom fields by the backend's own ids."""
    native_ids: Mapping[str, CatalogName]
    """The input's lists of ids of groups and the like, and the catalog that has them."""
    sender: Sender

    def check(self, write: ContactWrite) -> list[Problem]:
        """What is wrong with the input for this backend alone, before anybody is asked. Pure.

        A target with such a problem is not looked up, because its keys may be unusable.
        """
        ...

    def needs_siblings(self, write: ContactWrite) -> bool:
        """Whether `find` must know what the other backends hold, because a key is missing."""
        ...

    async def find(
        self, write: ContactWrite, siblings: Mapping[Backend, Found], exchange: Exchange
    ) -> Found:
        """The stored record that the write means.

        Raises RefusedError for a native id that does not exist and for conflicting keys,
        NotWrittenError when the backend cannot tell.
        """
        ...

    def wanted(self, write: ContactWrite) -> list[Wanted]:
        """The names that the write needs resolved here. Pure."""
        ...

    def plan(
        self,
        write: ContactWrite,
        found: Found,
        resolution: Resolution,
        siblings: Mapping[Backend, Found],
    ) -> Plan:
        """The calls that bring the record to what the write says. Pure.

        Raises NotWrittenError when the backend cannot be brought there yet.
        """
        ...

    def lock_keys(self, write: ContactWrite, found: Found) -> list[str]:
        """What must be held while the plan is delivered, always in one order. Pure."""
        ...

    def fresh_for(self, found: Found) -> float:
        """Seconds for which a look-up may be relied on under the lock. Pure."""
        ...

    async def send(self, call: Call, exchange: Exchange) -> Reply:
        """The successful answer to a call of a plan.

        Where the exchange has a gathering, calls of other writes may leave with this one, in one of
        the backend's batch calls; the reply is that of this call alone. Raises RefusedError,
        NotWrittenError or MaybeWrittenError, by what is known of the call.
        """
        ...

    def read_answer(self, call: Call, reply: Reply) -> Answer:
        """What a successful reply to a writing call says; the adapter may remember it."""
        ...

    async def job(self, job_id: str, exchange: Exchange) -> ImportJob | None:
        """Asynchronous work of the backend; None when it knows no such job, or has none at all."""
        ...


@runtime_checkable
class ReadsByCatalog(Protocol):
    """An adapter of which catalogs say more than which names there are: what a value has to be, say."""

    def misfits(
        self, write: ContactWrite, resolution: Resolution, found: Found | None
    ) -> list[Problem]:
        """What the catalogs have against the write, given what is stored. Pure.

        Where `found` is None nobody knows what is stored: then only what is wrong in any case. Told
        of a write that is taken now and planned later.
        """
        ...


@runtime_checkable
class SharesNotes(Protocol):
    """An adapter that must know what other processes have written lately."""

    def share(self, notes: Any, account: str) -> None:
        """Leave notes for them in the store's `Notes` from now on, under the account's name."""
        ...


@runtime_checkable
class ReadsBack(Protocol):
    """An adapter whose backend takes writes now and does them later."""

    async def read_back(self, found: Found, exchange: Exchange) -> Found:
        """The contact as the backend shows it now, without what it has only accepted.

        Raises BackendFailure when the backend cannot tell.
        """
        ...

    def may_be_overwritten(self, result: BackendResult, found: Found) -> bool:
        """Whether a contact without what was sent was written all the same since its jobs began.

        Then they may have done it, and somebody else something later. True where it cannot be told.
        """
        ...

    def must_be_seen(self, result: BackendResult) -> bool:
        """Whether a write may have had no effect though its jobs were completed."""
        ...

    def is_seen(self, result: BackendResult, found: Found) -> bool:
        """Whether a contact that was read back shows that effect."""
        ...
