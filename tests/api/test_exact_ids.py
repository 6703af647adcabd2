"""Ids given as JSON numbers arrive as they were written, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

WRITE = (
    "mutation ($input: ContactInput!) {"
    " upsertContact(input: $input, targets: [IVVY], dryRun: true) { results { calls { body } } } }"
)


@pytest.fixture(params=[True, False], ids=["prepared", "by graphql-core"])
async def either(
    request: pytest.FixtureRequest, sandbox: Sandbox, clock: ManualClock
) -> AsyncIterator[Gateway]:
    async with running(sandbox, clock, prepared_operations=request.param) as gateway:
        yield gateway


async def sent(gateway: Gateway, number: str) -> dict[str, object]:
    contact = (
        f'{{"externalId": {number}, "email": "a@example.com", "firstName": "A", "lastName": "B"}}'
    )
    body = f'{{"query": "{WRITE}", "variables": {{"input": {contact}}}}}'
    headers = {"Content-Type": "application/json"}
    response = await gateway.http.post("/graphql", content=body, headers=headers)
    answer: dict[str, object] = response.json()
    return answer


@pytest.mark.parametrize("number", ["17", "9007199254740993", "18446744073709551615"])
async def test_a_whole_number_of_64_bits_is_taken_as_it_is(either: Gateway, number: str) -> None:
    answer = await sent(either, number)
    assert f"'externalId': '{number}'" in str(answer["data"])


@pytest.mark.parametrize("number", ["18446744073709551617", "12345678901234567890123", "1e300"])
async def test_one_that_was_rounded_is_refused(either: Gateway, number: str) -> None:
    answer = await sent(either, number)
    assert "give it as a string" in str(answer["errors"])
    assert either.calls("ivvy") == []
