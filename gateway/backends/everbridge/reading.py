"""A contact of Everbridge's in the unified model's words. All of it is pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strawberry import ID
from strawberry.scalars import JSON

from gateway.backends.everbridge.attributes import definition_of, texts_of
from gateway.backends.everbridge.client import SECRET
from gateway.backends.everbridge.organization import rows_in
from gateway.backends.everbridge.quiet_times import KEY as QUIET_TIMES
from gateway.entries import CatalogName
from gateway.model import Backend, Weekday
from gateway.record_values import (
    entry_of,
    shown_country,
    shown_name,
    shown_phone,
    shown_text,
    shown_values,
)
from gateway.records import Address, ContactRecord, CustomFieldValue, Path, QuietTimeFrame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.backends.everbridge.organization import Organization
    from gateway.entries import Catalog

    Catalogs = Mapping[CatalogName, Catalog]

RECORD_CATALOGS = (
    CatalogName.GROUPS,
    CatalogName.RECORD_TYPES,
    CatalogName.PATHS,
    CatalogName.CUSTOM_FIELDS,
)

_DAYS = dict(enumerate(Weekday, start=1))
"""1 is Sunday (contract: everbridge section 4.1)."""


def read_contact(
    raw: Mapping[str, Any], catalogs: Catalogs, organization: Organization
) -> ContactRecord:
    """The record of a contact; e-mail and phone are those of the paths that the settings name."""
    external_id = shown_text(raw.get("externalId"))
    email, phone = (_path_of(raw, catalogs, organization, name) for name in ("email", "phone"))
    return ContactRecord(
        backend=Backend.EVERBRIDGE,
        id=ID(str(raw["id"])),
        external_id=None if external_id is None else ID(external_id),
        email=shown_text(email.get("value")),
        first_name=shown_text(raw.get("firstName")),
        middle_initial=shown_text(raw.get("middleInitial")),
        last_name=shown_text(raw.get("lastName")),
        suffix=shown_text(raw.get("suffix")),
        phone=shown_phone(phone.get("value"), phone.get("countryCode")),
        country_code=shown_country(raw.get("country")),
        addresses=[read_address(row) for row in rows_in(raw, "address")],
        record_type_name=read_record_type(raw, catalogs),
        groups_name=[
            shown_name(catalogs, CatalogName.GROUPS, group) for group in rows_in(raw, "groups")
        ],
        paths=[read_path(row, catalogs) for row in rows_in(raw, "paths")],
        timezone_id=shown_text(raw.get("timezoneId")),
        custom_fields=read_attributes(raw, catalogs),
        raw=JSON({key: "***" if key in SECRET else value for key, value in raw.items()}),
    )


def ids_shown(raw: Mapping[str, Any]) -> list[tuple[CatalogName, str]]:
    """The ids of groups, record type and paths, whose names stand in lists."""
    record_type = raw.get("recordTypeId")
    return [
        *((CatalogName.GROUPS, str(group)) for group in rows_in(raw, "groups")),
        *((CatalogName.PATHS, str(row.get("pathId"))) for row in rows_in(raw, "paths")),
        *([(CatalogName.RECORD_TYPES, str(record_type))] if record_type else []),
    ]


def read_record_type(raw: Mapping[str, Any], catalogs: Catalogs) -> str | None:
    """The record type's name, from its list or else from the contact."""
    record_type = raw.get("recordTypeId")
    entry = entry_of(catalogs, CatalogName.RECORD_TYPES, record_type)
    return entry.name if entry else shown_text(raw.get("recordTypeName") or record_type)


def read_path(row: Mapping[str, Any], catalogs: Catalogs) -> Path:
    """One delivery path, with its prompt where the list of paths has it."""
    path_id = shown_text(row.get("pathId"))
    entry = entry_of(catalogs, CatalogName.PATHS, path_id)
    return Path(
        path_id=None if path_id is None else ID(path_id),
        prompt=entry.name if entry else shown_text(row.get("prompt")),
        value=shown_text(row.get("value")) or "",
        country_code=shown_country(row.get("countryCode")),
        extension=shown_text(row.get("phoneExt")),
        quiet_time_frames=[read_frame(frame) for frame in rows_in(row, QUIET_TIMES)],
    )


def read_frame(frame: Mapping[str, Any]) -> QuietTimeFrame:
    """One quiet time."""
    return QuietTimeFrame(
        name=shown_text(frame.get("name")),
        days=[_DAYS[day] for day in frame.get("days") or [] if day in _DAYS],
        from_hour=frame.get("fromHour") or 0,
        from_minute=frame.get("fromMin") or 0,
        to_hour=frame.get("toHour") or 0,
        to_minute=frame.get("toMin") or 0,
    )


def read_address(row: Mapping[str, Any]) -> Address:
    """One address; its suite is line2."""
    position = row.get("gisLocation") or {}
    return Address(
        location_name=shown_text(row.get("locationName")),
        line1=shown_text(row.get("streetAddress")),
        line2=shown_text(row.get("suite")),
        city=shown_text(row.get("city")),
        region=shown_text(row.get("state")),
        postal_code=shown_text(row.get("postalCode")),
        country_code=shown_country(row.get("country")),
        latitude=position.get("lat"),
        longitude=position.get("lon"),
    )


def read_attributes(raw: Mapping[str, Any], catalogs: Catalogs) -> list[CustomFieldValue]:
    """The attributes that have a value and can be written."""
    catalog = catalogs.get(CatalogName.CUSTOM_FIELDS)
    shown = []
    for row in rows_in(raw, "contactAttributes"):
        entry = definition_of(row, catalog)
        info = entry.field if entry else None
        values = shown_values(info, texts_of(row))
        if values and (info is None or info.writable):
            field_id = entry.id if entry else str(row.get("orgAttrId") or row.get("name"))
            name = entry.name if entry else None
            if catalog is None:  # its own name for it is better than none
                name = shown_text(row.get("name"))
            shown.append(CustomFieldValue(id=ID(field_id), name=name, values=values))
    return shown


def _path_of(
    raw: Mapping[str, Any], catalogs: Catalogs, organization: Organization, name: str
) -> Mapping[str, Any]:
    """The contact's path that the unified email or phone lives in; empty where there is none."""
    prompt, catalog = organization.prompt_of(name), catalogs.get(CatalogName.PATHS)
    entries = catalog.matches(prompt) if prompt and catalog else []
    wanted = entries[0].id if len(entries) == 1 else None
    rows = rows_in(raw, "paths")
    return next((row for row in rows if str(row.get("pathId")) == wanted), {})
