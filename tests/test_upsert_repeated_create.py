"""A create without an answer is sent again: what others write to the new record meanwhile stays."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.harness import UPSERT_CONTACT, Answer

if TYPE_CHECKING:
    from tests.harness import Gateway

NEW = {"externalId": "E-6100", "email": "new@example.com", "firstName": "New", "lastName": "One"}
MADE_WITHOUT_ANSWER = {"status": 500, "effect": True, "headers": {"Retry-After": "0.5"}}
"""The backend makes the record and fails afterwards; the create is sent again half a second later."""


async def _during_a_create(
    gateway: Gateway, backend: str, change: dict[str, Any], **create: Any
) -> tuple[Answer, Answer]:
    """The answers to a create that is sent twice, and to a change between the two."""
    gateway.sandbox.faults.add({"backend": backend.lower(), **create, **MADE_WITHOUT_ANSWER})
    made = asyncio.create_task(gateway.upsert(NEW, targets=[backend]))
    while not gateway.calls(backend.lower(), writes=True):  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0)
    changed = await gateway.data(UPSERT_CONTACT, input=change, targets=[backend])
    return await made, Answer(changed["upsertContact"])


async def test_a_repeated_post_does_not_overwrite_what_was_written_after_the_first(
    gateway: Gateway,
) -> None:
    made, changed = await _during_a_create(
        gateway, "EVERBRIDGE", {"externalId": "E-6100", "suffix": "PhD"}, method="POST"
    )
    assert (made.outcomes(), changed.outcomes()) == (
        {"EVERBRIDGE": "CREATED"},
        {"EVERBRIDGE": "UPDATED"},
    )
    [held] = gateway.everbridge(externalId="E-6100")
    assert (held["lastName"], held["suffix"]) == ("One", "PhD")


async def test_a_repeated_create_does_not_make_a_second_contact_of_one_that_was_renamed(
    gateway: Gateway,
) -> None:
    made, changed = await _during_a_create(
        gateway,
        "IVVY",
        {"externalId": "E-6100", "lastName": "Two"},
        path="/api/1.0/contact?action=addOrUpdateContact",
    )
    assert (made.outcomes(), changed.outcomes()) == ({"IVVY": "CREATED"}, {"IVVY": "UPDATED"})
    [held] = gateway.ivvy(externalId="E-6100")
    assert held["lastName"] == "Two"
