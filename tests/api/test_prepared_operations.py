"""What is run prepared, and what is left to graphql-core."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from gateway.api.context import Context
from gateway.api.prepared import Running
from gateway.api.time_limit import TimeLimit
from gateway.model import ContactInput
from gateway.names import Loaders
from tests.harness import UPSERT_CONTACT

if TYPE_CHECKING:
    from tests.harness import Gateway

ADA = {"externalId": "E-2", "firstName": "Ada", "lastName": "Lovelace", "email": "a@example.com"}


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """For each prepared run, what of its results graphql-core has to complete."""
    seen: list[list[str]] = []
    run = Running.run

    async def seen_run(self: Running) -> Any:
        fields = self._way.fields
        seen.append([name for field in fields for name in field.left])
        seen[-1] += [field.name for field in fields if field.write is None]
        return await run(self)

    monkeypatch.setattr(Running, "run", seen_run)
    return seen


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (UPSERT_CONTACT.replace(" body", ""), {"input": ADA, "dryRun": True}),
        (
            (
                'mutation { upsertContact(input: {externalId: "E-2", groupsName: ["VIP"]}, '
                "targets: [IVVY], mode: PATCH, dryRun: true) { status } }"
            ),
            {},
        ),
        (
            (
                "mutation ($i: LeadInput!) { upsertLead(input: $i, dryRun: true) "
                "{ status errors { message } results { outcome } contact { outcome } } }"
            ),
            {"i": {"externalId": "L-2", "name": "A lead", "contact": ADA}},
        ),
        (
            (
                "mutation ($i: [ContactInput!]!) { upsertContacts(inputs: $i, dryRun: true) "
                "{ requestId errors { field } } }"
            ),
            {"i": [ADA]},
        ),
        (
            (
                "query ($e: String!) { contact(by: {email: $e}) "
                "{ email records { backend raw customFields { name values } } differences { field } } }"
            ),
            {"e": "nobody@example.com"},
        ),
        ("{ ivvy: groups(backend: IVVY) { id name } contactPaths { name kind } }", {}),
        ("{ companies(first: 2) { edges { node { name } } pageInfo { endCursor } } }", {}),
        ("{ backends { backend health latencyMs } __typename }", {}),
    ],
)
async def test_what_callers_send_most_is_prepared_as_a_whole(
    gateway: Gateway, runs: list[list[str]], query: str, variables: dict[str, Any]
) -> None:
    await gateway.data(query, **variables)
    assert runs == [[]]


async def test_only_fields_with_resolvers_of_their_own_are_left(
    gateway: Gateway, runs: list[list[str]]
) -> None:
    answer = await gateway.data(
        "mutation ($i: ContactInput!) { upsertContact(input: $i, dryRun: true) "
        "{ status contact { email } results { outcome } operation { id } } }",
        i=ADA,
    )
    assert runs == [["contact", "operation"]]
    assert list(answer["upsertContact"]) == ["status", "contact", "results", "operation"]


async def test_fields_that_need_a_scope_of_their_own_are_left(
    gateway: Gateway, runs: list[list[str]]
) -> None:
    await gateway.data(UPSERT_CONTACT, input=ADA, dryRun=True)
    assert runs == [["results"]]


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ __schema { queryType { name } } }", {}),
        ("query ($b: Backend!) { groups(backend: $b) { id } }", {"b": "NO_BACKEND"}),
        ("query ($b: Backend!) { groups(backend: $b) { id } }", {}),
        (
            (
                "query ($n: Int!) { operations { edges { node { items(first: $n) "
                "{ pageInfo { endCursor } } } } } }"
            ),
            {"n": "x"},
        ),
        ("query ($s: Boolean = true) { backends @skip(if: $s) { health } }", {"s": None}),
    ],
)
async def test_what_may_be_refused_is_left_to_graphql_core(
    gateway: Gateway, runs: list[list[str]], query: str, variables: dict[str, Any]
) -> None:
    await gateway.ask(query, **variables)
    assert runs == []


async def test_the_setting_leaves_all_to_graphql_core(
    gateway: Gateway, runs: list[list[str]]
) -> None:
    gateway.app.state.account.settings.prepared_operations = False
    await gateway.data("{ backends { health } }")
    assert runs == []


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (UPSERT_CONTACT.replace(" body", ""), {"input": ADA}),
        ("query ($e: String!) { contact(by: {email: $e}) { email } }", {"e": "a@example.com"}),
    ],
    ids=["write", "read"],
)
async def test_what_a_request_has_made_goes_with_it(
    gateway: Gateway, query: str, variables: dict[str, Any]
) -> None:
    """Left to the garbage collector it would stay for hundreds of requests, and be looked through."""
    gc.collect()
    gc.disable()
    try:
        before = requests_made()
        await gateway.data(query, **variables)
        known = {id(one) for one in before}
        assert [one for one in requests_made() if id(one) not in known] == []
    finally:
        gc.enable()


def requests_made() -> list[object]:
    """What requests have made and nobody has let go of; other tests may hold some of theirs."""
    kinds = (Context, ContactInput, TimeLimit, Loaders)  # the last of names that are read anew
    return [one for one in gc.get_objects() if type(one) in kinds]
