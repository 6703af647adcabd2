"""What an adapter gives to the reading side: look-ups of many keys at once, and records.

A part of the `Adapter` protocol, with a file of its own because reading needs nothing of writing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.backends.adapter import KeyKind, Stored
    from gateway.catalogs import Catalogs
    from gateway.entries import Catalog, CatalogName
    from gateway.errors import BackendFailure
    from gateway.fields import Field
    from gateway.model import Backend
    from gateway.records import ContactRecord
    from gateway.results import Problem
    from gateway.upstream import Exchange


class Reads(Protocol):
    """The reading half of a backend's adapter."""

    backend: Backend
    catalogs: Catalogs
    contact_fields: Sequence[Field]
    """Where each unified field goes; one without a row is reported as ignored."""
    key_kinds: Sequence[KeyKind]
    """What contacts can be asked for by, in the order in which a read tries it."""
    record_catalogs: Sequence[CatalogName]
    """The lists whose names a record shows."""

    async def look_up(
        self, kind: KeyKind, values: Sequence[str], exchange: Exchange
    ) -> Mapping[str, list[Stored] | BackendFailure]:
        """The contacts that each value means, in as few calls as the backend allows.

        A value of which nothing can be told has the failure in place of contacts; it is not raised,
        so that it leaves the other values standing.
        """
        ...

    def ids_shown(self, stored: Stored) -> Iterable[tuple[CatalogName, str]]:
        """The ids in a contact that a record shows by their names. Pure."""
        ...

    def read_contact(
        self, stored: Stored, catalogs: Mapping[CatalogName, Catalog]
    ) -> ContactRecord:
        """The contact in the unified model's words. Pure.

        An id that the catalogs lack is shown as it is.
        """
        ...

    def holds(self, field: str) -> bool:
        """Whether the backend can hold a unified field, such as country_code. Pure."""
        ...

    async def probe(self, exchange: Exchange) -> list[Problem]:
        """Ask once whether the address and the credentials work.

        Gives what is wrong with this backend's other settings. Raises BackendFailure when the
        backend cannot be reached or refuses the gateway.
        """
        ...
