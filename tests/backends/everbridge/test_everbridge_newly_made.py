"""What is remembered of the contacts that were made a moment ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.backends.everbridge import newly_made
from gateway.backends.everbridge.newly_made import NewlyMade
from gateway.results import Outcome
from tests.backends.everbridge.writing import contact

if TYPE_CHECKING:
    import pytest

    from tests.backends.everbridge.conftest import Wired


def test_the_oldest_is_forgotten_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newly_made, "MOST", 2)
    made = NewlyMade()
    for external_id in ("A", "B", "A", "C"):
        made.note(external_id, f"id of {external_id}")
    assert [made.id_of(external_id) for external_id in "ABC"] == ["id of A", None, "id of C"]


def test_a_contact_is_remembered_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newly_made, "REMEMBERED_FOR", -1.0)
    made = NewlyMade()
    made.note("A", "1")
    assert made.id_of("A") is None


async def test_a_new_contact_with_another_external_id_by_now_is_not_the_one(wired: Wired) -> None:
    eve = contact(external_id="E-9", first_name="Eve", last_name="Moore")
    made = await wired.upsert(eve)
    moved = await wired.upsert(contact(external_id="E-10", everbridge={"id": made.id}))
    assert (moved.outcome, moved.changed_fields) == (Outcome.UPDATED, ["externalId"])
    again = await wired.upsert(eve)
    assert (again.outcome, again.id == made.id) == (Outcome.CREATED, False)
