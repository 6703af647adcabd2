"""What a job does to one contact, and why it may fail there (contract: sendgrid section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.sandbox.sendgrid import instants
from gateway.sandbox.sendgrid import store as stored

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gateway.sandbox.sendgrid.store import Contact, CustomField, Store


class RowError(Exception):
    """This row of the job fails; the others go on. The text is for the file of errors."""


def upsert_one(
    store: Store,
    given: Mapping[str, Any],
    list_ids: list[str],
    *,
    started_at: datetime,
    at: datetime,
    switches: Mapping[str, Any],
) -> bool:
    """Create or update one contact; True when it was created.

    Fields that `given` leaves out keep their values; lists are only ever added. Raises RowError,
    having changed nothing.
    """
    identifiers = given_identifiers(given)
    custom_fields = _typed_values(store, given.get("custom_fields") or {})
    contact = _owner(store, identifiers)
    created = contact is None
    if contact is None:
        limit = int(switches["contact_limit"])
        if limit and len(store.contacts) >= limit:
            raise RowError("you have hit your contact limit")
        # created_at of a new contact is the second of the PUT, not of the apply step (recorded).
        contact = stored.Contact(
            stored.new_id(), created_at=started_at.replace(microsecond=0), updated_at=at
        )
        store.add(contact)
    for kind, value in identifiers.items():
        store.identify(contact, kind, value)
    for name in stored.RESERVED_TEXTS:
        # ASSUMED: null on a plain field is as if it were absent; "" clears it.
        if given.get(name) is not None:
            contact.texts[name] = given[name]
    if given.get("alternate_emails") is not None:
        store.set_alternates(contact, [address.lower() for address in given["alternate_emails"]])
    contact.custom_fields.update(custom_fields)
    if switches["empty_text_clears_custom_field"]:
        contact.custom_fields = {k: v for k, v in contact.custom_fields.items() if v != ""}
    known = (list_id for list_id in list_ids if list_id in store.lists)
    contact.list_ids.extend(one for one in known if one not in contact.list_ids)
    contact.updated_at = at
    return created


def given_identifiers(given: Mapping[str, Any]) -> dict[str, str]:
    """Give the identifiers that a PUT's contact carries; e-mails are kept in lower case."""
    found = {kind: given[kind] for kind in stored.IDENTIFIERS if given.get(kind)}
    if "email" in found:
        found["email"] = found["email"].lower()
    return found


def _owner(store: Store, identifiers: Mapping[str, str]) -> Contact | None:
    owners = {
        owner.id: owner
        for kind, value in identifiers.items()
        if (owner := store.owner(kind, value)) is not None
    }
    if not owners:
        return None
    if len(owners) > 1:
        # ASSUMED: rejected rather than merged (contract: sendgrid section 11, rule 4).
        raise RowError("the identifiers belong to different contacts")
    (contact,) = owners.values()
    for kind, value in contact.identifiers.items():
        if kind not in identifiers:
            raise RowError(f"the contact's existing identifier {kind} is missing")
        if identifiers[kind] != value:
            raise RowError(f"the contact's identifier {kind} cannot be changed")
    return contact


def _typed_values(store: Store, given: Mapping[str, Any]) -> dict[str, str | float]:
    values: dict[str, str | float] = {}
    for field_id, value in given.items():
        definition = store.fields.get(field_id)
        if definition is not None:  # otherwise deleted since the PUT was accepted
            values[field_id] = _typed(definition, value)
    return values


def _typed(definition: CustomField, value: Any) -> str | float:
    """Give the value as stored; its type is checked here, in the job, and not by the PUT."""
    if definition.field_type == "Number":
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
    elif isinstance(value, str):
        if definition.field_type == "Text":
            return value
        date = instants.read_date(value)
        if date is not None:
            return date
    raise RowError(
        f"invalid value for custom field {definition.id} of type {definition.field_type}"
    )


def remove_identifier(
    store: Store, *, contact_id: str, kind: str, value: str, at: datetime
) -> None:
    """Take one identifier from a contact; RowError when it is the last one or not the contact's."""
    contact = store.contacts.get(contact_id)
    if contact is None:
        raise RowError("contact not found")
    if not _same(kind, contact.identifiers.get(kind), value):
        raise RowError("the contact does not have this identifier")
    if len(contact.identifiers) == 1:
        raise RowError("the last identifier of a contact cannot be deleted")
    store.unidentify(contact, kind)
    contact.updated_at = at


def _same(kind: str, held: str | None, value: str) -> bool:
    if held is None:
        return False
    if kind == "phone_number_id":
        # The vendor's sample for this call has no leading plus, while stored numbers do.
        return held.lstrip("+") == value.lstrip("+")
    return held == (value.lower() if kind == "email" else value)
