"""Upserts that come at about the same time leave together, and those to one contact in order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gateway.backends.sendgrid import client
from gateway.backends.sendgrid.client import put_contacts, put_encoded
from gateway.backends.sendgrid.writes import merged
from gateway.results import Outcome
from gateway.sending.gathering import Gathering
from tests.backends.sendgrid.coalescing import names, person, send, send_all, upsert
from tests.backends.sendgrid.sending import contact
from tests.backends.sendgrid.upserting import upserted
from tests.harness import running

if TYPE_CHECKING:
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.backends.sendgrid.conftest import Account


def lists_of(account: Account, *wanted: str) -> list[str]:
    return [one.id for one in account.sendgrid.store.lists.values() if one.name in wanted]


async def test_upserts_of_many_callers_leave_in_one_call_and_each_has_its_own_receipt(
    sharing: Account,
) -> None:
    sent = await send_all(sharing, [upsert(f"p{number}", last_name="X") for number in range(30)])
    [contacts] = sharing.wire.contacts()
    assert names(contacts) == [f"p{number}" for number in range(30)]
    assert len({one.job for one in sent}) == 1
    for number, one in enumerate(sent):
        assert one.shown == person(f"p{number}", last_name="X")
        assert (one.call.method, one.call.path) == ("PUT", "/v3/marketing/contacts")
        assert (one.call.status_code, one.call.attempts) == (202, 1)
        assert one.call.duration_ms is not None


async def test_each_set_of_lists_has_a_call_of_its_own(sharing: Account) -> None:
    news, vip = lists_of(sharing, "Newsletter", "VIP")
    calls = [
        upsert("a", news, vip), upsert("b"), upsert("c", vip, news), upsert("d", vip), upsert("e"),
    ]  # fmt: skip
    await send_all(sharing, calls)
    bodies = {
        tuple(body.get("list_ids", ())): names(body["contacts"]) for body in sharing.wire.sent()
    }
    assert bodies == {(news, vip): ["a", "c"], (): ["b", "e"], (vip,): ["d"]}


async def test_without_a_window_each_leaves_alone(account: Account) -> None:
    await send_all(account, [upsert("a"), upsert("b")])
    assert [names(one) for one in account.wire.contacts()] == [["a"], ["b"]]


async def test_who_comes_after_the_window_leaves_later(sharing: Account) -> None:
    await send(sharing, upsert("a"))
    await send(sharing, upsert("b"))
    assert [names(one) for one in sharing.wire.contacts()] == [["a"], ["b"]]


async def test_the_items_of_a_bulk_meet_as_the_bulk_says(account: Account) -> None:
    bulk = Gathering(quiet=0.02, longest=1.0)
    exchanges = [account.exchange(gathering=bulk) for _ in range(3)]
    await send_all(account, [upsert("a"), upsert("b"), upsert("c")], exchanges)
    assert [names(one) for one in account.wire.contacts()] == [["a", "b", "c"]]


# ---------------------------------------------------------------- one contact


async def test_two_writes_to_one_contact_are_merged_and_the_later_one_wins(
    sharing: Account,
) -> None:
    first, second = await send_all(
        sharing,
        [
            upsert("a", first_name="A", last_name="B", custom_fields={"e1_T": "x", "w2_N": 1}),
            upsert("a", last_name="C", city="Rome", custom_fields={"w2_N": 2, "w4_T": "y"}),
        ],
    )
    assert sharing.wire.contacts() == [
        [
            person(
                "a", first_name="A", last_name="C", city="Rome",
                custom_fields={"e1_T": "x", "w2_N": 2, "w4_T": "y"},
            )
        ]
    ]  # fmt: skip
    assert first.job == second.job
    assert first.shown["last_name"] == "B"
    assert "first_name" not in second.shown


@pytest.mark.parametrize(
    ("writes", "result"),
    [
        ([{"a": 1}, {"b": 2}], {"a": 1, "b": 2}),
        ([{"a": 1}, {"a": ""}], {"a": ""}),
        ([{"custom_fields": {"x": 1}}, {"a": 1}], {"a": 1, "custom_fields": {"x": 1}}),
        ([{"alternate_emails": ["a", "b"]}, {"alternate_emails": []}], {"alternate_emails": []}),
    ],
)
def test_writes_to_one_contact_are_merged_field_by_field(
    writes: list[dict[str, Any]], result: dict[str, Any]
) -> None:
    assert merged(writes) == result


async def test_a_write_leaves_only_after_an_earlier_one_to_the_contact_was_answered(
    sharing: Account,
) -> None:
    sharing.wire.open.clear()
    earlier = asyncio.create_task(send(sharing, upsert("a", first_name="1")))
    await sharing.wire.reached.wait()
    later = asyncio.create_task(send(sharing, upsert("a", first_name="2")))
    last = asyncio.create_task(send(sharing, upsert("a", first_name="3")))
    sharing.wire.reached.clear()
    other = asyncio.create_task(send(sharing, upsert("b")))
    await sharing.wire.reached.wait()
    # The other contact has not waited; the writes that wait for their turn have been merged.
    assert [names(one) for one in sharing.wire.contacts()] == [["a"], ["b"]]
    sharing.wire.open.set()
    await asyncio.gather(earlier, later, last, other)
    assert sharing.wire.contacts()[2:] == [[person("a", first_name="3")]]
    assert later.result().job == last.result().job
    assert later.result().shown == person("a", first_name="2")


async def test_writes_to_one_contact_with_other_lists_keep_their_order(sharing: Account) -> None:
    news, vip = lists_of(sharing, "Newsletter", "VIP")
    calls = [
        upsert("a", news, first_name="1"), upsert("a", vip, first_name="2"),
        upsert("a", news, first_name="3"), upsert("b", news),
    ]  # fmt: skip
    sent = await send_all(sharing, calls)
    bodies = sharing.wire.sent()
    assert [(body["list_ids"], names(body["contacts"])) for body in bodies] == [
        ([news], ["a", "b"]), ([vip], ["a"]), ([news], ["a"]),
    ]  # fmt: skip
    assert [body["contacts"][0].get("first_name") for body in bodies] == ["1", "2", "3"]
    assert len({one.job for one in sent}) == 3


async def test_an_earlier_write_that_fails_lets_the_next_one_go(sharing: Account) -> None:
    vip = lists_of(sharing, "VIP")
    unknown = "99999999-9999-4999-8999-999999999999"
    first, second = await send_all(sharing, [upsert("a", unknown), upsert("a", *vip)])
    assert first.failure.outcome is Outcome.REJECTED
    assert second.job


async def test_other_identifiers_that_contradict_each_other_are_not_merged(
    sharing: Account,
) -> None:
    calls = [upsert("a", anonymous_id="1"), upsert("a", city="Bonn"), upsert("a", anonymous_id="2")]
    await send_all(sharing, calls)
    assert sharing.wire.contacts() == [
        [person("a", anonymous_id="1", city="Bonn")],
        [person("a", anonymous_id="2")],
    ]


async def test_the_whole_story_of_two_writes_to_one_contact_at_once(sharing: Account) -> None:
    results = await asyncio.gather(
        upserted(sharing, contact(email="Ada@example.com", first_name="Augusta")),
        upserted(sharing, contact(email="ada@example.com", last_name="Lovelace")),
    )
    assert [result.changed_fields for result in results] == [
        ["firstName", "email"], ["lastName", "email"],
    ]  # fmt: skip
    await sharing.settled()
    held = sharing.held("ada@example.com").texts
    assert (held["first_name"], held["last_name"]) == ("Augusta", "Lovelace")


# ---------------------------------------------------------------- sizes


async def test_no_call_has_more_bytes_than_sendgrid_takes(
    sharing: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    news = lists_of(sharing, "Newsletter")
    contacts = [person(f"p{number}", first_name="x" * number) for number in range(40)]
    largest = len(put_contacts(contacts[:25], news).content())
    monkeypatch.setattr(client, "LARGEST_BODY", largest)
    sharing.sendgrid.switches["max_body_bytes"] = largest
    sent = await send_all(sharing, [put_contacts([one], news) for one in contacts])
    assert all(one.job for one in sent)
    sizes = [len(put_contacts(one, news).content()) for one in sharing.wire.contacts()]
    assert sizes[0] == largest, "not a byte is given away"
    assert max(sizes) == largest
    assert [name for one in sharing.wire.contacts() for name in names(one)] == [
        f"p{number}" for number in range(40)
    ]


async def test_merging_does_not_make_a_call_too_large(
    sharing: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = [upsert("a", city="x" * 40), upsert("b", city="x" * 40), upsert("a", country="x" * 40)]
    largest = len(
        put_contacts([person("a", city="x" * 40), person("b", city="x" * 40)], []).content()
    )
    monkeypatch.setattr(client, "LARGEST_BODY", largest)
    sharing.sendgrid.switches["max_body_bytes"] = largest
    await send_all(sharing, calls)
    assert sharing.wire.contacts() == [
        [person("a", city="x" * 40, country="x" * 40)], [person("b", city="x" * 40)],
    ]  # fmt: skip


async def test_no_call_has_more_contacts_than_sendgrid_takes(
    sharing: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.backends.sendgrid.writes.MOST_CONTACTS", 4)
    await send_all(sharing, [upsert(f"p{number}") for number in range(10)])
    assert [len(one) for one in sharing.wire.contacts()] == [4, 4, 2]


@pytest.mark.parametrize("lists", [[], ["l-1"], ["l-1", "l-2"]])
def test_a_call_of_encoded_contacts_is_the_same_as_one_of_contacts(lists: list[str]) -> None:
    contacts = [person("a", first_name="ä"), person("b")]
    encoded = [put_contacts([one], []).content()[len(b'{"contacts":[') : -2] for one in contacts]
    assert put_encoded(encoded, lists).content() == put_contacts(contacts, lists).content()
    takes = sum(len(one) + 1 for one in encoded)
    free = client.LARGEST_BODY - len(put_contacts(contacts, lists).content())
    assert client.room_for_contacts(lists) - takes == free


# ---------------------------------------------------------------- through the front door


async def test_two_hundred_upserts_at_once_leave_in_at_most_three_calls(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    people = [f"person{number}@example.com" for number in range(200)]
    async with running(sandbox, clock, sendgrid_window_ms=1000) as gateway:
        answers = await asyncio.gather(
            *(
                gateway.upsert(
                    {"email": email, "firstName": email[:9], "addGroupsName": ["Newsletter"]},
                    targets=["SENDGRID"],
                )
                for email in people
            )
        )
        assert len(gateway.calls("sendgrid", writes=True)) <= 3
        for email, answer in zip(people, answers, strict=True):
            result = answer.result("SENDGRID")
            assert (answer.status, result["outcome"]) == ("PENDING", "ACCEPTED")
            [call] = result["calls"]
            assert [one["email"] for one in call["body"]["contacts"]] == [email]
        clock.advance(60)
        assert len(gateway.sendgrid(people[0])) == 1
        held = {one["identifiers"]["email"] for one in sandbox.sendgrid.dump()["contacts"]}
        assert held >= set(people)
