"""Contacts that were made a moment ago, for the searches that do not show them yet.

To take such a contact for one that does not exist would end in a POST that overwrites it. Nothing is
said of how soon a search shows what was written (contract: everbridge section 8, item 13).
"""

from __future__ import annotations

import time
from collections import OrderedDict

REMEMBERED_FOR = 60.0
"""Seconds. ASSUMED: no search lags behind for longer."""
MOST = 10_000
"""Contacts that are remembered at once: as many as a bulk has."""


class NewlyMade:
    """The ids of the contacts that this process made, by externalId."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, tuple[str, float]] = OrderedDict()  # the oldest first

    def note(self, external_id: str, contact_id: str) -> None:
        """Remember a contact for a while."""
        self._made.pop(external_id, None)
        self._made[external_id] = (contact_id, time.monotonic() + REMEMBERED_FOR)
        if len(self._made) > MOST:
            self._made.popitem(last=False)

    def id_of(self, external_id: str) -> str | None:
        """The id of the contact, where it was made lately."""
        contact_id, until = self._made.get(external_id, (None, 0.0))
        return contact_id if until > time.monotonic() else None

    def forget(self, external_id: str) -> None:
        """Forget a contact that the search shows now, or that is gone."""
        self._made.pop(external_id, None)
