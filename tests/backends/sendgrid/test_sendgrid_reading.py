"""A contact of SendGrid's as a record, and its joined look-ups as they are answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.backends.adapter import KeyKind
from gateway.backends.sendgrid.reading import ids_shown, read_contact
from gateway.entries import Catalog, CatalogName, CustomFieldType, Entry, FieldInfo
from gateway.errors import NotWrittenError

if TYPE_CHECKING:
    from tests.backends.sendgrid.conftest import Account

CATALOGS = {
    CatalogName.GROUPS: Catalog(entries=(Entry(id="l-1", name="Newsletter"),)),
    CatalogName.CUSTOM_FIELDS: Catalog(
        entries=tuple(
            Entry(id=field_id, name=name, field=FieldInfo(type=kind, writable=writable))
            for field_id, name, kind, writable in [
                ("w1_T", "shift", CustomFieldType.TEXT, True),
                ("e2_N", "badge_number", CustomFieldType.NUMBER, True),
                ("e3_D", "member_since", CustomFieldType.DATE, True),
                ("e4_X", "strange", CustomFieldType.OTHER, False),
            ]
        )
    ),
}

RAW: dict[str, Any] = {
    "id": "c-1",
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "",
    "alternate_emails": None,
    "address_line_1": "",
    "city": "",
    "country": "",
    "phone_number": "",
    "list_ids": ["l-1", "l-9"],
    "custom_fields": {},
}


def test_what_is_empty_is_none_and_lists_have_their_names() -> None:
    record = read_contact(RAW, CATALOGS)
    assert (record.id, record.external_id, record.first_name) == ("c-1", None, "Ada")
    assert (record.last_name, record.phone, record.country_code) == (None, None, None)
    assert (record.addresses, record.alternate_emails) == ([], [])
    assert record.groups_name == ["Newsletter", "l-9"]
    assert ids_shown(RAW) == [(CatalogName.GROUPS, "l-1"), (CatalogName.GROUPS, "l-9")]


def test_a_country_alone_is_the_contacts_and_no_address() -> None:
    assert read_contact({**RAW, "country": "gb"}, CATALOGS).country_code == "GB"
    assert read_contact({**RAW, "country": "gb"}, CATALOGS).addresses == []
    [address] = read_contact({**RAW, "country": "gb", "city": "London"}, CATALOGS).addresses
    assert (address.city, address.country_code, address.line1) == ("London", "GB", None)


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        ({"shift": "Day"}, [("w1_T", "shift", ["Day"])]),
        ({"Shift": "Day"}, [("w1_T", "shift", ["Day"])]),
        ({"w1_T": "Day"}, [("w1_T", "shift", ["Day"])]),
        ({"badge_number": 12.5}, [("e2_N", "badge_number", ["12.5"])]),
        (
            {"member_since": "2024-02-01T00:00:00Z"},
            [("e3_D", "member_since", ["2024-02-01"])],
        ),
        ({"shift": "", "strange": "x"}, []),
        ({"w7_T": "x"}, [("w7_T", None, ["x"])]),
    ],
)
def test_custom_fields_are_known_by_name_or_id(held: dict[str, Any], shown: list[Any]) -> None:
    record = read_contact({**RAW, "custom_fields": held, "external_id": "E-1"}, CATALOGS)
    assert [(item.id, item.name, item.values) for item in record.custom_fields] == shown
    assert record.external_id == "E-1"


def test_without_the_definitions_custom_fields_have_their_keys_alone() -> None:
    record = read_contact({**RAW, "custom_fields": {"shift": "Day"}}, {})
    assert [(item.id, item.name) for item in record.custom_fields] == [("shift", None)]


# ---------------------------------------------------------------- look-ups of many


async def found(account: Account, kind: KeyKind, *values: str) -> dict[str, Any]:
    """The e-mail addresses of the contacts that each value means."""
    answer = await account.adapter.look_up(kind, values, account.exchange())
    return {
        value: rows if isinstance(rows, Exception) else [row.email for row in rows]
        for value, rows in answer.items()
    }


async def test_many_addresses_are_one_call_whatever_their_case(account: Account) -> None:
    answer = await found(
        account, KeyKind.EMAIL, "Ada@Example.com", "mary@example.com", "nobody@example.com"
    )
    assert answer == {
        "Ada@Example.com": ["ada@example.com"],
        "mary@example.com": ["mary@example.com"],
        "nobody@example.com": [],
    }
    assert account.wire.calls == [("POST", "/contacts/search/identifiers/email")]


async def test_an_alternate_address_is_nobodys_key(account: Account) -> None:
    assert await found(account, KeyKind.EMAIL, "m.somerville@example.org") == {
        "m.somerville@example.org": []
    }


async def test_more_than_a_hundred_are_asked_for_a_hundred_at_a_time(account: Account) -> None:
    values = [f"n{number}@example.com" for number in range(250)]
    answer = await found(account, KeyKind.EMAIL, *values, "ada@example.com")
    assert answer["ada@example.com"] == ["ada@example.com"]
    assert len(answer) == 251
    assert len(account.wire.calls) == 3


async def test_contacts_are_read_by_their_own_ids_in_one_call(account: Account) -> None:
    ada, mary = account.held("ada@example.com").id, account.held("mary@example.com").id
    answer = await found(account, KeyKind.NATIVE_ID, ada.upper(), mary, "not-a-uuid")
    assert answer == {
        ada.upper(): ["ada@example.com"],
        mary: ["mary@example.com"],
        "not-a-uuid": [],
    }
    assert account.wire.calls == [("POST", "/contacts/batch")]


async def test_ids_that_are_all_unknown_are_no_failure(account: Account) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    assert await found(account, KeyKind.NATIVE_ID, unknown) == {unknown: []}


async def test_external_ids_are_asked_for_as_they_are(by_external_id: Account) -> None:
    answer = await found(by_external_id, KeyKind.EXTERNAL_ID, "E-3001", "e-3001", "", "x" * 255)
    assert answer == {"E-3001": ["lise@example.org"], "e-3001": [], "": [], "x" * 255: []}
    assert len(by_external_id.wire.calls) == 1


@pytest.mark.parametrize("value", ["nobody", "", "a b@example.com"])
async def test_what_is_no_address_is_not_asked_for(account: Account, value: str) -> None:
    assert await found(account, KeyKind.EMAIL, value) == {value: []}
    assert account.wire.calls == []


async def test_a_call_that_fails_fails_for_its_own_values_only(account: Account) -> None:
    def first_chunk_fails(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(400) if b"n0@" in request.content else None

    account.wire.stub = first_chunk_fails
    values = [f"n{number}@example.com" for number in range(100)]
    answer = await found(account, KeyKind.EMAIL, *values, "ada@example.com")
    assert answer["ada@example.com"] == ["ada@example.com"]
    assert all(hasattr(answer[value], "problem") for value in values)


async def test_an_answer_with_somebody_else_in_it_tells_nothing(account: Account) -> None:
    account.wire.stub = lambda _request: httpx.Response(
        200, json={"result": {"a@example.com": {"contact": {"id": "c", "email": "b@example.com"}}}}
    )
    answer = await account.adapter.look_up(KeyKind.EMAIL, ["a@example.com"], account.exchange())
    failure = answer["a@example.com"]
    assert isinstance(failure, NotWrittenError)
    assert "not to honour the filter" in failure.problem.message


def test_external_ids_are_keys_only_where_the_account_uses_them(
    account: Account, by_external_id: Account
) -> None:
    assert list(account.adapter.key_kinds) == [KeyKind.NATIVE_ID, KeyKind.EMAIL]
    assert KeyKind.EXTERNAL_ID in by_external_id.adapter.key_kinds
    assert not account.adapter.holds("external_id")
    assert by_external_id.adapter.holds("external_id")
    assert account.adapter.holds("country_code")
    assert not account.adapter.holds("suffix")
