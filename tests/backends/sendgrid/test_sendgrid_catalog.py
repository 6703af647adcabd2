"""SendGrid's lists and custom fields, page by page."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.backends.sendgrid.catalog import fetches, field_entries, next_token
from gateway.entries import CatalogName, CustomFieldType
from gateway.errors import NotWrittenError
from tests.backends.sendgrid.answering import (
    exchange,
    reply,
    sender_of,
)


def page(names: list[str], following: str | None) -> httpx.Response:
    metadata: dict[str, Any] = {"self": "x", "count": 99}
    if following:
        metadata["next"] = following
    rows = [{"id": f"id-{name}", "name": name} for name in names]
    return httpx.Response(200, json={"result": rows, "_metadata": metadata})


async def test_lists_are_read_page_by_page_from_our_own_address() -> None:
    elsewhere = "https://elsewhere.example.com/v3/marketing/lists?page_size=9&page_token=t%2B1"
    sender, received = sender_of(page(["A"], elsewhere), page(["B"], None))
    entries = await fetches(sender)[CatalogName.GROUPS](exchange())
    assert [(entry.id, entry.name) for entry in entries] == [("id-A", "A"), ("id-B", "B")]
    assert [str(request.url) for request in received] == [
        "http://sandbox/v3/marketing/lists?page_size=100",
        "http://sandbox/v3/marketing/lists?page_size=100&page_token=t%2B1",
    ]


@pytest.mark.parametrize("body", [{"result": None}, {"result": [], "_metadata": None}])
async def test_an_account_without_lists_has_an_empty_catalog(body: dict[str, Any]) -> None:
    sender, _ = sender_of(httpx.Response(200, json=body))
    assert await fetches(sender)[CatalogName.GROUPS](exchange()) == []


async def test_pages_that_go_round_in_a_circle_are_an_error() -> None:
    sender, received = sender_of(*[page(["A"], "http://x/?page_token=t")] * 2)
    with pytest.raises(NotWrittenError):
        await fetches(sender)[CatalogName.GROUPS](exchange())
    assert len(received) == 2


def test_a_next_page_without_a_token_is_an_error() -> None:
    with pytest.raises(NotWrittenError):
        next_token(reply(200, {"result": [], "_metadata": {"next": "https://x/lists"}}))
    assert next_token(reply(200, {"result": []})) is None


def test_a_list_without_a_name_is_an_error() -> None:
    with pytest.raises(NotWrittenError):
        field_entries(reply(200, {"custom_fields": [{"id": "w1_T"}]}))


def test_field_types_are_read_and_new_ones_are_not_writable() -> None:
    rows = [
        {"id": "w1_T", "name": "a", "field_type": "Text"},
        {"id": "e2_N", "name": "b", "field_type": "Number"},
        {"id": "e3_D", "name": "c", "field_type": "Date"},
        {"id": "e4_X", "name": "d", "field_type": "Shape"},
    ]
    entries = field_entries(reply(200, {"custom_fields": rows}))
    assert [(entry.field.type, entry.field.writable) for entry in entries if entry.field] == [
        (CustomFieldType.TEXT, True),
        (CustomFieldType.NUMBER, True),
        (CustomFieldType.DATE, True),
        (CustomFieldType.OTHER, False),
    ]


def test_an_account_without_custom_fields_has_none() -> None:
    assert field_entries(reply(200, {"reserved_fields": []})) == []
    with pytest.raises(NotWrittenError):
        field_entries(reply(200, {"custom_fields": {}}))
