"""Lead links: intent, call, link; and what a crash in between leaves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.store import open_store
from gateway.store.link_records import Begun, Intent, LinkConflict, Linked
from tests.store.accepting import NOON, at

if TYPE_CHECKING:
    from gateway.store import Store

ACCOUNT = "ivvy:sandbox"


async def begin(
    store: Store, external_id: str = "L-1", *, holder: str = "request-1", seconds: float = 0
) -> Begun | Linked | Intent:
    return await store.links.begin_link(
        ACCOUNT,
        external_id,
        holder=holder,
        payload={"name": "Harbour dinner", "guests": 12},
        payload_version=3,
        answer_by=at(seconds + 30),
        now=at(seconds),
    )


async def begun(store: Store, external_id: str = "L-1", *, holder: str = "request-1") -> Intent:
    state = await begin(store, external_id, holder=holder)
    assert isinstance(state, Begun)
    return state.intent


async def linked(store: Store, external_id: str, lead_id: str) -> Linked:
    link = await store.links.finish_link(await begun(store, external_id), lead_id, NOON)
    assert isinstance(link, Linked)
    return link


async def test_an_unknown_external_id_has_no_link(store: Store) -> None:
    assert await store.links.read_link(ACCOUNT, "L-1") is None


async def test_a_finished_link_is_found_from_both_sides(store: Store) -> None:
    await linked(store, "L-1", "77")

    found = await store.links.read_link(ACCOUNT, "L-1")
    assert found == Linked(account=ACCOUNT, external_id="L-1", lead_id="77", linked_at=NOON)
    assert await store.links.read_link_of_lead(ACCOUNT, "77") == found
    assert await begin(store, holder="request-2") == found


async def test_of_many_calls_at_once_one_begins_and_the_others_see_its_intent(
    store: Store,
) -> None:
    states = await asyncio.gather(*(begin(store, holder=f"request-{n}") for n in range(20)))

    winners = [state.intent for state in states if isinstance(state, Begun)]
    assert len(winners) == 1
    assert all(state == winners[0] for state in states if isinstance(state, Intent))
    assert sum(isinstance(state, Intent) for state in states) == 19


async def test_an_intent_keeps_what_was_sent_when_and_by_whom(store: Store) -> None:
    await begin(store)

    intent = await begin(store, holder="request-2", seconds=60)

    assert isinstance(intent, Intent)
    assert intent.holder == "request-1"
    assert intent.payload == {"name": "Harbour dinner", "guests": 12}
    assert intent.payload_version == 3
    assert intent.begun_at == NOON
    assert intent.is_running(at(29))
    assert not intent.is_running(at(30))


async def test_a_crash_between_answer_and_link_leaves_a_visible_intent(database_url: str) -> None:
    async with open_store(database_url) as before:
        intent = await begun(before)

    async with open_store(database_url) as after:
        assert await after.links.read_link(ACCOUNT, "L-1") == intent
        assert await after.links.read_open_intents() == [intent]
        assert await begin(after, holder="request-2", seconds=3600) == intent


async def test_a_dropped_intent_lets_the_next_call_begin(store: Store) -> None:
    first = await begun(store)

    assert await store.links.drop_link(first)

    second = await begun(store, holder="request-2")
    assert second.id != first.id
    assert not await store.links.drop_link(first)
    assert not await store.links.mark_unknown(first, "too late", NOON)
    assert await store.links.read_link(ACCOUNT, "L-1") == second


async def test_an_unknown_end_is_told_with_its_note(store: Store) -> None:
    intent = await begun(store)

    assert await store.links.mark_unknown(intent, "No answer within 10 s.", at(10))

    found = await begin(store, holder="request-2", seconds=11)
    assert isinstance(found, Intent)
    assert found.unknown
    assert found.note == "No answer within 10 s."
    assert not found.is_running(at(11))


async def test_a_lead_that_was_looked_up_settles_an_unknown_intent(store: Store) -> None:
    intent = await begun(store)
    await store.links.mark_unknown(intent, "No answer.", at(10))

    link = await store.links.finish_link(intent, "77", at(20))

    assert isinstance(link, Linked)
    assert await store.links.read_open_intents() == []


async def test_a_late_answer_links_although_its_intent_was_dropped(store: Store) -> None:
    intent = await begun(store)
    await store.links.drop_link(intent)

    assert isinstance(await store.links.finish_link(intent, "77", NOON), Linked)
    assert await store.links.read_link_of_lead(ACCOUNT, "77") is not None


async def test_a_late_answer_never_overwrites_a_newer_intent(store: Store) -> None:
    late = await begun(store)
    await store.links.drop_link(late)
    newer = await begun(store, holder="request-2")

    told = await store.links.finish_link(late, "77", NOON)

    assert told == LinkConflict(wanted="77", standing=newer)
    assert await store.links.read_link(ACCOUNT, "L-1") == newer


async def test_finishing_twice_with_the_same_lead_is_the_same_link(store: Store) -> None:
    intent = await begun(store)
    first = await store.links.finish_link(intent, "77", NOON)

    assert await store.links.finish_link(intent, "77", at(5)) == first


async def test_an_external_id_of_another_lead_is_a_conflict(store: Store) -> None:
    link = await linked(store, "L-1", "77")

    told = await store.links.adopt_link(ACCOUNT, "L-1", "78", holder="request-2", now=NOON)

    assert told == LinkConflict(wanted="78", standing=link)


async def test_a_lead_of_another_external_id_is_a_conflict(store: Store) -> None:
    link = await linked(store, "L-1", "77")
    intent = await begun(store, "L-2")

    adopted = await store.links.adopt_link(ACCOUNT, "L-3", "77", holder="request-2", now=NOON)
    finished = await store.links.finish_link(intent, "77", NOON)

    assert adopted == finished == LinkConflict(wanted="77", standing=link)
    assert await store.links.read_link(ACCOUNT, "L-3") is None
    assert await store.links.read_link(ACCOUNT, "L-2") == intent


async def test_a_new_external_id_adopts_a_lead(store: Store) -> None:
    for _ in range(2):
        told = await store.links.adopt_link(ACCOUNT, "L-9", "99", holder="request-1", now=NOON)
        assert told == Linked(account=ACCOUNT, external_id="L-9", lead_id="99", linked_at=NOON)


async def test_adopting_settles_an_abandoned_intent_but_not_a_running_one(store: Store) -> None:
    intent = await begun(store)

    early = await store.links.adopt_link(ACCOUNT, "L-1", "77", holder="request-2", now=at(29))
    late = await store.links.adopt_link(ACCOUNT, "L-1", "77", holder="request-2", now=at(30))

    assert early == LinkConflict(wanted="77", standing=intent)
    assert isinstance(late, Linked)


async def test_two_external_ids_that_adopt_one_lead_at_once_make_one_link(store: Store) -> None:
    told = await asyncio.gather(
        *(
            store.links.adopt_link(ACCOUNT, f"L-{n}", "77", holder=f"request-{n}", now=NOON)
            for n in range(10)
        )
    )

    made = [state for state in told if isinstance(state, Linked)]
    assert len(made) == 1
    assert all(state.standing == made[0] for state in told if isinstance(state, LinkConflict))


async def test_accounts_do_not_share_links(store: Store) -> None:
    await linked(store, "L-1", "77")

    told = await store.links.adopt_link("ivvy:other", "L-1", "77", holder="r", now=NOON)

    assert isinstance(told, Linked)
    assert await store.links.read_link_of_lead("ivvy:third", "77") is None


async def test_a_removed_link_frees_its_external_id(store: Store) -> None:
    link = await linked(store, "L-1", "77")

    assert await store.links.remove_link(link)
    assert not await store.links.remove_link(link)
    assert isinstance(await begin(store), Begun)


@pytest.mark.parametrize("external_id", ["L\0", "L\ud800"])
async def test_a_key_that_a_database_cannot_hold_is_refused_by_both(
    store: Store, external_id: str
) -> None:
    with pytest.raises(ValueError, match="cannot store"):
        await begin(store, external_id)
    assert await store.links.read_open_intents() == []


async def test_a_payload_may_hold_any_text(store: Store) -> None:
    await store.links.begin_link(
        ACCOUNT,
        "L-1",
        holder="r",
        payload={"note": "a\0b – ünïcödé 🛥"},
        payload_version=1,
        answer_by=at(30),
        now=NOON,
    )

    intent = await store.links.read_link(ACCOUNT, "L-1")
    assert isinstance(intent, Intent)
    assert intent.payload == {"note": "a\0b – ünïcödé 🛥"}
