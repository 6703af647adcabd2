"""iVvy's lists of names and ids (contract: ivvy sections 5.4, 5.5, 6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.backends.ivvy.client import call, listing
from gateway.backends.ivvy.lead_fields import lead_field_entries
from gateway.backends.ivvy.pages import read_rows
from gateway.entries import CatalogName, CustomFieldType, Entry, FieldInfo, Option

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from gateway.upstream import Exchange, Sender

    Fetch = Callable[[Exchange], Awaitable[list[Entry]]]
    Read = Callable[[Mapping[str, Any]], Entry | None]

_TYPES: Mapping[int, CustomFieldType] = {
    0: CustomFieldType.TEXT,
    1: CustomFieldType.TEXT,
    2: CustomFieldType.CHOICE,
    3: CustomFieldType.MULTIPLE_CHOICE,
    5: CustomFieldType.DATE,
    8: CustomFieldType.NUMBER,
    # Large select. ASSUMED: written like a single select, from its name.
    9: CustomFieldType.CHOICE,
}
"""By fieldType. Address (4), file (6), static text (7) and what iVvy may add cannot be written."""

ID_FIELDS = {
    CatalogName.GROUPS: "ivvy.groupIds",
    CatalogName.COMPANIES: "ivvy.companyIds",
    CatalogName.CUSTOM_FIELDS: "ivvy.customFields",
    CatalogName.COMPANY_FIELDS: "ivvy.customFields",
    CatalogName.LEAD_TYPES: "ivvy.typeId",
    CatalogName.LEAD_STAGES: "ivvy.stageId",
    CatalogName.LEAD_SOURCES: "ivvy.sourceId",
    CatalogName.LEAD_QUALITIES: "ivvy.qualityId",
    CatalogName.LEAD_CHANNELS: "ivvy.channelId",
    CatalogName.INDUSTRIES: "ivvy.industryId",
    CatalogName.OWNERS: "ivvy.ownerUserId",
}
"""The input field that takes a list's ids instead of names."""

LEAD_STAGE = 2
"""The `applyTo` of a lead's stages; 1 is an opportunity's."""
ACTIVE, NORMAL_USER = 1, 1
"""A user's currentStatus and userType."""


def fetches(
    sender: Sender, lead_fields: Mapping[str, str] | None = None
) -> dict[CatalogName, Fetch]:
    """How each list is read, all its pages; `lead_fields` is the settings' table of lead fields."""
    arrays: dict[CatalogName, tuple[str, Read]] = {
        CatalogName.GROUPS: ("getSubscriptionGroupList", _by_key("groupName")),
        CatalogName.CUSTOM_FIELDS: ("getCustomFieldDefinition", read_field),
        CatalogName.COMPANY_FIELDS: ("getCompanyCustomFieldDefinition", read_field),
    }
    paged: dict[CatalogName, tuple[str, str, Read]] = {
        CatalogName.COMPANIES: (*COMPANY_LIST, _company),
        CatalogName.LEAD_TYPES: ("crm", "getLeadTypeList", _by_key("type", "subtypes", "name")),
        CatalogName.LEAD_STAGES: ("crm", "getLeadStageList", read_stage),
        CatalogName.LEAD_SOURCES: ("crm", "getLeadSourceList", _by_key("name")),
        CatalogName.LEAD_QUALITIES: ("crm", "getLeadQualityList", _by_key("label")),
        CatalogName.LEAD_CHANNELS: ("crm", "getLeadChannelList", _by_key("name")),
        CatalogName.INDUSTRIES: ("account", "getIndustryList", _by_key("name")),
        CatalogName.OWNERS: ("account", "getUserList", read_user),
    }
    return {
        **{name: _array(sender, *source) for name, source in arrays.items()},
        **{name: _paged(sender, *source) for name, source in paged.items()},
        CatalogName.LEAD_FIELDS: _known(lead_field_entries(lead_fields or {})),
    }


def _known(entries: list[Entry]) -> Fetch:
    """A list that iVvy does not give."""

    async def fetch(_exchange: Exchange) -> list[Entry]:
        return entries

    return fetch


def _array(sender: Sender, action: str, read: Read) -> Fetch:
    async def fetch(exchange: Exchange) -> list[Entry]:
        reply = await sender.send(call("contact", action, {}), exchange)
        return _entries(reply.body, read)

    return fetch


def _paged(sender: Sender, namespace: str, action: str, read: Read) -> Fetch:
    async def fetch(exchange: Exchange) -> list[Entry]:
        rows = await read_rows(sender, lambda start: listing(namespace, action, start), exchange)
        return _entries(rows, read)

    return fetch


def _entries(rows: Sequence[Mapping[str, Any]], read: Read) -> list[Entry]:
    return [entry for entry in map(read, rows) if entry is not None]


def _by_key(key: str, children: str = "", child_key: str = "") -> Read:
    """Reads rows whose name stands under `key`, and the entries under them.

    What has no name is called by its id, as records show it.
    """

    def read(row: Mapping[str, Any]) -> Entry | None:
        parts = row.get(children) or [] if children else []
        return Entry(
            id=str(row["id"]),
            name=str(row.get(key) or row["id"]),
            children=tuple(
                Entry(id=str(part["id"]), name=str(part.get(child_key) or part["id"]))
                for part in parts
            ),
        )

    return read


COMPANY_LIST = ("contact", "getCompanyList")
_company = _by_key("businessName")


async def changed_companies(sender: Sender, since: datetime, exchange: Exchange) -> list[Entry]:
    """The companies that were made or changed since an instant."""
    chosen = {"fromModifiedDate": f"{since:%Y-%m-%d %H:%M:%S}"}
    rows = await read_rows(sender, lambda start: listing(*COMPANY_LIST, start, chosen), exchange)
    return _entries(rows, _company)


_stage = _by_key("name", "reasons", "reason")


def read_stage(row: Mapping[str, Any]) -> Entry | None:
    """A stage with its reasons; None for a stage of opportunities.

    ASSUMED: the list may mix both kinds and tell them apart by applyTo, which its sample lacks.
    """
    return _stage(row) if str(row.get("applyTo") or LEAD_STAGE) == str(LEAD_STAGE) else None


def read_user(row: Mapping[str, Any]) -> Entry | None:
    """A user by full name, with the e-mail address as another name; None unless active and normal."""
    flags = (str(row.get("currentStatus")), str(row.get("userType")))
    if flags != (str(ACTIVE), str(NORMAL_USER)):
        return None
    names = (row.get("firstName"), row.get("lastName"))
    email = row.get("email")
    return Entry(
        id=str(row["id"]),
        name=" ".join(str(name) for name in names if name),
        aliases=(str(email),) if email else (),
    )


def read_field(row: Mapping[str, Any]) -> Entry | None:
    """A custom field's definition; None for one that is not active."""
    if row.get("isActive") in (False, "false", "0"):
        return None
    kind = str(row.get("fieldType"))
    known = _TYPES.get(int(kind)) if kind.isdecimal() else None
    options = row.get("selectValues")
    return Entry(
        id=str(row["fieldId"]),
        name=str(row.get("displayName") or ""),
        kind=kind,
        field=FieldInfo(
            type=known or CustomFieldType.OTHER,
            required=row.get("isRequired") in (True, "true", "1"),
            writable=known is not None,
            whole=known is CustomFieldType.NUMBER,
            # PHP writes an object without members as an array.
            options=tuple(
                Option(value=str(value), label=str(label)) for value, label in options.items()
            )
            if isinstance(options, dict)
            else (),
        ),
    )
