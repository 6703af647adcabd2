"""What generated operations have found: each stays found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

if TYPE_CHECKING:
    from tests.harness import Gateway


@pytest.mark.parametrize("external_id", ["\0", "a\0b"])
async def test_external_id_that_no_database_holds_is_the_callers_mistake(
    gateway: Gateway, external_id: str
) -> None:
    with capture_logs() as logs:
        read = await gateway.ask(
            "query ($id: ID!) { lead(by: { externalId: $id }) { name } }", id=external_id
        )
        written = await gateway.data(
            "mutation ($input: LeadInput!) { upsertLead(input: $input) "
            "{ status errors { code field } } }",
            input={"externalId": external_id, "name": "A lead"},
        )
    [error] = read["errors"]
    assert error["message"] == "externalId holds a character that cannot be stored."
    assert written["upsertLead"]["status"] == "REJECTED"
    problems = written["upsertLead"]["errors"]
    assert {"code": "INVALID", "field": ["externalId"]} in problems
    assert [entry for entry in logs if entry["log_level"] == "error"] == []


async def test_key_too_long_for_an_address_is_the_callers_mistake(gateway: Gateway) -> None:
    key = "a" * 70_000
    with capture_logs() as logs:
        written = await gateway.upsert({"externalId": key, "lastName": "Long"})
        read = await gateway.data(
            "query ($id: ID!) { contact(by: { externalId: $id }) { errors { backend code field } } }",
            id=key,
        )
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    assert written.outcomes()["EVERBRIDGE"] == "REJECTED"
    codes = {problem["backend"]: problem["code"] for problem in read["contact"]["errors"]}
    assert codes["EVERBRIDGE"] == "INVALID"
