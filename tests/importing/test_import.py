"""`gateway import` from the file to its report, over real sockets."""

from __future__ import annotations

import asyncio
import csv
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from gateway.dev import new_sandbox, sandbox_settings
from gateway.importing import run
from gateway.importing.client import Client, Wanted
from gateway.importing.command import import_file
from gateway.importing.progress import Lines
from gateway.importing.report import REASON
from gateway.importing.rows import ImportRefusedError
from gateway.importing.run import Order, run_import
from tests.harness import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.sandbox.app import Sandbox

HEADER = "externalId,email,firstName,lastName,groupsName\n"
PEOPLE = "".join(f"I-{n},i{n}@example.com,Ida,Number {n},Newsletter\n" for n in range(5))


class Heard:
    """Keeps what an import says of its progress."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.parts: list[tuple[str, int]] = []
        self.stop_at: str | None = None

    def begin(self, what: str, total: int) -> None:
        self.parts.append((what, total))

    def at(self, done: int) -> None:
        what, total = self.parts[-1]
        if what == self.stop_at and done:
            raise KeyboardInterrupt
        assert done <= total

    def say(self, line: str) -> None:
        self.said.append(line)


@pytest.fixture
def served_sandbox() -> Iterator[tuple[Sandbox, str]]:
    sandbox = new_sandbox()
    sandbox.sendgrid.switches["apply_seconds"] = 0.0
    sandbox.sendgrid.switches["finish_seconds"] = 0.0
    with serving(sandbox.app) as address:
        yield sandbox, address


@pytest.fixture
def settings(served_sandbox: tuple[Sandbox, str], tmp_path: Path) -> Any:
    return sandbox_settings(
        served_sandbox[1],
        database_url=f"sqlite:///{tmp_path / 'gateway.sqlite3'}",
        job_look_seconds=0.02,
    )


def order(path: Path, **more: Any) -> Order:
    return Order(path=path, wanted=Wanted(targets=None, mode="PATCH", if_missing="CREATE"), **more)


def file(tmp_path: Path, text: str, name: str = "people.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


async def test_every_row_is_written_and_counted_by_backend(
    tmp_path: Path, settings: Any, served_sandbox: tuple[Sandbox, str]
) -> None:
    heard = Heard()
    report = await run_import(order(file(tmp_path, HEADER + PEOPLE)), settings, heard)
    assert report.rejected == {}
    assert report.outcomes["IVVY"] == {"CREATED": 5}
    assert report.outcomes["EVERBRIDGE"] == {"CREATED": 5}
    assert report.outcomes["SENDGRID"] == {"CONFIRMED": 5}
    assert report.lines[0] == "5 rows, 0 of them with problems"
    assert heard.parts == [("Checking", 5), ("Storing", 5), ("Delivering", 5)]
    held = served_sandbox[0].ivvy.dump()["tables"]["contacts"]
    assert len([row for row in held if str(row["externalId"]).startswith("I-")]) == 5
    assert not order(tmp_path / "people.csv").rejected_path.exists()


async def test_rejected_rows_stand_in_a_file_with_their_reasons(
    tmp_path: Path, settings: Any
) -> None:
    bad = "I-7,nobody,Ida,Bad,\nI-8,i8@example.com,Ida,Late,Newsleter\n,,,,\nI-9,,x,y,z,more\n"
    asked = order(file(tmp_path, HEADER + PEOPLE + bad))
    report = await run_import(asked, settings, Heard())
    assert sorted(report.rejected) == [5, 6, 7]
    with asked.rejected_path.open(encoding="utf-8-sig", newline="") as written:
        header, *rows = list(csv.reader(written))
    assert header == [*HEADER.strip().split(","), REASON]
    assert [row[0] for row in rows] == ["I-7", "I-8", "I-9"]
    assert rows[0][5].startswith("email: 'nobody' is not an e-mail address")
    assert "Did you mean 'Newsletter'?" in rows[1][5]
    assert rows[2][5] == "The row has 6 cells, and the header has 5."
    assert report.outcomes["IVVY"] == {"CREATED": 5}


async def test_what_a_backend_refuses_stands_there_too(
    tmp_path: Path, settings: Any, served_sandbox: tuple[Sandbox, str]
) -> None:
    lines = [
        {"externalId": "J-1", "email": "j1@example.com", "firstName": "J", "lastName": "One"},
        {"externalId": "J-2", "everbridge": {"id": "9999"}, "lastName": "Nobody"},
    ]
    text = "".join(orjson.dumps(line).decode() + "\n" for line in lines)
    asked = order(file(tmp_path, text, "people.jsonl"))
    report = await run_import(asked, settings, Heard())
    assert sorted(report.rejected) == [1]
    [row] = [orjson.loads(line) for line in asked.rejected_path.read_bytes().splitlines()]
    assert row["externalId"] == "J-2"
    assert "EVERBRIDGE REJECTED" in row[REASON]
    assert served_sandbox[0].everbridge.dump()["contacts"]


async def test_a_dry_run_checks_all_rows_and_writes_nothing(
    tmp_path: Path, settings: Any, served_sandbox: tuple[Sandbox, str]
) -> None:
    asked = order(file(tmp_path, HEADER + PEOPLE + "I-7,nobody,Ida,Bad,\n"), dry=True)
    heard = Heard()
    report = await run_import(asked, settings, heard)
    assert list(report.rejected) == [5]
    assert heard.parts == [("Checking", 5 + 1)]
    held = served_sandbox[0].ivvy.dump()["tables"]["contacts"]
    assert not [row for row in held if str(row["externalId"]).startswith("I-")]


@pytest.mark.parametrize("stop_at", ["Storing", "Delivering"])
async def test_an_import_that_was_interrupted_goes_on_where_it_was(
    tmp_path: Path,
    settings: Any,
    served_sandbox: tuple[Sandbox, str],
    monkeypatch: pytest.MonkeyPatch,
    stop_at: str,
) -> None:
    monkeypatch.setattr(run, "PART", 2)
    asked = order(file(tmp_path, HEADER + PEOPLE))
    heard = Heard()
    heard.stop_at = stop_at
    with pytest.raises(KeyboardInterrupt):
        await run_import(asked, settings, heard)
    report = await run_import(asked, settings, Heard())
    assert sum(report.outcomes["IVVY"].values()) == 5
    assert report.rejected == {}
    contacts = served_sandbox[0].ivvy.dump()["tables"]["contacts"]
    assert len([row for row in contacts if str(row["externalId"]).startswith("I-")]) == 5
    writes = served_sandbox[0].calls.counts()
    await run_import(asked, settings, Heard())
    again = served_sandbox[0].calls.counts()
    assert again["ivvy"].get("addOrUpdateContact") == writes["ivvy"].get("addOrUpdateContact")
    assert again["ivvy"].get("run") == writes["ivvy"].get("run")


async def test_what_an_earlier_start_has_sent_is_told_as_such(
    tmp_path: Path, settings: Any
) -> None:
    asked = order(file(tmp_path, HEADER + PEOPLE))
    assert len((await run_import(asked, settings, Heard())).lines) == 4
    told = (await run_import(asked, settings, Heard())).lines[-1]
    assert told == "5 rows were sent by an earlier start of this import, and not again."


async def test_an_import_that_breaks_off_says_that_it_goes_on(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_asked: object) -> None:
        raise ImportRefusedError(["The gateway cannot be reached."])

    monkeypatch.setattr(Client, "operation", gone)
    with pytest.raises(ImportRefusedError) as refusal:
        await run_import(order(file(tmp_path, HEADER + PEOPLE)), settings, Heard())
    assert refusal.value.problems == ["The gateway cannot be reached.", run.GOES_ON]


@pytest.mark.parametrize("name", ["people.csv", "", "missing/rejected.csv"])
async def test_a_file_that_cannot_take_rejected_rows_is_refused_before_anything_is_sent(
    tmp_path: Path, settings: Any, name: str
) -> None:
    asked = order(file(tmp_path, HEADER + PEOPLE), rejected_to=tmp_path / name)
    heard = Heard()
    with pytest.raises(ImportRefusedError, match=r"--rejected"):
        await run_import(asked, settings, heard)
    assert heard.parts == []
    assert asked.path.read_text() == HEADER + PEOPLE


async def test_rejected_rows_that_cannot_be_kept_do_not_cost_the_report(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_asked: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run, "write_rejected", full)
    report = await run_import(
        order(file(tmp_path, HEADER + PEOPLE + ",nobody,,,\n")), settings, Heard()
    )
    assert report.lines[0] == "6 rows, 1 of them with problems"
    assert "could not be written" in report.lines[-1]


async def test_an_import_with_other_options_is_another_import(
    tmp_path: Path, settings: Any
) -> None:
    path = file(tmp_path, HEADER + PEOPLE)
    await run_import(order(path), settings, Heard())
    only = Wanted(targets=["IVVY"], mode="PATCH", if_missing="CREATE")
    report = await run_import(Order(path=path, wanted=only), settings, Heard())
    assert dict(report.outcomes) == {"IVVY": {"UNCHANGED": 5}}


async def test_a_gateway_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    asked = order(file(tmp_path, HEADER + PEOPLE), url="http://127.0.0.1:9")
    with pytest.raises(ImportRefusedError, match=r"http://127\.0\.0\.1:9 cannot be reached"):
        await run_import(asked, None, Heard())


def test_lines_say_how_far_it_is_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    now = iter([0.0, 1.0, 6.0, 7.0, 10.0])
    lines = Lines(clock=lambda: next(now))
    lines.begin("Delivering", 100)
    for done in (10, 60, 70, 100):
        lines.at(done)
    assert capsys.readouterr().err.splitlines() == [
        "Delivering 60 of 100, 10/s, about 4 s left",
        "Delivering 100 of 100",
    ]


# ---------------------------------------------------------------- the command


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", "import", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | environment,
    )


async def test_the_command_hands_its_work_to_a_running_gateway(tmp_path: Path, served: str) -> None:
    path = file(tmp_path, HEADER + PEOPLE + "I-7,nobody,Ida,Bad,\n")
    done = await asyncio.to_thread(command, str(path), "--url", served, "--target", "ivvy")
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines() == [
        "6 rows, 1 of them with problems",
        "  IVVY        5 CREATED",
        f"Rejected rows, each with its reason: {tmp_path / 'people.rejected.csv'}",
    ]
    assert "Delivering 6 of 6" in done.stderr
    async with httpx.AsyncClient(base_url=served) as client:
        counts = (await client.get("/_sandbox/counts")).json()
    assert "sendgrid" not in counts or not any("PUT" in kind for kind in counts["sendgrid"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--target", "CRM"], "'CRM' is no target: give IVVY, EVERBRIDGE, SENDGRID."),
        (["--mode", "merge"], "'MERGE' is no mode: give PATCH, REPLACE."),
        (["--url", "http://127.0.0.1:9"], "cannot be reached"),
    ],
)
def test_the_command_says_what_it_cannot_do(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    path = file(tmp_path, HEADER + PEOPLE)
    done = command(str(path), *arguments)
    assert done.returncode == 2
    assert says in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_an_import_that_delivers_by_itself_needs_neither_key_nor_known_documents(
    tmp_path: Path, served_sandbox: tuple[Sandbox, str]
) -> None:
    documents = tmp_path / "documents.json"
    documents.write_text("{}")
    settings = sandbox_settings(
        served_sandbox[1],
        database_url=f"sqlite:///{tmp_path / 'gateway.sqlite3'}",
        job_look_seconds=0.02,
        auth="keys",
        production=True,
        trusted_documents=documents,
    )
    only = Wanted(targets=["IVVY"], mode="PATCH", if_missing="CREATE")
    path = file(tmp_path, HEADER + PEOPLE)
    assert import_file(Order(path=path, wanted=only), settings) == (
        0,
        ["5 rows, 0 of them with problems", "  IVVY        5 CREATED"],
    )
