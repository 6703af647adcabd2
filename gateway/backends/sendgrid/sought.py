"""What is known of a SendGrid contact when a write to it is planned."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from gateway.backends.adapter import Found
from gateway.backends.sendgrid.identifiers import held_by
from gateway.fixed import fixed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.backends.sendgrid.memory import Accepted


@fixed
class Sought(Found):
    """What looking for a contact brought, with what is remembered of writes under way."""

    key: str | None = None
    """The value of the account's identifier, from the input or from a sibling."""
    accepted: Accepted | None = None
    """What earlier writes, accepted and not confirmed yet, will have done to the contact."""
    readable_in: float = 1.0
    """Seconds until those writes can probably be read."""
    holders: Mapping[str, str | None] = field(default_factory=dict)
    """Who has the addresses that were asked for because the e-mail changes or may change: words for
    the contact, None for nobody. In lower case; without those of which SendGrid did not tell."""

    @property
    def comparable(self) -> bool:
        """Whether the stored fields are what the contact will have."""
        return self.stored is not None and self.accepted is None

    @property
    def new(self) -> bool:
        """Whether there surely is no such contact yet, so that nothing needs clearing."""
        return self.looked and self.stored is None and self.accepted is None

    @property
    def held(self) -> dict[str, str] | None:
        """The identifiers that the contact holds; None when new or not known."""
        if self.stored is not None:
            return held_by(self.stored.raw)
        return dict(self.accepted.identifiers) if self.accepted else None

    @property
    def lists(self) -> list[str]:
        """The lists that the contact is on, writes under way included."""
        if self.stored is not None:
            return list(self.stored.raw.get("list_ids") or [])
        return self.accepted.joined if self.accepted else []
