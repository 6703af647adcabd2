"""Which lead an externalId means: intent, then call, then link.

The intent is stored before the call leaves, so that a crash can never lead to a second lead in
silence: whoever sees an open intent looks the lead up, and where that leaves a doubt says UNKNOWN.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import structlog

from gateway.errors import MaybeWrittenError, NotWrittenError, RefusedError
from gateway.lead_link_problems import (
    not_linked,
    not_storable,
    other_external_id,
    other_lead,
    running,
    somebody_else,
    store_is_down,
    unknown,
)
from gateway.results import Outcome
from gateway.store.errors import StoreError
from gateway.store.link_records import Begun, Intent, LinkConflict, Linked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from gateway.backends.leads import Alike, Leads
    from gateway.results import BackendResult
    from gateway.store.links import LeadLinks
    from gateway.upstream import Exchange

log = structlog.get_logger()
T = TypeVar("T")

PAYLOAD_VERSION = 1
CLOCKS_APART = timedelta(minutes=5)
"""How far the backend's clock may be from ours: no more, or it would refuse our signatures."""
GRACE = timedelta(seconds=1)
"""What a call may take beyond its deadline."""


def utc_now() -> datetime:
    """The current instant in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Meant:
    """What the keys of a write say of the lead."""

    lead_id: str | None = None
    """None where it is to be made."""
    matched_by: str | None = None
    linked: Linked | None = None
    """The link that led there."""
    adopt: bool = False
    """Whether the externalId is to be linked to that lead."""
    forget: Linked | None = None
    """A link of the externalId to a lead that is gone, which this write replaces."""


@dataclass(kw_only=True)
class Links:
    """The links of one account."""

    table: LeadLinks
    account: str
    clock: Callable[[], datetime] = field(default=utc_now)

    async def meant(
        self,
        external_id: str | None,
        native_id: str | None,
        leads: Leads,
        exchange: Exchange,
        *,
        locked: bool,
    ) -> Meant:
        """The lead that the two keys mean.

        `locked` says that this process makes no lead of that externalId now: an intent of somebody
        who still waits for an answer is then another process's. Raises RefusedError for keys that
        mean different leads, MaybeWrittenError for an unanswered create that cannot be found again.
        """
        state = None
        if external_id is not None:
            state = await self._asked(self.table.read_link(self.account, external_id))
        if native_id is not None:
            return await self._by_id(external_id, native_id, state, leads, exchange)
        match state:
            case Linked():
                return Meant(lead_id=state.lead_id, matched_by="externalId", linked=state)
            case Intent() if state.is_running(self.clock()) and not locked:
                return Meant()
            case Intent():
                found = await self._found_again(state, leads, exchange)
                return Meant(lead_id=found, matched_by="externalId", adopt=True)
            case None:
                return Meant()

    async def external_id_of(self, lead_id: str) -> str | None:
        """The externalId that stands for a lead."""
        link = await self._asked(self.table.read_link_of_lead(self.account, lead_id))
        return link.external_id if link else None

    async def lead_of(self, external_id: str) -> str | None:
        """The lead that an externalId stands for; None also while it is not known."""
        state = await self._asked(self.table.read_link(self.account, external_id))
        return state.lead_id if isinstance(state, Linked) else None

    async def _by_id(
        self,
        external_id: str | None,
        native_id: str,
        state: Linked | Intent | None,
        leads: Leads,
        exchange: Exchange,
    ) -> Meant:
        """The lead of a native id, with the externalId that it has or is to have."""
        if external_id is None or (isinstance(state, Linked) and state.lead_id == native_id):
            return Meant(lead_id=native_id, matched_by="ivvy.id")
        other = await self.external_id_of(native_id)
        if other is not None and other != external_id:
            raise RefusedError(other_external_id(leads, native_id, external_id))
        forget = None
        if isinstance(state, Linked):
            if await leads.read(state.lead_id, exchange) is not None:
                raise RefusedError(other_lead(leads, native_id, state))
            forget = state
        return Meant(lead_id=native_id, matched_by="ivvy.id", adopt=True, forget=forget)

    # ---------------------------------------------------------------- an unanswered create

    async def _found_again(self, intent: Intent, leads: Leads, exchange: Exchange) -> str:
        """The one lead that an unanswered create has made, seen without doubt.

        Raises MaybeWrittenError where there is any: none or several fit, one of them may be older
        than the create or belong to another externalId, or another create of the same is open.
        """
        if intent.is_running(self.clock()):
            raise MaybeWrittenError(running(leads, intent, self.clock()))
        sought: Mapping[str, Any] = intent.payload.get("lead", {})
        if intent.payload_version != PAYLOAD_VERSION or not sought.get("name"):
            raise MaybeWrittenError(unknown(leads, intent, "", []))
        try:
            alike = await leads.alike(sought, exchange)
        except NotWrittenError as error:
            told = f" It could not be looked up: {error.problem.message.rstrip('.')}."
            raise MaybeWrittenError(unknown(leads, intent, told, [])) from error
        fitting = [lead for lead in alike if _may_be(lead, intent)]
        free = [lead for lead in fitting if await self.external_id_of(lead.id) is None]
        ids = [lead.id for lead in free]
        sure = len(free) == 1 and _is_after(free[0], intent)
        if sure and not await self._has_twin(intent):
            return ids[0]
        raise MaybeWrittenError(unknown(leads, intent, _told(ids), ids))

    async def _has_twin(self, intent: Intent) -> bool:
        """Whether another create of such a lead is open: the one lead may be the other's."""
        others = await self._asked(self.table.read_open_intents(limit=1000))
        return any(
            other.id != intent.id
            and other.account == intent.account
            and other.payload.get("lead") == intent.payload.get("lead")
            for other in others
        )

    # ---------------------------------------------------------------- writing

    async def adopt(self, meant: Meant, external_id: str, leads: Leads, holder: str) -> None:
        """Link the lead that was found; raises RefusedError when somebody else was first."""
        if meant.lead_id is None or not meant.adopt:
            return
        if meant.forget is not None:
            await self._asked(self.table.remove_link(meant.forget))
        made = await self._asked(
            self.table.adopt_link(
                self.account, external_id, meant.lead_id, holder=holder, now=self.clock()
            )
        )
        if not isinstance(made, LinkConflict):
            return
        if isinstance(made.standing, Intent):
            raise NotWrittenError(running(leads, made.standing, self.clock()))
        if made.standing.external_id == external_id:
            raise RefusedError(other_lead(leads, meant.lead_id, made.standing))
        raise RefusedError(other_external_id(leads, meant.lead_id, external_id))

    async def create_once(
        self,
        external_id: str,
        lead: Mapping[str, Any],
        exchange: Exchange,
        send: Callable[[], Awaitable[BackendResult]],
    ) -> BackendResult:
        """What `send` made of a create, with the intent before it and the link after it.

        `lead` is what the lead could be recognised by. Raises NotWrittenError when somebody else
        has begun meanwhile, or the intent cannot be stored.
        """
        now = self.clock()
        begun = await self._asked(
            self.table.begin_link(
                self.account,
                external_id,
                holder=exchange.request_id or "?",
                payload={"lead": dict(lead)},
                payload_version=PAYLOAD_VERSION,
                answer_by=now + timedelta(seconds=exchange.left) + GRACE,
                now=now,
            )
        )
        if not isinstance(begun, Begun):
            raise NotWrittenError(somebody_else(external_id))
        result = await send()
        try:
            await self._settle(begun.intent, result)
        except StoreError as error:
            log.exception("lead link not stored", error=type(error).__name__)
            result.warnings.append(not_linked(external_id, str(result.id or "")))
        return result

    async def _settle(self, intent: Intent, result: BackendResult) -> None:
        """Store what became of the create."""
        if result.id is not None:
            linked = await self.table.finish_link(intent, str(result.id), self.clock())
            if isinstance(linked, LinkConflict):
                result.warnings.append(not_linked(intent.external_id, str(result.id)))
        elif result.outcome is Outcome.UNKNOWN:
            note = result.errors[-1].message if result.errors else ""
            await self.table.mark_unknown(intent, note, self.clock())
        else:
            await self.table.drop_link(intent)

    @staticmethod
    async def _asked(asking: Awaitable[T]) -> T:
        """What the store says; raises NotWrittenError where it cannot be asked.

        Raises RefusedError for an externalId that no database can hold, such as one with a NUL.
        """
        try:
            return await asking
        except ValueError as error:
            raise RefusedError(not_storable()) from error
        except StoreError as error:
            log.exception("store not available")
            raise NotWrittenError(store_is_down()) from error


# ---------------------------------------------------------------- which lead can be the one


def _may_be(lead: Alike, intent: Intent) -> bool:
    """Whether a lead was made at a time at which the create can have made it."""
    if lead.created_at is None:
        return True
    return intent.begun_at - CLOCKS_APART <= lead.created_at <= intent.answer_by + CLOCKS_APART


def _is_after(lead: Alike, intent: Intent) -> bool:
    """Whether a lead was surely made after the create was begun."""
    begun = intent.begun_at.replace(microsecond=0)
    return lead.created_at is not None and lead.created_at >= begun


def _told(ids: list[str]) -> str:
    if not ids:
        return " No lead that was made since looks like it."
    return f" It may be lead {' or '.join(ids)}."
