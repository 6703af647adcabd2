"""What the backends' lists of names look like to a caller."""

from __future__ import annotations

from enum import Enum

import strawberry
from strawberry import ID

from gateway.entries import CustomFieldType, Entry
from gateway.model import Backend, enum_value


@strawberry.type(description="An entry of one of a backend's lists.")
class CatalogEntry:
    """A named thing of a backend."""

    id: ID = strawberry.field(description="The backend's id.")
    name: str = strawberry.field(description="Its name there.")

    @classmethod
    def of(cls, entry: Entry) -> CatalogEntry:
        """From a catalog's entry."""
        return cls(id=ID(entry.id), name=entry.name)


@strawberry.type(description="A way to reach contacts that Everbridge has set up.")
class ContactPath:
    """A way to reach contacts that Everbridge has set up."""

    id: ID = strawberry.field(description="The pathId that contacts use.")
    name: str = strawberry.field(description="The prompt.")
    kind: str | None = strawberry.field(
        default=None, description="EMAIL, PHONE, SMS, …, as Everbridge names them."
    )

    @classmethod
    def of(cls, entry: Entry) -> ContactPath:
        """From a catalog's entry."""
        return cls(id=ID(entry.id), name=entry.name, kind=entry.kind)


@strawberry.enum(description="What a custom field belongs to.")
class Entity(Enum):
    """What a custom field belongs to."""

    CONTACT = enum_value("CONTACT", description="Contacts.")
    COMPANY = enum_value("COMPANY", description="Companies.")
    LEAD = enum_value("LEAD", description="Leads.")


@strawberry.type(description="A value that a choice allows.")
class CustomFieldOption:
    """A value that a choice allows."""

    value: ID = strawberry.field(description="The backend's own value.")
    label: str = strawberry.field(description="The text that people see.")


@strawberry.type(description="A custom field or contact attribute of a backend.")
class CustomField:
    """A custom field or contact attribute of a backend."""

    id: ID = strawberry.field(description="The backend's id.")
    name: str = strawberry.field(description="Its name there.")
    type: CustomFieldType = strawberry.field(description="What values it takes.")
    required: bool = strawberry.field(description="Whether the backend asks for a value.")
    writable: bool = strawberry.field(description="Whether the gateway can write it.")
    options: list[CustomFieldOption] = strawberry.field(
        description="Allowed values, where the backend defines them; either the value or the "
        "label is accepted on input."
    )

    @classmethod
    def of(cls, entry: Entry) -> CustomField:
        """From a catalog's entry."""
        info = entry.field
        return cls(
            id=ID(entry.id),
            name=entry.name,
            type=info.type if info else CustomFieldType.OTHER,
            required=info.required if info else False,
            writable=info.writable if info else False,
            options=[
                CustomFieldOption(value=ID(option.value), label=option.label)
                for option in (info.options if info else ())
            ],
        )


@strawberry.enum(description="How a backend is doing.")
class Health(Enum):
    """How a backend is doing."""

    UP = enum_value("UP", description="The last minute's calls were answered.")
    DEGRADED = enum_value("DEGRADED", description="Some of the last minute's calls failed.")
    DOWN = enum_value("DOWN", description="All of the last minute's calls failed.")
    UNKNOWN = enum_value("UNKNOWN", description="There were no calls in the last minute.")


@strawberry.type(description="Configuration and health of a backend.")
class BackendStatus:
    """Configuration and health of a backend."""

    backend: Backend = strawberry.field(description="The backend.")
    configured: bool = strawberry.field(description="Whether the gateway has its credentials.")
    health: Health = strawberry.field(description="How it is doing, from real traffic.")
    latency_ms: float | None = strawberry.field(
        default=None, description="Median latency of the last minute's calls, milliseconds."
    )
    message: str | None = strawberry.field(default=None, description="More about it, for people.")
