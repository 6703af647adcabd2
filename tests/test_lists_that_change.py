"""Lists of names that change between two of their pages, and lists that cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import running
from tests.reading import backends, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

    Change = Callable[[Sandbox], None]

GROUPS, COMPANIES = "/pagination", "getCompanyList"
NAMES = {
    GROUPS: "{ groups(backend: EVERBRIDGE) { name } }",
    COMPANIES: "{ companies(first: 500) { edges { node { name } } } }",
}


def change_between_pages(sandbox: Sandbox, of: str, change: Change, *, times: int) -> None:
    """Let a list of two pages change before its second page is read, so many times."""
    inner, asked = sandbox.app, 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal asked
        if of in f"{scope['path']}?{scope['query_string'].decode()}":
            asked += 1
            if asked % 2 == 0 and asked <= 2 * times:
                change(sandbox)
        await inner(scope, receive, send)

    sandbox.app = app


def a_region_goes(sandbox: Sandbox) -> None:
    state = sandbox.everbridge.dump()
    gone = next(row for row in state["groups"] if row["name"].startswith("Region"))
    state["groups"].remove(gone)
    for contact in state["contacts"]:
        contact["groups"] = [group for group in contact.get("groups", ()) if group != gone["id"]]
    sandbox.everbridge.load(state)


def a_group_comes(sandbox: Sandbox) -> None:
    state = sandbox.everbridge.dump()
    state["groups"].insert(0, {**state["groups"][0], "id": 12, "name": "Aardvarks", "members": []})
    sandbox.everbridge.load(state)


def a_company_goes(sandbox: Sandbox) -> None:
    state = sandbox.ivvy.dump()
    state["tables"]["companies"].pop(4)
    sandbox.ivvy.load(state)


def a_company_comes(sandbox: Sandbox) -> None:
    state = sandbox.ivvy.dump()
    new = {**state["tables"]["companies"][4], "id": 5, "businessName": "Aardvarks"}
    state["tables"]["companies"].append(new)
    sandbox.ivvy.load(state)


def held(sandbox: Sandbox, of: str) -> list[str]:
    if of == GROUPS:
        return sorted(row["name"] for row in sandbox.everbridge.dump()["groups"])
    return sorted(row["businessName"] for row in sandbox.ivvy.dump()["tables"]["companies"])


def told(data: dict[str, Any], of: str) -> list[str]:
    if of == GROUPS:
        return sorted(row["name"] for row in data["groups"])
    return sorted(edge["node"]["name"] for edge in data["companies"]["edges"])


@pytest.mark.parametrize(
    ("of", "change"),
    [
        (GROUPS, a_region_goes),
        (GROUPS, a_group_comes),
        (COMPANIES, a_company_goes),
        (COMPANIES, a_company_comes),
    ],
)
async def test_a_list_that_changes_between_its_pages_is_read_again(
    sandbox: Sandbox, clock: ManualClock, of: str, change: Change
) -> None:
    change_between_pages(sandbox, of, change, times=1)
    async with running(sandbox, clock) as gateway:
        assert told(await gateway.data(NAMES[of]), of) == held(sandbox, of)


async def test_no_name_is_unknown_because_its_row_slipped_to_a_page_read_before(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    slips = [row["name"] for row in sandbox.everbridge.dump()["groups"]][100]
    change_between_pages(sandbox, GROUPS, a_region_goes, times=1)
    async with running(sandbox, clock) as gateway:
        answer = await gateway.upsert(
            {"externalId": "E-1001", "addGroupsName": [slips]}, targets=["EVERBRIDGE"]
        )
    assert (answer.errors, answer.outcomes()) == ([], {"EVERBRIDGE": "UPDATED"})


@pytest.mark.parametrize(("of", "change"), [(GROUPS, a_region_goes), (COMPANIES, a_company_goes)])
async def test_a_list_that_changes_at_each_reading_is_no_list_and_nothing_is_written(
    sandbox: Sandbox, clock: ManualClock, of: str, change: Change
) -> None:
    change_between_pages(sandbox, of, change, times=99)
    async with running(sandbox, clock) as gateway:
        answer = await gateway.ask(NAMES[of])
        [error] = answer["errors"]
        assert error["extensions"]["code"] == "BACKEND_ERROR"
        assert "while its pages were read" in error["message"]
        assert len([call for call in gateway.recorded() if of in str(call)]) == 2 * 3


UNNAMED: list[tuple[str, dict[str, Any]]] = [
    ("/contactPaths/*", {"id": 5, "prompt": "Pager"}),
    ("/contactAttributes/*", {"name": "Shift"}),
    ("/groups/*", {"name": "VIP"}),
    ("/recordTypes/*", {"name": "Employee"}),
]


@pytest.mark.parametrize(("path", "row"), UNNAMED, ids=[path for path, _ in UNNAMED])
async def test_a_list_with_a_row_without_id_is_everbridges_failure_and_hides_no_record(
    gateway: Gateway, path: str, row: dict[str, Any]
) -> None:
    page = {"totalCount": 1, "data": [row]}
    gateway.sandbox.faults.add(
        {"backend": "everbridge", "path": path, "times": 99,
         "status": 200, "body": {"message": "OK", "page": page}}
    )  # fmt: skip
    answer = await gateway.upsert(
        {
            "externalId": "E-1001",
            "addGroupsName": ["Berlin Office"],
            "recordTypeName": "Employee",
            "paths": [{"prompt": "Work Email", "value": "ada@example.com"}],
            "customFields": [{"name": "Shift", "values": ["Night"]}],
        }
    )
    result = answer.result("EVERBRIDGE")
    assert (result["outcome"], result["errors"][0]["code"]) == ("FAILED", "BACKEND_ERROR")
    assert "Everbridge gave" in result["errors"][0]["message"]
    assert gateway.calls("everbridge", writes=True) == []
    contact = await read(gateway, externalId="E-1001")
    assert {"IVVY", "SENDGRID"} <= set(backends(contact))
    assert "Everbridge gave" in contact["errors"][0]["message"]
