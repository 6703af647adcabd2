"""A contact body, field by field (contract: everbridge section 4), names replaced by ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.sandbox.everbridge.addresses import read_addresses
from gateway.sandbox.everbridge.attributes import read_attribute_values
from gateway.sandbox.everbridge.errors import invalid
from gateway.sandbox.everbridge.paths import read_paths
from gateway.sandbox.everbridge.values import (
    JsonObject,
    read_boolean,
    read_country,
    read_list,
    read_long,
    read_text,
    read_timezone,
    text_up_to,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.sandbox.everbridge.store import Store

SERVER_FIELDS = (
    "id",
    "organizationId",
    "accountId",
    "resourceBundleId",
    "status",
    "createdDate",
    "createdId",
    "createdName",
    "lastModifiedDate",
    "lastModifiedTime",
    "lastModifiedId",
    "lastModifiedName",
    "registedDate",
    "registedEmail",
    "registeredDate",
    "registeredEmail",
    "invitedDate",
    "geoSearchAddress",
    "seq",
)
"""Set by the server; in a body they are ignored (section 5, rules 9 and 18)."""

REQUIRED = ("externalId", "firstName", "lastName")

_SCALARS: dict[str, Callable[[object, str], object]] = {
    # ASSUMED: the schema's 50 rather than the support article's 80, and 400 beyond it.
    "externalId": text_up_to(50),
    "firstName": text_up_to(100),
    "lastName": text_up_to(100),
    "middleInitial": text_up_to(1),
    "suffix": text_up_to(10),
    "country": read_country,
    "ssoUserId": text_up_to(None),
    "timezoneId": read_timezone,
    "businessName": text_up_to(None),
    "preferredLanguage": text_up_to(None),
    "language": text_up_to(None),
    "expatriate": read_boolean,
    "vip": read_boolean,
    "uploadProcessing": read_boolean,
    "individualAccountId": read_long,
    "userId": read_long,
    "securityPIN": text_up_to(None),
}


def read_fields(body: JsonObject, store: Store, switches: Mapping[str, Any]) -> JsonObject:
    """The writable fields that `body` names, checked, with ids for names; None for null.

    ASSUMED: an empty string is a scalar without value, and unknown fields are ignored.
    """
    fields: JsonObject = {}
    for name, read in _SCALARS.items():
        if name in body:
            value = body[name]
            fields[name] = None if value in (None, "") else read(value, name)
    for name, value in _read_collections(body, store, switches).items():
        fields[name] = value
    if body.get("recordTypeId") is not None or body.get("recordTypeName") is not None:
        fields["recordTypeId"] = _read_record_type(body, store)
    if body.get("groups") is not None or body.get("groupsName") is not None:
        fields["groups"] = _read_groups(body, store)
    return fields


def _read_collections(body: JsonObject, store: Store, switches: Mapping[str, Any]) -> JsonObject:
    readers: dict[str, Callable[[object], object]] = {
        "paths": lambda value: read_paths(value, store, switches),
        "contactAttributes": lambda value: read_attribute_values(value, store),
        "address": lambda value: read_addresses(value, switches),
        "topics": _read_topics,
    }
    return {
        name: None if body[name] is None else read(body[name])
        for name, read in readers.items()
        if name in body
    }


def _read_topics(value: object) -> list[int]:
    """Subscriptions. No contact call lists the topics, so any id is taken."""
    return list(dict.fromkeys(read_long(topic, "topics") for topic in read_list(value)))


def _read_record_type(body: JsonObject, store: Store) -> int:
    """The id of the type; recordTypeId beats recordTypeName (section 5, rule 12)."""
    given = body.get("recordTypeId")
    if given is not None:
        record_type = store.record_types.get(read_long(given, "recordTypeId"))
    else:
        given = body["recordTypeName"]
        record_type = store.record_type_named(read_text(given, "recordTypeName"))
    if record_type is None:
        raise invalid(f"Record type {given} is invalid.")
    record_type_id: int = record_type["id"]
    return record_type_id


def _read_groups(body: JsonObject, store: Store) -> list[int]:
    """Group ids; beside `groups`, `groupsName` is ignored as a whole (section 5, rule 13)."""
    if body.get("groups") is not None:
        group_ids = [read_long(group, "groups") for group in read_list(body["groups"])]
        unknown: list[Any] = [group for group in group_ids if group not in store.groups]
    else:
        names = [read_text(name, "groupsName") for name in read_list(body["groupsName"])]
        named = {name: store.group_named(name) for name in names}
        unknown = [name for name, group in named.items() if group is None]
        group_ids = [group["id"] for group in named.values() if group is not None]
    if unknown:
        raise invalid(f"Group {unknown[0]} is invalid.")
    return list(dict.fromkeys(group_ids))


_DEMANDED_OF_PATHS = ("waitTime", "skipValidation", "pathEnable")


def check_strictly(row: JsonObject) -> None:
    """Refuse a row that lacks what the batch schema demands beyond the single one (section 3.1).

    ASSUMED: it demands no countryCode of what is no phone; a client in use sends none.
    """
    if row.get("recordTypeId") is None:
        raise invalid("recordTypeId is required.")
    for path in row.get("paths") or []:
        for name in _DEMANDED_OF_PATHS:
            if path.get(name) is None:
                raise invalid(f"{name} is required in each path.")
        if str(path.get("value", "")).isdigit() and not path.get("countryCode"):
            raise invalid("countryCode is required in each path.")
