"""What each caller may do, field by field, and whose operations and idempotency keys are whose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import strawberry

from gateway.api.schema import schema
from gateway.api.scopes import NEEDS, guard
from gateway.callers.caller import Scope
from tests.api.callers import asking_for_keys, by_key, called_by, codes, events_of, key_for
from tests.operations.calls import CONTACT
from tests.operations.durable import HEDY, hold_work, let_work
from tests.operations.test_operations_api import FOLLOW

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

LEAD = {"externalId": "L-1", "name": "Fair", "typeName": "Wedding", "stageName": "New"}
LEAD |= {"sourceName": "Website"}
WRITE_LEAD = "mutation ($input: LeadInput!) { upsertLead(input: $input, dryRun: true) { status } }"
LIST = "{ operations { edges { node { id } } } }"
ONE = "query ($id: ID!) { operation(id: $id) { id } }"

ASKING = {
    "Query.contact": '{ contact(by: {externalId: "E-1001"}) { differences { field } } }',
    "Query.lead": '{ lead(by: {externalId: "none"}) { id } }',
    "Query.leadOptions": "{ leadOptions { sources { name } } }",
    "Query.groups": "{ groups(backend: IVVY) { name } }",
    "Query.recordTypes": "{ recordTypes { name } }",
    "Query.contactPaths": "{ contactPaths { id } }",
    "Query.customFields": "{ customFields(backend: IVVY) { name } }",
    "Query.companies": "{ companies { edges { node { name } } } }",
    "Query.importJob": '{ importJob(backend: SENDGRID, id: "none") { id } }',
    "Query.operation": '{ operation(id: "none") { id } }',
    "Query.operations": LIST,
    "Query.backends": "{ backends { backend } }",
    "Mutation.upsertContact": 'mutation { upsertContact(input: {externalId: "E-1001"}) { status } }',
    "Mutation.upsertContacts": "mutation { upsertContacts(inputs: []) { errors { code } } }",
    "Mutation.upsertLead": 'mutation { upsertLead(input: {name: "x"}) { status } }',
    "Mutation.resolveStep": 'mutation { resolveStep(stepId: "1", as: RETRY) { errors { code } } }',
}


@pytest.fixture(params=[True, False], ids=["prepared", "by graphql-core"])
async def closed(
    request: pytest.FixtureRequest, sandbox: Sandbox, clock: ManualClock
) -> AsyncIterator[Gateway]:
    """A gateway that asks for keys, with either way of running operations."""
    prepared = {"prepared_operations": request.param}
    async with asking_for_keys(sandbox, clock, **prepared) as gateway:
        yield gateway


async def called_with(
    gateway: Gateway, scopes: str, query: str, **variables: Any
) -> dict[str, Any]:
    """The answer to a caller with these scopes."""
    key = await key_for(gateway, f"with {scopes}", *scopes.split())
    gateway.app.state.account.door.ring._read_at = None
    return await called_by(gateway, by_key(key), query, **variables)


async def test_each_root_field_is_kept_to_its_scopes(closed: Gateway) -> None:
    assert ASKING.keys() == {name for name in NEEDS if name.startswith(("Query", "Mutation"))}
    for name, query in ASKING.items():
        needed = NEEDS[name].one_of
        answer = await called_with(closed, " ".join(set(Scope) - {Scope.ADMIN, *needed}), query)
        field = name.partition(".")[2]
        if not needed:
            assert "MISSING_SCOPE" not in codes(answer), name
            continue
        assert answer.get("data") == {field: None}, (name, answer)
        [error] = answer["errors"]
        assert error["path"] == [field]
        assert error["extensions"] == {"code": "MISSING_SCOPE", "scopes": list(needed)}
        assert f"{field} needs the scope {' or '.join(needed)}" in error["message"]
        for scope in {*needed, Scope.ADMIN}:
            assert "MISSING_SCOPE" not in codes(await called_with(closed, scope, query)), name
    assert not closed.calls("ivvy", writes=True)


async def test_what_one_may_see_is_answered_beside_what_one_may_not(closed: Gateway) -> None:
    query = "{ groups(backend: IVVY) { name } leadOptions { sources { name } } }"
    answer = await called_with(closed, "contacts:read", query)
    assert answer["data"]["groups"]
    assert answer["data"]["leadOptions"] is None
    assert [error["path"] for error in answer["errors"]] == [["leadOptions"]]


@pytest.mark.parametrize("part", ["contact", "company"])
async def test_a_lead_with_a_contact_or_a_company_needs_contacts_write_too(
    closed: Gateway, part: str
) -> None:
    inner = {"contact": {"externalId": "E-1004"}, "company": {"name": "Harbour Hotels"}}[part]
    lead = {**LEAD, part: inner}
    answer = await called_with(closed, "leads:write", WRITE_LEAD, input=lead)
    assert answer["errors"][0]["extensions"]["scopes"] == ["contacts:write"]
    for allowed in ({**LEAD, part: None}, LEAD):
        assert not codes(await called_with(closed, "leads:write", WRITE_LEAD, input=allowed))
    both = await called_with(closed, "leads:write contacts:write", WRITE_LEAD, input=lead)
    assert not codes(both)


READ_CONTACT = """mutation {
  upsertContact(input: {externalId: "E-1001"}, dryRun: true) { contact { differences { field } } }
}"""
READ_LEAD = 'mutation { upsertLead(input: {name: "x"}, dryRun: true) { lead { id } } }'


@pytest.mark.parametrize(
    ("scopes", "query", "path"),
    [
        ("contacts:write", READ_CONTACT, ["upsertContact", "contact"]),
        ("leads:write", READ_LEAD, ["upsertLead", "lead"]),
    ],
)
async def test_what_a_payload_reads_needs_the_scope_to_read(
    closed: Gateway, scopes: str, query: str, path: list[str]
) -> None:
    [error] = (await called_with(closed, scopes, query))["errors"]
    assert (error["path"], error["extensions"]["code"]) == (path, "MISSING_SCOPE")
    readable = f"{scopes} {scopes.replace('write', 'read')}"
    assert not codes(await called_with(closed, readable, query))


async def test_the_contact_of_a_lead_needs_contacts_read(closed: Gateway) -> None:
    query = '{ lead(by: {ivvyId: "9001"}) { id contact { differences { field } } } }'
    answer = await called_with(closed, "leads:read", query)
    assert answer["data"]["lead"] == {"id": "9001", "contact": None}
    assert answer["errors"][0]["extensions"]["scopes"] == ["contacts:read"]
    assert not codes(await called_with(closed, "leads:read contacts:read", query))


@pytest.mark.parametrize(
    ("scopes", "query"),
    [
        ("leads:read", '{ lead(by: {ivvyId: "9001"}) { raw } }'),
        (
            "leads:read leads:write",
            'mutation { upsertLead(input: {ivvy: {id: "9001"}, name: "Fair"}) { lead { raw } } }',
        ),
    ],
)
async def test_of_the_contact_in_a_leads_raw_record_the_id_alone_is_shown_without_contacts_read(
    closed: Gateway, scopes: str, query: str
) -> None:
    answer = await called_with(closed, scopes, query)
    raw = _raw_of(answer)
    assert raw["contact"] == {"id": 40001}
    assert (raw["id"], raw["ownerUser"]["id"]) == (9001, 801)
    assert "ada" not in str(answer).lower()
    raw = _raw_of(await called_with(closed, f"{scopes} contacts:read", query))
    assert raw["contact"]["email"] == "ada@example.com"


def _raw_of(answer: dict[str, Any]) -> dict[str, Any]:
    assert not codes(answer), answer
    [found] = answer["data"].values()
    raw: dict[str, Any] = found.get("lead", found)["raw"]
    return raw


async def test_what_a_backend_has_stored_is_not_read_through_a_call_that_writes(
    closed: Gateway,
) -> None:
    query = """mutation { upsertContact(input: {externalId: "E-1001", lastName: "King"},
      targets: [EVERBRIDGE], dryRun: true) { results { outcome calls { method body } } } }"""
    answer = await called_with(closed, "contacts:write", query)
    [result] = answer["data"]["upsertContact"]["results"]
    assert result == {"outcome": "PLANNED", "calls": [{"method": "PUT", "body": None}]}
    assert answer["errors"][0]["extensions"]["scopes"] == ["contacts:read"]
    answer = await called_with(closed, "contacts:write contacts:read", query)
    [result] = answer["data"]["upsertContact"]["results"]
    assert result["calls"][0]["body"]["firstName"] == "Ada"


@pytest.mark.parametrize(
    ("given", "code", "stored"),
    [
        ({"externalId": "E-1001", "email": "made-up@example.com"}, "INVALID", "ada@example.com"),
        (
            {
                "externalId": "E-1001",
                "email": "made-up@example.com",
                "sendgrid": {"emailChange": "CREATE_NEW"},
            },
            "CONFLICT",
            "ada@example.com",
        ),
        ({"externalId": "E-7", "email": "ada@example.com", "lastName": "L"}, "CONFLICT", "E-1001"),
    ],
)
async def test_what_a_backend_has_stored_is_not_read_through_messages(
    closed: Gateway, given: dict[str, Any], code: str, stored: str
) -> None:
    query = """mutation ($input: ContactInput!) { upsertContact(input: $input, dryRun: true) {
      errors { code message } results { errors { code message } warnings { code message } }
    } }"""
    answer = await called_with(closed, "contacts:write", query, input=given)
    assert code in str(answer["data"])
    assert stored not in str(answer)


async def test_errors_url_is_for_admins(closed: Gateway) -> None:
    write = (
        'mutation { upsertContact(input: {email: "hedy@example.com"}, targets: [SENDGRID])'
        " { results { jobs { id } } } }"
    )
    written = await called_with(closed, "contacts:write", write)
    [result] = written["data"]["upsertContact"]["results"]
    query = "query ($id: ID!) { importJob(backend: SENDGRID, id: $id) { status errorsUrl } }"
    job_id = result["jobs"][0]["id"]
    answer = await called_with(closed, "contacts:read", query, id=job_id)
    assert answer["data"]["importJob"]["status"]
    assert answer["data"]["importJob"]["errorsUrl"] is None
    assert answer["errors"][0]["extensions"]["scopes"] == ["admin"]
    assert not codes(await called_with(closed, "admin", query, id=job_id))


async def test_an_operation_is_seen_by_its_caller_and_by_admins(closed: Gateway) -> None:
    hold_work(closed)
    mine, other, admin = [
        by_key(await key_for(closed, name, *scopes))
        for name, *scopes in (
            ("mine", "contacts:write"),
            ("other", "contacts:write", "contacts:read"),
            ("ops", "admin"),
        )
    ]
    again = by_key(await key_for(closed, "mine", "contacts:read"))  # another key of the same caller
    stored = await called_by(closed, mine, CONTACT, input=HEDY, delivery="DURABLE")
    operation = {"id": stored["data"]["upsertContact"]["operation"]["id"]}
    for caller, sees in ((mine, True), (again, True), (admin, True), (other, False)):
        listed = (await called_by(closed, caller, LIST))["data"]["operations"]["edges"]
        assert listed == ([{"node": operation}] if sees else [])
        found = await called_by(closed, caller, ONE, **operation)
        assert found["data"]["operation"] == (operation if sees else None)
        followed = await closed.http.post(
            "/graphql",
            json={"query": FOLLOW, "variables": {"id": "none" if sees else operation["id"]}},
            headers={**caller, "Accept": "text/event-stream"},
        )
        [event] = events_of(followed.text)
        assert "There is no operation" in event
    await let_work(closed)


async def test_an_idempotency_key_is_its_callers_own(closed: Gateway) -> None:
    query = """mutation ($name: String!) {
      upsertContact(input: {externalId: "E-1001", lastName: $name}, targets: [IVVY],
                    idempotencyKey: "k-1") { status replayed errors { code } }
    }"""
    one, other = [by_key(await key_for(closed, name, "contacts:write")) for name in "ab"]
    first = await called_by(closed, one, query, name="One")
    assert first["data"]["upsertContact"]["status"] == "APPLIED"
    others = await called_by(closed, other, query, name="Two")
    assert others["data"]["upsertContact"] == {"status": "APPLIED", "replayed": False, "errors": []}
    again = await called_by(closed, one, query, name="One")
    assert again["data"]["upsertContact"]["replayed"]


def test_every_need_is_one_of_the_schemas_fields() -> None:
    types = schema._schema.type_map
    known = {
        f"{name}.{field}" for name, kind in types.items() for field in getattr(kind, "fields", {})
    }
    assert NEEDS.keys() <= known


def test_a_root_field_without_a_need_keeps_the_gateway_from_starting() -> None:
    @strawberry.type
    class Query:
        new_field: str

    with pytest.raises(ValueError, match=r"Query\.newField"):
        guard([Query])
