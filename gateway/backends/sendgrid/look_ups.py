"""Asking SendGrid for contacts by e-mail or external id."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gateway.backends.adapter import Key, KeyKind, Stored
from gateway.backends.sendgrid.client import search_emails, search_identifiers
from gateway.backends.sendgrid.refusals import unreadable
from gateway.values import folded_email

if TYPE_CHECKING:
    from gateway.calls import Call, Reply
    from gateway.upstream import Exchange, Sender

LONGEST_SEARCHED = 100
"""Characters of an address that the search by e-mails takes; the other search takes all."""


async def look_up(sender: Sender, key: Key, exchange: Exchange) -> list[Stored]:
    """The contacts that a key means; each is still to be verified.

    The search by e-mails also answers with a contact that has the address as an alternate one.
    That is no match, and it may hide one: then the search that minds only the main address decides.
    """
    if key.kind is KeyKind.EXTERNAL_ID:
        return await _rows(sender, search_identifiers("external_id", [key.value]), exchange)
    by_main_address = search_identifiers("email", [key.value])
    if len(key.value) > LONGEST_SEARCHED:
        return await _rows(sender, by_main_address, exchange)
    rows = await _rows(sender, search_emails([key.value]), exchange)
    if any(_is_alternate(row, key.value) for row in rows):
        return await _rows(sender, by_main_address, exchange)
    return rows


async def _rows(sender: Sender, call: Call, exchange: Exchange) -> list[Stored]:
    read_at = time.monotonic()
    return stored_contacts(await sender.send(call, exchange), read_at)


def stored_contacts(reply: Reply, read_at: float) -> list[Stored]:
    """The contacts in a look-up's answer; none for its 404."""
    result = reply.body.get("result") if isinstance(reply.body, dict) else None
    if not isinstance(result, dict):
        return []
    rows = [item.get("contact") if isinstance(item, dict) else None for item in result.values()]
    found = [row for row in rows if row is not None]
    if not all(isinstance(row, dict) and row.get("id") for row in found):
        raise unreadable(reply)
    return [
        Stored(
            id=str(row["id"]),
            external_id=row.get("external_id") or None,
            email=row.get("email") or None,
            raw=row,
            read_at=read_at,
        )
        for row in found
    ]


def _is_alternate(row: Stored, email: str) -> bool:
    """Whether a contact was found by an alternate address, its own being another."""
    alternates = {folded_email(text) for text in row.raw.get("alternate_emails") or []}
    mine = row.email is not None and folded_email(row.email) == folded_email(email)
    return not mine and folded_email(email) in alternates
