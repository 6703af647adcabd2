"""Imports into a gateway that takes fewer contacts, or fewer bytes, in a call than a part has."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import replace
from itertools import cycle
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from gateway.app import create_app
from gateway.dev import new_sandbox, sandbox_settings
from gateway.importing import client, run
from gateway.importing.client import Client, Wanted
from gateway.importing.parts import cut
from gateway.importing.rows import ImportRefusedError, Row
from gateway.importing.run import Order, run_import
from tests.harness import free_port, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

HEADER = "externalId,email,firstName,lastName\n"
LINES = [f"I-{n},i{n}@example.com,Ida,Number {n}\n" for n in range(9)]


class Silent:
    """Hears nothing."""

    def begin(self, what: str, total: int) -> None:
        pass

    def at(self, done: int) -> None:
        pass

    def say(self, line: str) -> None:
        pass


@contextmanager
def gateway(**limits: Any) -> Iterator[str]:
    """The address of a gateway with its sandbox."""
    port = free_port()
    settings = sandbox_settings(f"http://127.0.0.1:{port}", job_look_seconds=0.02, **limits)
    app = create_app(settings, more_routes=new_sandbox().routes)
    with serving(app, port=port) as address:
        yield address


@contextmanager
def asks_to_wait(address: str) -> Iterator[str]:
    """The address of what lets every second request through to the gateway at `address`."""
    turns = cycle([False, True])

    async def answer(request: Request) -> Response:
        if not next(turns):
            return PlainTextResponse("later", 429, headers={"Retry-After": "0.01"})
        async with httpx.AsyncClient() as http:
            body = await request.body()
            headers = {"Content-Type": "application/json"}
            given = await http.post(f"{address}/graphql", content=body, headers=headers)
        return PlainTextResponse(given.text, given.status_code)

    with serving(Starlette(routes=[Route("/graphql", answer, methods=["POST"])])) as front:
        yield front


def order(tmp_path: Path, lines: list[str], address: str) -> Order:
    path = tmp_path / "people.csv"
    path.write_text(HEADER + "".join(lines))
    wanted = Wanted(targets=["IVVY"], mode="PATCH", if_missing="CREATE")
    return Order(path=path, wanted=wanted, url=address)


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | None, int]]:
    """The kind of each call, and how many rows it had."""
    sent: list[tuple[str | None, int]] = []
    real = Client.upsert

    async def upsert(self: Client, inputs: Any, wanted: Wanted, *, key: str | None) -> Any:
        payload = await real(self, inputs, wanted, key=key)
        sent.append(("check" if key is None else "store", len(inputs)))
        return payload

    monkeypatch.setattr(Client, "upsert", upsert)
    return sent


@pytest.mark.parametrize(
    "limits", [{"max_bulk_inputs": 3}, {"max_list_items": 3, "max_bulk_inputs": 3}]
)
async def test_a_gateway_that_takes_fewer_contacts_gets_smaller_parts(
    tmp_path: Path, sizes: list[tuple[str | None, int]], limits: dict[str, int]
) -> None:
    with gateway(**limits) as address:
        for before in (0, 9):
            report = await run_import(order(tmp_path, LINES, address), None, Silent())
            assert report.rejected == {}
            assert dict(report.outcomes["IVVY"]) == {"CREATED": 9}
            assert report.sent_before == before
    assert sizes == [(kind, size) for kind in ("check", "store") for size in (3, 2, 3, 1)] * 2


async def test_a_part_with_too_many_bytes_goes_in_halves_and_a_row_with_too_many_is_rejected(
    tmp_path: Path, sizes: list[tuple[str | None, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PART", 4)
    lines = [*LINES]
    lines[1] = f"I-1,i1@example.com,Ida,{'x' * 5000}\n"
    limits = {"max_body_bytes": 2000, "max_bulk_body_bytes": 2000}
    with gateway(**limits) as address:
        report = await run_import(order(tmp_path, lines, address), None, Silent())
    [reason] = report.rejected.pop(1)
    assert "GATEWAY_MAX_BULK_BODY_BYTES" in reason
    assert (report.rejected, dict(report.outcomes["IVVY"])) == ({}, {"CREATED": 8})
    assert sizes == [(kind, size) for kind in ("check", "store") for size in (1, 2, 4, 1)]


async def test_what_stands_before_a_gateway_may_refuse_a_part_as_well(tmp_path: Path) -> None:
    async def refuse(_request: Request) -> Response:
        return PlainTextResponse("Request Entity Too Large", 413)

    with serving(Starlette(routes=[Route("/graphql", refuse, methods=["POST"])])) as address:
        report = await run_import(order(tmp_path, LINES[:3], address), None, Silent())
    assert set(report.rejected) == {0, 1, 2}
    assert report.rejected[0] == [f"{address} answered 413: it takes no call as large as this."]


@pytest.mark.parametrize("body", ["[]", "null", '{"errors": ["no"]}', '{"data": null}', "<html>"])
async def test_an_answer_that_is_no_gateways_ends_the_import(tmp_path: Path, body: str) -> None:
    async def answer(_request: Request) -> Response:
        return PlainTextResponse(body)

    with (
        serving(Starlette(routes=[Route("/graphql", answer, methods=["POST"])])) as address,
        pytest.raises(ImportRefusedError, match=r"not as a gateway does|no data"),
    ):
        await run_import(order(tmp_path, LINES, address), None, Silent())


async def test_a_gateway_that_lets_one_wait_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "WAIT_SECONDS", 1)
    waits = iter(["0", "0.3", "0.3", "0.6"])

    async def answer(_request: Request) -> Response:
        return PlainTextResponse("later", 429, headers={"Retry-After": next(waits)})

    with (
        serving(Starlette(routes=[Route("/graphql", answer, methods=["POST"])])) as address,
        pytest.raises(ImportRefusedError, match="answered 429"),
    ):
        await run_import(order(tmp_path, LINES, address), None, Silent())
    assert list(waits) == []


@pytest.mark.parametrize("asked", ["0", "-3", "nan"])
async def test_a_gateway_that_asks_for_no_time_is_not_asked_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setattr(client, "WAIT_SECONDS", 0.35)
    calls = 0

    async def answer(_request: Request) -> Response:
        nonlocal calls
        calls += 1
        return PlainTextResponse("later", 503, headers={"Retry-After": asked})

    with serving(Starlette(routes=[Route("/graphql", answer, methods=["POST"])])) as address:
        async with asyncio.timeout(20):
            with pytest.raises(ImportRefusedError, match="answered 503"):
                await run_import(order(tmp_path, LINES, address), None, Silent())
    assert calls == 4


async def test_an_import_goes_on_once_it_is_let_in(tmp_path: Path) -> None:
    with gateway() as address:
        asked = order(tmp_path, LINES, address)
        with asks_to_wait(address) as front:
            report = await run_import(replace(asked, url=front), None, Silent())
    assert (report.rejected, dict(report.outcomes["IVVY"])) == ({}, {"CREATED": 9})


def test_parts_of_a_part_have_names_of_their_own() -> None:
    rows = [(place, Row(line=place + 2, given=[], input={})) for place in range(10)]
    whole = cut(rows, 4)
    assert [part.name for part in whole] == ["0", "1", "2"]
    pieces = [piece for part in whole for piece in part.cut(3)]
    assert [piece.name for piece in pieces] == ["0-3", "3-4", "4-7", "7-8", "2"]
    assert [len(piece.rows) for piece in pieces] == [3, 1, 3, 1, 2]
