"""Writes, catalogs and stored contacts of SendGrid's tests, said briefly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strawberry import Some

from gateway.backends.adapter import Found, Stored
from gateway.backends.sendgrid.contact import plan_contact
from gateway.backends.sendgrid.sought import Sought
from gateway.checks import check_contact
from gateway.custom_fields import wanted_custom_fields
from gateway.entries import Catalog, CatalogName, CustomFieldType, Entry, FieldInfo
from gateway.memberships import wanted_groups
from gateway.model import Backend, ContactInput, SendGridContactInput
from gateway.names import Resolution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.backends.adapter import Plan
    from gateway.backends.sendgrid.identifiers import Identifier
    from gateway.backends.sendgrid.memory import Accepted
    from gateway.write import ContactWrite

NEWSLETTER = "11111111-1111-4111-8111-111111111111"
BERLIN = "22222222-2222-4222-8222-222222222222"
VIP = "33333333-3333-4333-8333-333333333333"
UNKNOWN = "99999999-9999-4999-8999-999999999999"


def _field(entry_id: str, name: str, kind: CustomFieldType) -> Entry:
    return Entry(id=entry_id, name=name, field=FieldInfo(type=kind))


CATALOGS = {
    CatalogName.GROUPS: Catalog(
        entries=(
            Entry(id=NEWSLETTER, name="Newsletter"),
            Entry(id=BERLIN, name="Berlin Office"),
            Entry(id=VIP, name="VIP"),
        )
    ),
    CatalogName.CUSTOM_FIELDS: Catalog(
        entries=(
            _field("e1_T", "shift", CustomFieldType.TEXT),
            _field("w2_N", "badge_number", CustomFieldType.NUMBER),
            _field("e3_D", "member_since", CustomFieldType.DATE),
            _field("w4_T", "notes", CustomFieldType.TEXT),
        )
    ),
}

ADA: dict[str, Any] = {
    "id": "a0000000-0000-4000-8000-000000000001",
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Byron",
    "phone_number": "+447700900001",
    "address_line_1": "12 St James's Square",
    "address_line_2": "",
    "city": "London",
    "state_province_region": "",
    "postal_code": "SW1Y 4LB",
    "country": "GB",
    "whatsapp": "",
    "alternate_emails": [],
    "list_ids": [NEWSLETTER, VIP],
    "custom_fields": {
        "shift": "Day",
        "badge_number": 1815,
        "member_since": "2024-02-01T00:00:00Z",
    },
}

KEY = {"email": "ada@example.com", "external_id": "E-1001"}
"""The value of the identifier that tests find Ada by."""


def contact(*, sendgrid: Mapping[str, Any] | None = None, **fields: Any) -> ContactInput:
    """An input in which the named fields are given; None is null."""
    given = {name: Some(value) for name, value in fields.items()}
    if sendgrid is not None:
        native = SendGridContactInput(**{name: Some(value) for name, value in sendgrid.items()})
        return ContactInput(**given, sendgrid=Some(native))
    return ContactInput(**given)


def write_of(given: ContactInput, **how: Any) -> ContactWrite:
    """The write of an input that passes the checks."""
    write, problems = check_contact(given, default_country="GB", **how)
    assert problems == []
    return write


def resolved(write: ContactWrite) -> Resolution:
    """What the catalogs above say of the write's names."""
    wanted = [
        *wanted_groups(write, "sendgrid.list_ids"),
        *wanted_custom_fields(write, "sendgrid.custom_fields"),
    ]
    named = [(want.catalog, want.name) for want in wanted if want.name is not None]
    matches = {key: CATALOGS[key[0]].matches(key[1]) for key in named}
    return Resolution(
        found={key: entries[0] for key, entries in matches.items() if entries},
        missing={key: [] for key, entries in matches.items() if not entries},
        catalogs={want.catalog: CATALOGS[want.catalog] for want in wanted},
    )


def stored(**changes: Any) -> Stored:
    """Ada as a look-up shows her; a change to None takes the key away."""
    raw = {key: value for key, value in {**ADA, **changes}.items() if value is not None}
    return Stored(
        id=raw["id"],
        external_id=raw.get("external_id"),
        email=raw.get("email"),
        raw=raw,
        read_at=0.0,
    )


def unread(key: str | None = "ada@example.com") -> Sought:
    """What `find` gives for a write that needs no read."""
    return Sought(looked=False, key=key)


def nobody(key: str = "ada@example.com") -> Sought:
    """What `find` gives when SendGrid has no such contact."""
    return Sought(key=key)


def seen(record: Stored | None = None, *, accepted: Accepted | None = None, **more: Any) -> Sought:
    """What `find` gives when it has read the contact."""
    return Sought(
        stored=record or stored(),
        matched_by="email",
        accepted=accepted,
        **{"key": "ada@example.com", **more},
    )


def plan(
    write: ContactWrite,
    found: Sought | None = None,
    *,
    siblings: Mapping[Backend, Found] | None = None,
    identifier: Identifier = "email",
) -> Plan:
    """The plan of a write; without `found`, for a contact that was not read."""
    return plan_contact(
        write, found or unread(), resolved(write), siblings or {}, identifier=identifier
    )


def calls(made: Plan) -> list[tuple[str, str, Any]]:
    """Method, path with query, and body of each call."""
    return [(call.method, call.target, call.body) for call in made.calls]


def body(made: Plan) -> Any:
    """The body of the one call, which is an upsert."""
    [(method, path, found)] = calls(made)
    assert (method, path) == ("PUT", "/v3/marketing/contacts")
    return found


def sent(made: Plan) -> dict[str, Any]:
    """The one contact of the one upsert, which joins no lists."""
    found = body(made)
    assert list(found) == ["contacts"]
    [one] = found["contacts"]
    return dict(one)


def sibling(email: str | None, backend: Backend = Backend.IVVY) -> dict[Backend, Found]:
    """A record found in another backend, with this address."""
    record = Stored(id="4711", external_id="E-1001", email=email, raw={}, read_at=0.0)
    return {backend: Found(stored=record, matched_by="externalId")}
