"""Notes that processes leave each other, by the clock of the database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.store.notes import Note

if TYPE_CHECKING:
    from gateway.store import Store

LONG = 3600.0


def note(subject: str, source: str = "job", **content: object) -> Note:
    return Note(subject=subject, source=source, content=content)


async def test_notes_are_told_by_subject_the_oldest_first(store: Store) -> None:
    await store.notes.keep([note("a", "one", n=1)])
    await store.notes.keep([note("a", "two", n=2), note("b", n=3), note("c", n=4)])
    found = await store.notes.recall(["a", "b", "nobody"], LONG)
    told = [(one.subject, one.source, one.content) for one in found]
    assert told[0] == ("a", "one", {"n": 1})
    assert sorted(told[1:]) == [("a", "two", {"n": 2}), ("b", "job", {"n": 3})]
    assert all(0 <= one.age < LONG for one in found)


async def test_a_note_that_is_kept_again_has_the_new_content_and_its_age(store: Store) -> None:
    await store.notes.keep([note("a", n=1)])
    await asyncio.sleep(0.05)
    await store.notes.keep([note("a", n=2)])
    [found] = await store.notes.recall(["a"], LONG)
    assert found.content == {"n": 2}
    assert found.age >= 0.04


async def test_old_notes_are_not_told_and_are_removed(store: Store) -> None:
    await store.notes.keep([note(name) for name in "abc"])
    assert await store.notes.recall(["a"], 0.0) == []
    assert await store.notes.forget(LONG) == 0
    assert [await store.notes.forget(-1.0, 2) for _ in range(3)] == [2, 1, 0]
    assert await store.notes.recall(["a", "b", "c"], LONG) == []
