"""SendGrid's names and ids: its lists, and its custom fields with their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from gateway.backends.sendgrid.client import get_field_definitions, get_lists
from gateway.backends.sendgrid.refusals import unreadable
from gateway.entries import CatalogName, CustomFieldType, Entry, FieldInfo

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.calls import Reply
    from gateway.upstream import Exchange, Sender

FIELD_TYPES = {
    "Text": CustomFieldType.TEXT,
    "Number": CustomFieldType.NUMBER,
    "Date": CustomFieldType.DATE,
}

ID_FIELDS = {
    CatalogName.GROUPS: "sendgrid.listIds",
    CatalogName.CUSTOM_FIELDS: "sendgrid.customFields",
}
"""The input field that takes a list's ids instead of names."""


def fetches(
    sender: Sender,
) -> dict[CatalogName, Callable[[Exchange], Awaitable[list[Entry]]]]:
    """How each of SendGrid's catalogs is read."""

    async def lists(exchange: Exchange) -> list[Entry]:
        return await read_lists(sender, exchange)

    async def custom_fields(exchange: Exchange) -> list[Entry]:
        return field_entries(await sender.send(get_field_definitions(), exchange))

    return {CatalogName.GROUPS: lists, CatalogName.CUSTOM_FIELDS: custom_fields}


async def read_lists(sender: Sender, exchange: Exchange) -> list[Entry]:
    """All lists, page by page until an answer names no next one.

    Only the page token is taken from the next page's address, never the host; `count` is not
    looked at, because it was seen to be wrong (contract: sendgrid section 8).
    """
    entries: list[Entry] = []
    tokens: list[str] = []
    while True:
        reply = await sender.send(get_lists(tokens[-1] if tokens else None), exchange)
        entries += [_entry(row, reply) for row in reply.body["result"] or []]
        token = next_token(reply)
        if token is None:
            return entries
        if token in tokens:  # it would never end
            raise unreadable(reply)
        tokens.append(token)


def next_token(reply: Reply) -> str | None:
    """The token of the next page; None on the last one."""
    metadata = reply.body.get("_metadata")
    following = metadata.get("next") if isinstance(metadata, dict) else None
    if not following:
        return None
    tokens = parse_qs(urlsplit(str(following)).query).get("page_token")
    if not tokens:
        raise unreadable(reply)
    return tokens[0]


def field_entries(reply: Reply) -> list[Entry]:
    """The custom fields; a type that the gateway does not know cannot be written."""
    rows = reply.body.get("custom_fields")
    if rows is None and "reserved_fields" in reply.body:
        return []
    if not isinstance(rows, list):
        raise unreadable(reply)
    return [_entry(row, reply, field=_field_info(row)) for row in rows]


def _field_info(row: Any) -> FieldInfo:
    kind = row.get("field_type") if isinstance(row, dict) else None
    known = FIELD_TYPES.get(str(kind), CustomFieldType.OTHER)
    return FieldInfo(type=known, writable=known is not CustomFieldType.OTHER)


def _entry(row: Any, reply: Reply, field: FieldInfo | None = None) -> Entry:
    try:
        return Entry(id=str(row["id"]), name=str(row["name"]), field=field)
    except (KeyError, TypeError):
        raise unreadable(reply) from None
