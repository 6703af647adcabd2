"""Writes, catalogs and stored contacts of Everbridge's tests, said briefly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strawberry import ID, Some

from gateway.backends.adapter import Found, Key, KeyKind, Stored
from gateway.backends.everbridge.catalog import _attribute, _named, _path
from gateway.backends.everbridge.contact import plan_contact, wanted_names
from gateway.backends.everbridge.organization import Organization
from gateway.backends.everbridge.reader import email_of
from gateway.checks import check_contact
from gateway.entries import Catalog, CatalogName
from gateway.model import (
    AddressInput,
    ContactInput,
    CustomFieldByIdInput,
    CustomFieldInput,
    EverbridgeContactInput,
    PathInput,
    QuietTimeFrameInput,
    Weekday,
)
from gateway.name_problems import not_found
from gateway.names import Resolution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.backends.adapter import Plan
    from gateway.write import ContactWrite

ORGANIZATION = Organization(
    id="1000000000000001",
    email_path="Work Email",
    phone_path="Mobile Phone",
    record_type="Employee",
)
BARE = Organization(id="1000000000000001")
"""The same organization without any of the optional settings."""

WORK_EMAIL, HOME_EMAIL = 241901148045316, 241901148045317
MOBILE, BUSINESS, SMS, APP = 241901148045319, 241901148045321, 241901148045324, 241901148045325
EMPLOYEE, RESIDENT = 1100000000000001, 1100000000000002
NEWSLETTER, BERLIN, WARDENS = 1200000000000001, 1200000000000002, 1200000000000003
SHIFT, BADGE, NOTES, LANGUAGES, JOINED, AREA = range(1400000000000001, 1400000000000007)

CATALOGS = {
    CatalogName.PATHS: Catalog(
        entries=tuple(
            _path({"id": number, "pathId": path_id, "prompt": prompt, "pathType": kind})
            for number, (path_id, prompt, kind) in enumerate(
                [
                    (WORK_EMAIL, "Work Email", "EMAIL"),
                    (HOME_EMAIL, "Home Email", "EMAIL"),
                    (MOBILE, "Mobile Phone", "PHONE"),
                    (BUSINESS, "Business Phone", "EXTPHONE"),
                    (SMS, "SMS", "SMS"),
                    (APP, "Member App", "RECIP"),
                ]
            )
        )
    ),
    CatalogName.RECORD_TYPES: Catalog(
        entries=(
            _named({"id": EMPLOYEE, "name": "Employee"}),
            _named({"id": RESIDENT, "name": "Resident"}),
        )
    ),
    CatalogName.GROUPS: Catalog(
        entries=(
            _named({"id": NEWSLETTER, "name": "Newsletter"}),
            _named({"id": BERLIN, "name": "Berlin Office"}),
            _named({"id": WARDENS, "name": "Fire Wardens"}),
        )
    ),
    CatalogName.CUSTOM_FIELDS: Catalog(
        entries=tuple(
            _attribute(
                {
                    "id": attribute_id,
                    "name": name,
                    "dataType": kind,
                    "displayFormat": form,
                    "definedValues": values,
                }
            )
            for attribute_id, name, kind, form, values in [
                (SHIFT, "Shift", "STRING", "L", ["Day", "Night", "Early"]),
                (BADGE, "Badge number", "NUMBER", "F", None),
                (NOTES, "Notes", "STRING", "F", None),
                (LANGUAGES, "Languages", "STRING", "S", ["English", "German", "French"]),
                (JOINED, "Joined", "DATE", "F", None),
                (AREA, "Area", "POLYGON", "F", None),
            ]
        )
    ),
}


def contact(*, everbridge: Mapping[str, Any] | None = None, **fields: Any) -> ContactInput:
    """An input in which the named fields are given; None is null."""
    given = {name: Some(value) for name, value in fields.items()}
    if everbridge is not None:
        native = EverbridgeContactInput(**_given(everbridge))
        return ContactInput(**given, everbridge=Some(native))
    return ContactInput(**given)


def path(value: str, **fields: Any) -> PathInput:
    """A delivery path of an input; `prompt`, `path_id` and so on as given."""
    return PathInput(value=value, **_given(fields))


def address(**fields: Any) -> AddressInput:
    """An address of an input."""
    return AddressInput(**_given(fields))


def frame(name: str | None = None, *days: Weekday, begin: int = 22, end: int = 6) -> Any:
    """A quiet time from `begin` to `end` o'clock."""
    return QuietTimeFrameInput(
        name=Some(name) if name is not None else None,
        days=list(days) or [Weekday.MONDAY],
        from_hour=begin,
        from_minute=0,
        to_hour=end,
        to_minute=30,
    )


def custom(name: str, *values: str) -> CustomFieldInput:
    """A custom field by name."""
    return CustomFieldInput(name=name, values=list(values))


def custom_by_id(field_id: int, *values: str) -> CustomFieldByIdInput:
    """A contact attribute by id."""
    return CustomFieldByIdInput(id=ID(str(field_id)), values=list(values))


def write_of(given: ContactInput, **how: Any) -> ContactWrite:
    """The write of an input that passes the checks."""
    write, problems = check_contact(given, default_country="GB", **how)
    assert problems == []
    return write


def resolved(write: ContactWrite, organization: Organization = ORGANIZATION) -> Resolution:
    """What the catalogs above say of the write's names."""
    wanted = wanted_names(write, organization)
    matches = {
        (want.catalog, want.name): CATALOGS[want.catalog].matches(want.name)
        for want in wanted
        if want.name is not None
    }
    return Resolution(
        found={key: entries[0] for key, entries in matches.items() if entries},
        missing={key: [] for key, entries in matches.items() if not entries},
        catalogs={want.catalog: CATALOGS[want.catalog] for want in wanted},
        problems=tuple(
            not_found(want, [], None)
            for want in wanted
            if want.name is not None and not want.shared and not matches[want.catalog, want.name]
        ),
    )


def stored(raw: Mapping[str, Any]) -> Stored:
    """A contact as the adapter's `find` gives it."""
    return Stored(
        id=str(raw["id"]),
        external_id=raw.get("externalId"),
        email=email_of(raw, str(WORK_EMAIL)),
        raw=raw,
        read_at=0.0,
    )


def plan(
    given: ContactInput,
    raw: Mapping[str, Any] | None = None,
    *,
    organization: Organization = ORGANIZATION,
    borrowed: str | None = None,
    **how: Any,
) -> Plan:
    """The plan of an input for a stored contact, or for a new one."""
    write = write_of(given, **how)
    external_id = (given.external_id.value if given.external_id else None) or borrowed
    keys = (
        (Key(kind=KeyKind.EXTERNAL_ID, value=external_id, source="externalId"),)
        if external_id
        else ()
    )
    found = Found(
        stored=stored(raw) if raw is not None else None,
        matched_by="externalId" if raw is not None else None,
        keyless=not keys,
        asked_by=keys,
    )
    return plan_contact(write, found, resolved(write, organization), organization)


def sent(made: Plan) -> dict[str, Any]:
    """The body of the plan's one PUT or POST."""
    assert made.problems == ()
    [call] = [call for call in made.calls if call.method in {"PUT", "POST"}]
    body: dict[str, Any] = call.body
    return body


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: Some(value) for name, value in fields.items()}
