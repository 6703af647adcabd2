from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.conftest import MakeSmall


async def test_state_outlives_the_process_that_made_it(
    make_small: MakeSmall, tmp_path: Path
) -> None:
    database = tmp_path / "sandbox.db"
    await make_small(database).client().post("/first/a")
    again = make_small(database)
    assert (again.first.reached, again.second.reached) == (1, 0)


async def test_state_is_kept_although_the_answer_was_dropped(
    make_small: MakeSmall, tmp_path: Path
) -> None:
    database = tmp_path / "sandbox.db"
    small = make_small(database)
    small.frame.faults.add({"backend": "first", "status": 500, "effect": True})
    await small.client().post("/first/a")
    assert make_small(database).first.reached == 1


async def test_reading_writes_nothing(make_small: MakeSmall, tmp_path: Path) -> None:
    database = tmp_path / "sandbox.db"
    await make_small(database).client().get("/first/a")
    assert make_small(database).first.reached == 0


async def test_reset_is_kept_too(make_small: MakeSmall, tmp_path: Path) -> None:
    database = tmp_path / "sandbox.db"
    small = make_small(database)
    await small.client().post("/first/a")
    small.frame.reset()
    assert make_small(database).first.reached == 0


async def test_file_of_another_version_is_started_afresh(
    make_small: MakeSmall, tmp_path: Path
) -> None:
    database = tmp_path / "sandbox.db"
    await make_small(database).client().post("/first/a")
    with closing(sqlite3.connect(database)) as raw:
        raw.execute("PRAGMA user_version = 99")
    assert make_small(database).first.reached == 0


async def test_unchanged_state_is_not_written_again(make_small: MakeSmall, tmp_path: Path) -> None:
    database = tmp_path / "sandbox.db"
    client = make_small(database).client()
    await client.patch("/first/things")  # refused by the backend, which keeps its first state
    with closing(sqlite3.connect(database, isolation_level=None)) as raw:
        assert raw.execute("SELECT backend FROM backend_state").fetchall() == [("first",)]
        raw.execute("DELETE FROM backend_state")
        await client.patch("/first/things")
        assert raw.execute("SELECT backend FROM backend_state").fetchall() == []
        await client.post("/first/things")
        assert raw.execute("SELECT backend FROM backend_state").fetchall() == [("first",)]
