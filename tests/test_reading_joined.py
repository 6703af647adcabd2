"""What reads cost: the calls that the sandbox has recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.harness import running

if TYPE_CHECKING:
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

EXTERNAL_IDS = [f"E-{number}" for number in range(1001, 1021)]
ORGANIZATION = "1000000000000001"


def aliased(key: str, values: list[str], fields: str = "externalId records { backend }") -> str:
    """One query of many contacts."""
    lines = [
        f'c{place}: contact(by: {{{key}: "{value}"}}) {{ {fields} }}'
        for place, value in enumerate(values)
    ]
    return "{" + "\n".join(lines) + "}"


def looked_up(gateway: Gateway, backend: str) -> list[dict[str, Any]]:
    """The calls that asked a backend for contacts, its lists left out."""
    calls = gateway.calls(backend)
    if backend == "everbridge":
        return [call for call in calls if call["path"].startswith("/contacts/")]
    if backend == "sendgrid":
        return [call for call in calls if "/contacts/" in call["path"]]
    return [call for call in calls if call["query"]["action"].startswith("getContact")]


async def test_twenty_aliased_reads_are_one_call_to_everbridge_and_one_to_sendgrid(
    gateway: Gateway,
) -> None:
    for email in range(1005, 1021):  # iVvy holds all twenty, so that SendGrid is asked for them all
        given = {
            "externalId": f"E-{email}",
            "email": f"n{email}@example.com",
            "firstName": "No",
            "lastName": "One",
        }
        await gateway.upsert(given, targets=["IVVY"])
    gateway.sandbox.calls.clear()
    data = await gateway.data(aliased("externalId", EXTERNAL_IDS))
    assert [contact["externalId"] for contact in data.values()] == EXTERNAL_IDS
    [search] = looked_up(gateway, "everbridge")
    assert search["query"]["externalIds"] == EXTERNAL_IDS
    [identifiers] = looked_up(gateway, "sendgrid")
    assert identifiers["path"] == "/v3/marketing/contacts/search/identifiers/email"
    assert len(identifiers["body"]["identifiers"]) == 20
    actions = [call["query"]["action"] for call in looked_up(gateway, "ivvy")]
    assert actions.count("getContact") == 19, "each one that it holds, singly"
    assert actions.count("getContactList") == 21, "E-1003 also by the e-mail that Everbridge told"


async def test_where_sendgrid_goes_by_external_id_it_is_one_call_and_one_for_what_it_lacks(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    async with running(sandbox, clock, sendgrid_identifier="external_id") as gateway:
        await gateway.data(aliased("externalId", EXTERNAL_IDS))
        assert [call["path"].rpartition("/")[2] for call in looked_up(gateway, "sendgrid")] == [
            *("external_id", "email")
        ]


async def test_the_same_contact_asked_for_twice_is_read_once(gateway: Gateway) -> None:
    await gateway.data(aliased("everbridgeId", ["1300000000000001"] * 5))
    assert len(looked_up(gateway, "everbridge")) == 1
    assert len(looked_up(gateway, "ivvy")) == 2
    assert len(looked_up(gateway, "sendgrid")) == 1


async def test_different_keys_in_one_request_share_the_second_round(gateway: Gateway) -> None:
    query = """{
      a: contact(by: {externalId: "E-1001"}) { records { backend } }
      b: contact(by: {ivvyId: "40002"}) { records { backend } }
      c: contact(by: {email: "mary@example.com"}) { records { backend } }
    }"""
    data = await gateway.data(query)
    assert [len(contact["records"]) for contact in data.values()] == [3, 2, 2]
    assert len(looked_up(gateway, "everbridge")) == 2, (
        "E-1001 at first, then the two that iVvy told"
    )
    assert len(looked_up(gateway, "sendgrid")) == 2


async def test_a_failing_backend_is_not_asked_again_for_each_contact(gateway: Gateway) -> None:
    gateway.sandbox.faults.add(
        {"backend": "everbridge", "times": 50, "status": 503, "headers": {"Retry-After": "60"}}
    )
    data = await gateway.data(aliased("externalId", EXTERNAL_IDS, "errors { backend }"))
    assert len(looked_up(gateway, "everbridge")) == 1
    assert {"backend": "EVERBRIDGE"} in data["c0"]["errors"]


async def test_lists_of_names_are_read_once_however_many_records_there_are(
    gateway: Gateway,
) -> None:
    await gateway.data(aliased("externalId", EXTERNAL_IDS))
    await gateway.data(aliased("externalId", EXTERNAL_IDS))
    paths = [call["path"] for call in gateway.calls("everbridge")]
    assert paths.count(f"/recordTypes/{ORGANIZATION}") == 1
    assert paths.count(f"/contactPaths/{ORGANIZATION}") == 1


async def test_more_than_a_hundred_contacts_are_asked_for_a_hundred_at_a_time(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    from gateway.backends.adapter import KeyKind
    from gateway.model import Backend
    from tests.plain_backend import within

    async with running(sandbox, clock) as gateway:
        everbridge = gateway.app.state.account.adapters[Backend.EVERBRIDGE]
        values = [f"E-{number}" for number in range(1001, 1251)]
        found = await everbridge.look_up(KeyKind.EXTERNAL_ID, values, within())
        assert [value for value, rows in found.items() if rows] == ["E-1001", "E-1002", "E-1003"]
        assert len(looked_up(gateway, "everbridge")) == 3
        gateway.sandbox.calls.clear()
        long = [f"{'ä' * 40}{number}" for number in range(60)]
        await everbridge.look_up(KeyKind.EXTERNAL_ID, long, within())
        sent = looked_up(gateway, "everbridge")
        assert sum(len(call["query"]["externalIds"]) for call in sent) == 60
        assert len(sent) == 3, "an address has only so much room"


async def test_what_a_write_reads_back_is_read_after_it_and_only_when_selected(
    gateway: Gateway,
) -> None:
    given = {"externalId": "E-1001", "lastName": "Lovelace"}
    await gateway.upsert(given, targets=["IVVY"])
    before = len(gateway.recorded())
    await gateway.upsert(given, targets=["IVVY"])
    unselected = len(gateway.recorded()) - before
    query = """mutation ($input: ContactInput!) {
      first: upsertContact(input: $input) { contact { lastName records { backend lastName } } }
      second: upsertContact(input: {externalId: "E-1001", lastName: "King"}, targets: [IVVY]) {
        results { outcome } contact { lastName differences { field } }
      }
    }"""
    data = await gateway.data(query, input=given)
    assert unselected == 1, "the look-up of the write, and nothing more"
    assert data["first"]["contact"]["lastName"] == "Lovelace"
    held = {row["backend"]: row["lastName"] for row in data["first"]["contact"]["records"]}
    assert held == {"IVVY": "Lovelace", "EVERBRIDGE": "Lovelace", "SENDGRID": "Byron"}, "it lags"
    assert data["second"]["contact"]["lastName"] == "King", "not what was read before"
    assert {"field": "lastName"} in data["second"]["contact"]["differences"]


async def test_a_new_contact_is_read_back_by_the_ids_that_it_got(gateway: Gateway) -> None:
    query = """mutation ($input: ContactInput!, $targets: [Backend!]) {
      upsertContact(input: $input, targets: $targets) {
        results { id } contact { records { id backend } errors { code } }
      }
    }"""
    given = {
        "externalId": "E-6001",
        "email": "new@example.com",
        "firstName": "New",
        "lastName": "One",
        "recordTypeName": "Employee",
    }
    payload = (await gateway.data(query, input=given))["upsertContact"]
    ids = [result["id"] for result in payload["results"] if result["id"]]
    assert [record["id"] for record in payload["contact"]["records"]] == ids
    nobody = {"externalId": "E-6002", "firstName": "No", "lastName": "Body"}
    payload = (await gateway.data(query, input=nobody, targets=["IVVY"]))["upsertContact"]
    assert payload["contact"] is None, "the write was rejected, and nobody holds it"
    payload = (await gateway.data(query, input={"lastName": "X"}))["upsertContact"]
    assert payload["contact"] is None, "nothing tells which contact it is"


async def test_a_write_tells_of_backends_that_could_not_be_read_back(gateway: Gateway) -> None:
    gateway.sandbox.faults.add(
        {"backend": "everbridge", "times": 90, "status": 503, "headers": {"Retry-After": "60"}}
    )
    query = """mutation {
      upsertContact(input: {everbridge: {id: "1300000000000001"}, suffix: "PhD"},
                    targets: [EVERBRIDGE]) { status contact { records { id } errors { backend } } }
    }"""
    payload = (await gateway.data(query))["upsertContact"]
    assert payload["status"] == "FAILED"
    assert payload["contact"]["records"] == []
    assert [error["backend"] for error in payload["contact"]["errors"]] == [
        *("IVVY", "EVERBRIDGE", "SENDGRID")
    ]
