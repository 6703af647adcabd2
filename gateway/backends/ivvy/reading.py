"""A contact of iVvy's in the unified model's words. All of it is pure.

Companies bring their names with the contact; groups and the options of custom fields are named by
their lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strawberry import ID
from strawberry.scalars import JSON

from gateway.backends.ivvy.contact import EMAIL_STATUS, SMS_STATUS
from gateway.backends.ivvy.custom_values import as_list
from gateway.entries import CatalogName
from gateway.model import Backend
from gateway.record_values import entry_of, shown_name, shown_phone, shown_text, shown_values
from gateway.records import ContactRecord, CustomFieldValue, ExternalUrl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.entries import Catalog
    from gateway.model import EmailStatus, SmsStatus

    Catalogs = Mapping[CatalogName, Catalog]

RECORD_CATALOGS = (CatalogName.GROUPS, CatalogName.CUSTOM_FIELDS)

_EMAIL_STATUS = {str(number): status for status, number in EMAIL_STATUS.items()}
_SMS_STATUS = {str(number): status for status, number in SMS_STATUS.items()}


def read_contact(raw: Mapping[str, Any], catalogs: Catalogs) -> ContactRecord:
    """The record of a contact that was read singly."""
    external_id = shown_text(raw.get("externalId"))
    return ContactRecord(
        backend=Backend.IVVY,
        id=ID(str(raw["id"])),
        external_id=None if external_id is None else ID(external_id),
        email=shown_text(raw.get("email")),
        first_name=shown_text(raw.get("firstName")),
        last_name=shown_text(raw.get("lastName")),
        phone=shown_phone(raw.get("phone")),
        groups_name=[shown_name(catalogs, name, group) for name, group in ids_shown(raw)],
        custom_fields=read_custom_fields(raw, catalogs),
        companies_name=read_companies(raw),
        email_status=read_email_status(raw),
        sms_status=read_sms_status(raw),
        external_urls=read_external_urls(raw),
        raw=JSON(dict(raw)),
    )


def ids_shown(raw: Mapping[str, Any]) -> list[tuple[CatalogName, str]]:
    """The ids of the groups, whose names stand in a list."""
    return [(CatalogName.GROUPS, str(row["groupId"])) for row in raw.get("groups") or []]


def read_custom_fields(raw: Mapping[str, Any], catalogs: Catalogs) -> list[CustomFieldValue]:
    """The custom fields that have a value, but for those that iVvy does not let be written.

    A field that the list of definitions lacks, such as an inactive one, has no name.
    """
    shown = []
    for row in raw.get("customFields") or []:
        entry = entry_of(catalogs, CatalogName.CUSTOM_FIELDS, row["fieldId"])
        info = entry.field if entry else None
        if info is not None and not info.writable:
            continue
        values = shown_values(info, as_list(row.get("value")))
        if values:
            name = entry.name if entry else None
            shown.append(CustomFieldValue(id=ID(str(row["fieldId"])), name=name, values=values))
    return shown


def read_companies(raw: Mapping[str, Any]) -> list[str]:
    """The companies by name; one without a name by its id."""
    rows = raw.get("companiesData") or []
    names = {str(row["id"]): shown_text(row.get("businessName")) for row in rows}
    return [names.get(str(company)) or str(company) for company in raw.get("companies") or []]


def read_email_status(raw: Mapping[str, Any]) -> EmailStatus | None:
    """The e-mail status; None while the contact registers, and for one that is not known."""
    return _EMAIL_STATUS.get(str(raw.get("status")))


def read_sms_status(raw: Mapping[str, Any]) -> SmsStatus | None:
    """The status of text messages; None for one that is not known."""
    return _SMS_STATUS.get(str(raw.get("smsStatus")))


def read_external_urls(raw: Mapping[str, Any]) -> list[ExternalUrl]:
    """The links."""
    return [
        ExternalUrl(
            ref=str(row["ref"]), url=shown_text(row.get("url")), label=shown_text(row.get("label"))
        )
        for row in raw.get("externalUrls") or []
    ]
