"""What is remembered of accepted writes until they can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    import pytest

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
