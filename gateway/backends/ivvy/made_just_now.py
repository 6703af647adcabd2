"""Contacts whose create may still be sent again, because its first try got no answer.

A repeated create finds its contact by first name, last name and e-mail address (updateIfExists). Were
one of them changed between the two tries, it would find none and make a second contact.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.backends.ivvy.clock import instant
from gateway.values import folded_email, same_email

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.backends.adapter import Stored
    from gateway.write import ContactWrite

JUST_NOW = timedelta(minutes=10)
"""Longer than a request lasts, and its clock and iVvy's may differ: by five minutes at most, or iVvy
would refuse its signatures."""
NAMES = {"first_name": "firstName", "last_name": "lastName"}


def create_to_wait_for(write: ContactWrite, stored: Stored, now: datetime) -> str | None:
    """The e-mail address under which the contact may just be being made, where that matters. Pure."""
    if stored.email is None or not _hides(write, stored):
        return None
    changed_at = instant(stored.raw.get("modifiedDate"))
    if changed_at is not None and now - changed_at > JUST_NOW:
        return None
    return folded_email(stored.email)


def _hides(write: ContactWrite, stored: Stored) -> bool:
    """Whether a create of the contact would not find it after this write."""
    wish = write.get("email")
    if wish is not None and not same_email(wish.value or "", stored.email or ""):
        return True
    for ours, theirs in NAMES.items():
        name = write.get(ours)
        if name is not None and name.value != stored.raw.get(theirs):
            return True
    return False
