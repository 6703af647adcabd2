"""The contacts, lists and fields that the simulated account starts with.

People and names are shared with the other simulated backends. All but one contact hold an e-mail
as their only identifier, because a contact needs all of its identifiers in every later PUT; Lise
Otto holds two and shows just that.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from gateway.sandbox.sendgrid.store import IDENTIFIERS, RESERVED_TEXTS, Contact, ContactList, Store

SEEDED_AT = datetime(2026, 1, 2, 9, 0, tzinfo=UTC)
_NAMES = uuid.uuid5(uuid.NAMESPACE_URL, "https://example.com/sandbox/sendgrid")


def seed(store: Store) -> None:
    """Fill an empty store. Ids are the same each time, so that examples can name them."""
    plan = json.loads(files(__package__).joinpath("seed.json").read_text(encoding="utf-8"))
    fillers = plan["filler_lists"]
    numbers = range(1, fillers["count"] + 1)
    for name in [*plan["lists"], *(fillers["name"].format(number=number) for number in numbers)]:
        store.lists[seeded_id("list", name)] = ContactList(seeded_id("list", name), name)
    for row in plan["fields"]:
        store.make_field(row["name"], row["field_type"], SEEDED_AT)
    for row in plan["contacts"]:
        store.add(_contact(row, store))


def seeded_id(kind: str, name: str) -> str:
    """Give the id of a seeded list (by name) or contact (by e-mail)."""
    return str(uuid.uuid5(_NAMES, f"{kind}/{name}"))


def _contact(row: dict[str, Any], store: Store) -> Contact:
    field_ids = {one.name: one.id for one in store.fields.values()}
    return Contact(
        seeded_id("contact", row["email"]),
        created_at=SEEDED_AT,
        updated_at=SEEDED_AT,
        identifiers={kind: row[kind] for kind in IDENTIFIERS if kind in row},
        texts={name: row[name] for name in RESERVED_TEXTS if name in row},
        alternate_emails=row.get("alternate_emails", []),
        custom_fields={field_ids[k]: v for k, v in row.get("custom_fields", {}).items()},
        list_ids=[seeded_id("list", name) for name in row["lists"]],
    )
