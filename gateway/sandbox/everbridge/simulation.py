"""`Everbridge`: the simulated backend, put together from its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.sandbox.everbridge.app import rest_app, token_app
from gateway.sandbox.everbridge.contact_calls import ContactCalls
from gateway.sandbox.everbridge.contacts import Contacts
from gateway.sandbox.everbridge.credentials import Credentials
from gateway.sandbox.everbridge.group_calls import GroupCalls
from gateway.sandbox.everbridge.groups import Groups
from gateway.sandbox.everbridge.lookup_calls import LookupCalls
from gateway.sandbox.everbridge.lookups import Lookups
from gateway.sandbox.everbridge.quota import Quota
from gateway.sandbox.everbridge.store import Store
from gateway.sandbox.everbridge.switches import defaults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp

    from gateway.sandbox.clock import Clock


class Everbridge:
    """Everbridge's contacts API with state, for one organization with seed data.

    `app` stands behind `/rest`, `token_app` behind `/authorization/v1`. `switches` may be changed
    in place at any time; the table is in `switches.py`.
    """

    name = "everbridge"

    def __init__(self, clock: Clock) -> None:
        self.switches: dict[str, Any] = defaults()
        self._store = Store(clock)
        contacts = Contacts(self._store, self.switches)
        groups = Groups(self._store, contacts)
        credentials = Credentials(self._store, self.switches)
        rows = [
            *LookupCalls(self._store, Lookups(self._store)).rows(),
            *GroupCalls(self._store, groups).rows(),
            *ContactCalls(self._store, contacts, groups).rows(),
        ]
        self.app: ASGIApp = rest_app(
            rows,
            store=self._store,
            credentials=credentials,
            quota=Quota(clock, self.switches),
            switches=self.switches,
        )
        self.token_app: ASGIApp = token_app(credentials, clock)

    def reset(self) -> None:
        """Back to the seed data and the switches' defaults; tokens are void."""
        self._store.reset()
        self.switches.update(defaults())

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON values: tables, ids and tokens; not the switches."""
        return self._store.dump()

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a state that `dump` gave."""
        self._store.load(state)
