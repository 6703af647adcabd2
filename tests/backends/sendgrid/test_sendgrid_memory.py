"""What is remembered of accepted writes until they can be read."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.backends.sendgrid import memory as module
from gateway.backends.sendgrid.memory import (
    FIRST_LOOK,
    NEXT_LOOK,
    READABLE_AFTER,
    REMEMBERED,
    Accepted,
    WriteMemory,
    by_id,
    by_identifier,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

ADA = by_identifier("email", "ada@example.com")
ADAS_ID = by_id("a-1")


def recalled(memory: WriteMemory, *subjects: str, now: float = 1.0) -> Accepted:
    found = memory.recall(subjects or (ADA,), now)
    assert found is not None
    return found


def test_nothing_is_known_of_a_contact_that_was_not_written() -> None:
    memory = WriteMemory()
    memory.remember(ADA, "j-1", 0.0)
    assert memory.recall([by_identifier("email", "mary@example.com")], 1.0) is None


def test_the_later_write_wins_for_each_list() -> None:
    memory = WriteMemory()
    memory.remember(ADA, "j-1", 0.0, joined=["a", "b"])
    memory.remember(ADAS_ID, "j-2", 1.0, left=["a"])
    memory.remember(ADA, "j-3", 2.0, joined=["c"])
    accepted = recalled(memory, ADAS_ID, ADA)
    assert accepted.lists == {"a": False, "b": True, "c": True}
    assert accepted.joined == ["b", "c"]
    assert accepted.overlay(["a", "x"]) == ["x", "b", "c"]


def test_a_list_that_was_left_and_joined_again_is_joined() -> None:
    memory = WriteMemory()
    memory.remember(ADAS_ID, "j-1", 0.0, left=["a"])
    memory.remember(ADA, "j-2", 1.0, joined=["a"])
    assert recalled(memory, ADA, ADAS_ID).overlay([]) == ["a"]


def test_what_is_learned_late_is_given_up_as_long_after_its_acceptance() -> None:
    memory = WriteMemory()
    memory.remember(by_identifier("email", "mary@example.com"), "j-1", 500.0)
    memory.remember(ADA, "j-2", 0.0, joined=["a"])
    assert recalled(memory, now=REMEMBERED - 1).joined == ["a"]
    assert memory.recall([ADA], REMEMBERED) is None
    assert memory.due(ADA, REMEMBERED) == []


def test_identifiers_that_were_sent_are_kept() -> None:
    memory = WriteMemory()
    memory.remember(ADA, "j-1", 0.0, identifiers={"email": "a", "anonymous_id": "x"})
    memory.remember(ADA, "j-2", 1.0, identifiers={"email": "a"})
    assert recalled(memory).identifiers == {"email": "a", "anonymous_id": "x"}


def test_a_job_that_ended_is_forgotten_for_all_its_contacts() -> None:
    memory = WriteMemory()
    memory.remember(ADA, "j-1", 0.0, joined=["a"])
    memory.remember("email:mary@example.com", "j-1", 0.0, joined=["a"])
    memory.remember(ADA, "j-2", 1.0, joined=["b"])
    memory.forget("j-1", 0.5)
    assert recalled(memory).joined == ["b"]
    assert memory.recall(["email:mary@example.com"], 1.0) is None
    memory.forget("j-2", 0.5)
    memory.forget("j-2", 0.5)
    assert len(memory) == 0


def test_a_job_is_given_up_after_its_time() -> None:
    memory = WriteMemory()
    memory.remember(ADA, "j-1", 0.0, joined=["a"])
    assert memory.recall([ADA], REMEMBERED - 1) is not None
    assert memory.recall([ADA], REMEMBERED) is None


def test_the_oldest_jobs_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_NOTES", 3)
    memory = WriteMemory()
    for number in range(5):
        memory.remember(f"email:{number}", f"j-{number}", float(number), joined=["a"])
    assert len(memory) == 3
    assert memory.recall(["email:1"], 5.0) is None
    assert memory.recall(["email:2"], 5.0) is not None


def test_a_status_is_asked_for_after_a_while_and_not_too_often() -> None:
    memory = WriteMemory()
    memory.remember(ADA, "j-1", 0.0)
    assert memory.due(ADA, FIRST_LOOK - 1) == []
    assert memory.due(ADA, FIRST_LOOK) == ["j-1"]
    assert memory.due(ADA, FIRST_LOOK + 1) == []
    assert memory.due(ADA, FIRST_LOOK + NEXT_LOOK) == ["j-1"]
    assert memory.due(ADAS_ID, 60.0) == []


def test_the_wait_ends_when_the_last_write_can_be_read() -> None:
    memory = WriteMemory()
    memory.remember(ADA, "j-1", 0.0)
    memory.remember(ADA, "j-2", 10.0)
    assert recalled(memory, now=20.0).readable_in(20.0) == READABLE_AFTER - 10
    assert recalled(memory, now=500.0).readable_in(500.0) == 1.0


MOVES = st.lists(st.tuples(st.sampled_from(["join", "leave"]), st.sampled_from("abc")), max_size=8)


@given(read=st.sets(st.sampled_from("abc")), moves=MOVES)
def test_the_overlay_is_what_the_moves_in_order_come_to(
    read: set[str], moves: list[tuple[str, Any]]
) -> None:
    memory = WriteMemory()
    expected = set(read)
    for number, (move, list_id) in enumerate(moves):
        if move == "join":
            memory.remember(ADA, f"j-{number}", float(number), joined=[list_id])
            expected.add(list_id)
        else:
            memory.remember(ADAS_ID, f"j-{number}", float(number), left=[list_id])
            expected.discard(list_id)
    accepted = memory.recall([ADA, ADAS_ID], float(len(moves)))
    assert set(accepted.overlay(sorted(read)) if accepted else read) == expected


# ---------------------------------------------------------------- how notes are kept


ODD = ["email:a", 'email:a","b', "email:\\", "id:a", "external_id:é\r\n\u2028", "email:[1,"]
"""Subjects that look like parts of what notes are kept as."""
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["write", "write", "end"]),
        st.sampled_from(ODD),
        st.integers(1, 12),
        st.lists(st.sampled_from("xyz"), max_size=2, unique=True),
        st.booleans(),
        st.dictionaries(st.sampled_from(["email", "external_id"]), st.sampled_from(["a", '"'])),
    ),
    max_size=40,
)


class Plainly:
    """The same, said plainly: each job's effects on each contact, and when it ended."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, tuple[dict[str, bool], dict[str, str]]]] = {}
        self.ended: dict[str, float] = {}
        self.names: dict[int, str] = {}

    def name(self, number: int) -> str:
        """The job's id; one that has ended never comes again."""
        return self.names.setdefault(number, f"j-{number}-{len(self.ended)}")

    def recall(self, subject: str, read_at: float) -> tuple[dict[str, bool], dict[str, str]] | None:
        """What the jobs come to."""
        lists: dict[str, bool] = {}
        identifiers: dict[str, str] = {}
        found = False
        for job, subjects in self.jobs.items():
            if subject in subjects and self.ended.get(job, read_at + 1) > read_at:
                found = True
                lists |= subjects[subject][0]
                identifiers |= subjects[subject][1]
        return (lists, identifiers) if found else None


@pytest.mark.parametrize("places", [1, 3])
@given(events=EVENTS)
def test_notes_are_told_apart_however_many_are_kept_in_one_place(
    places: int, events: list[tuple[str, str, int, list[str], bool, Mapping[str, str]]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PLACES", places)
        memory, plain = WriteMemory(), Plainly()
        for at, (event, subject, number, lists, joined, identifiers) in enumerate(events):
            name, now = plain.name(number), float(at)
            if event == "end":
                memory.forget(name, now)
                if name in plain.jobs:
                    plain.ended[name] = now
                    del plain.names[number]
                continue
            moved: Any = {"joined" if joined else "left": lists}
            memory.remember(subject, name, now, **moved, identifiers=identifiers)
            done, sent = plain.jobs.setdefault(name, {}).setdefault(subject, ({}, {}))
            done.update(dict.fromkeys(lists, joined))
            sent.update(identifiers)
        live = [subjects for job, subjects in plain.jobs.items() if job not in plain.ended]
        assert len(memory) == sum(map(len, live))
        for subject in ODD:
            for read_at in (0.0, len(events) / 2, float(len(events))):
                found = memory.recall([subject], float(len(events)), read_at=read_at)
                told = (dict(found.lists), dict(found.identifiers)) if found else None
                assert told == plain.recall(subject, read_at)


def remember_many(memory: WriteMemory, numbers: range) -> None:
    for number in numbers:
        email = f"someone{number}@example.com"
        memory.remember(
            by_identifier("email", email),
            f"job-{number // 50}",
            number / 1000,
            joined=["0e020309-86fd-50cc-bfa5-000000000001"],
            identifiers={"email": email, "external_id": f"E-{number}"},
        )


def test_a_note_takes_some_hundred_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_NOTES", 10_000)
    monkeypatch.setattr(module, "PLACES", 1024)
    memory = WriteMemory()
    tracemalloc.start()
    try:
        remember_many(memory, range(10_000))
        full = tracemalloc.get_traced_memory()[0]
        remember_many(memory, range(10_000, 30_000))
        later = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert full < 150 * 10_000
    assert later < 1.3 * full, "what is forgotten leaves room for what comes"
