"""What is known of an externalId of a lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.store.database import Json


@dataclass(frozen=True, kw_only=True)
class Linked:
    """The externalId means this lead."""

    account: str
    external_id: str
    lead_id: str
    linked_at: datetime


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A create that was begun and whose end is not known here: everything that is known of it."""

    account: str
    external_id: str
    id: str
    """Tells this intent from every other one for the same externalId, past ones included: what an
    old holder says of its own intent can never touch a newer one."""
    holder: str
    """Who began it: the id of the request."""
    begun_at: datetime
    answer_by: datetime
    """When its holder will have given up waiting for the answer."""
    payload: Json
    """What was to be sent."""
    payload_version: int
    unknown: bool
    """Its holder has ended without learning what became of the create."""
    note: str | None
    """What its holder learned instead."""

    def is_running(self, now: datetime) -> bool:
        """Whether its holder may still be waiting for the answer."""
        return not self.unknown and now < self.answer_by


@dataclass(frozen=True, kw_only=True)
class Begun:
    """The intent is yours: nobody else creates a lead for this externalId until you say so."""

    intent: Intent


@dataclass(frozen=True, kw_only=True)
class LinkConflict:
    """The link was not made, because of another one that stands."""

    wanted: str
    """The lead that was to be linked."""
    standing: Linked | Intent
    """For the same externalId: linked to another lead, or being created by somebody else. For the
    same lead: linked to another externalId."""


LinkState: TypeAlias = Linked | Intent | None
"""None when nothing is known."""
