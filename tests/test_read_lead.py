"""Leads read: by both keys, with what they point to, and the names that their fields take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.entries import CatalogName
from gateway.model import Backend
from gateway.store.errors import StoreUnavailableError
from tests.leads import ADA, HARBOUR, OF_ADA, OF_HARBOUR, change_lead, upsert_lead

if TYPE_CHECKING:
    from tests.harness import Gateway

pytestmark = pytest.mark.usefixtures("no_waiting")

LEAD = """
query ($by: LeadKey!) {
  lead(by: $by) {
    id externalId backend name description typeName subtypeName stageName stageReasonName sourceName
    industryName qualityName channelName owner { id name email } company { id name }
    contact { externalId email records { backend id } } raw
  }
}
"""


async def test_a_lead_is_read_with_names_for_its_ids(gateway: Gateway) -> None:
    lead = (await gateway.data(LEAD, by={"ivvyId": "9001"}))["lead"]
    raw = lead.pop("raw")
    assert raw["id"] == 9001
    assert lead == {
        "id": "9001",
        "externalId": None,
        "backend": "IVVY",
        "name": "Summer conference",
        "description": "Eighty people, one day",
        "typeName": "Conference",
        "subtypeName": "One day",
        "stageName": "New",
        "stageReasonName": None,
        "sourceName": "Website",
        "industryName": None,
        "qualityName": "Hot",
        "channelName": None,
        "owner": {"id": "801", "name": "Sam Seller", "email": "sam.seller@example.com"},
        "company": None,
        "contact": lead["contact"],
    }
    assert lead["contact"]["externalId"] == "E-1001"
    records = {record["backend"]: record["id"] for record in lead["contact"]["records"]}
    assert records["IVVY"] == str(ADA)
    assert set(records) == {"IVVY", "EVERBRIDGE", "SENDGRID"}


async def test_a_lead_of_a_company_is_read_with_both(gateway: Gateway) -> None:
    await upsert_lead(gateway, {"externalId": "L-9", "ivvy": {"id": "9002"}})
    lead = (await gateway.data(LEAD, by={"externalId": "L-9"}))["lead"]
    assert (lead["id"], lead["externalId"]) == ("9002", "L-9")
    assert lead["company"] == {"id": str(HARBOUR), "name": "Harbour Hotels"}
    assert lead["contact"]["email"] == "mary@example.com"
    assert (lead["owner"], lead["subtypeName"]) == (None, None)
    by_id = (await gateway.data(LEAD, by={"ivvyId": " 9002 "}))["lead"]
    assert by_id == lead


async def test_what_is_read_can_be_written_again(gateway: Gateway) -> None:
    made = await upsert_lead(gateway, OF_HARBOUR | {"externalId": "L-1", "qualityName": "Hot"})
    lead = (await gateway.data(LEAD, by={"ivvyId": made.result["id"]}))["lead"]
    names = ("name", "typeName", "subtypeName", "stageName", "sourceName", "qualityName")
    again = {name: lead[name] for name in names} | {
        "externalId": lead["externalId"],
        "contact": {"externalId": lead["contact"]["externalId"]},
        "company": {"name": lead["company"]["name"]},
    }
    assert (await upsert_lead(gateway, again, mode="REPLACE")).outcome == "UNCHANGED"


async def test_the_owner_and_what_else_has_left_its_list_can_be_written_again(
    gateway: Gateway,
) -> None:
    given = OF_ADA | {"ownerName": "ina@example.com", "qualityName": "Hot", "channelName": "Phone"}
    made = await upsert_lead(gateway, given | {"externalId": "L-1"})
    state = gateway.sandbox.ivvy.dump()
    tables = state["tables"]
    next(user for user in tables["users"] if user["id"] == 802)["currentStatus"] = 2
    gateway.sandbox.ivvy.load(state)
    gateway.sandbox.faults.add(
        {"backend": "ivvy", "path": "/api/1.0/crm?action=getLeadChannelList", "times": 9,
         "status": 200, "body": {"meta": {"totalResults": 0}, "results": []}}
    )  # fmt: skip
    catalogs = gateway.app.state.account.adapters[Backend.IVVY].catalogs
    for name in (CatalogName.OWNERS, CatalogName.LEAD_CHANNELS):
        catalogs.expire(name)
    lead = (await gateway.data(LEAD, by={"externalId": "L-1"}))["lead"]
    assert (lead["owner"]["email"], lead["channelName"]) == ("ina@example.com", "Phone")
    again = {"externalId": "L-1", "description": "Echoed", "channelName": lead["channelName"]}
    for owner in (lead["owner"]["email"], lead["owner"]["name"].upper()):
        answer = await upsert_lead(gateway, again | {"ownerName": owner})
        assert answer.errors == []
    answer = await upsert_lead(gateway, {"externalId": "L-1", "ownerName": "otto@example.com"})
    assert [error["code"] for error in answer.errors] == ["NAME_NOT_FOUND"]
    [stored] = [row for row in gateway.sandbox.ivvy.dump()["tables"]["leads"]
                if str(row["id"]) == made.result["id"]]  # fmt: skip
    assert (stored["ownerUserId"], stored["channelId"], stored["description"]) == (
        802,
        52,
        "Echoed",
    )


async def test_a_lead_that_is_not_there_is_null(gateway: Gateway) -> None:
    for by in ({"ivvyId": "77777"}, {"externalId": "nobody"}):
        assert (await gateway.data(LEAD, by=by))["lead"] is None


async def test_only_what_is_selected_is_read(gateway: Gateway) -> None:
    await gateway.data('{ lead(by: {ivvyId: "9001"}) { id typeName owner { name } } }')
    assert [call["query"]["action"] for call in gateway.calls("ivvy")] == ["getLeadList"]
    assert gateway.calls("everbridge") == []


async def test_a_lead_without_a_contact_has_none(gateway: Gateway) -> None:
    change_lead(gateway, 9001, contactId=None, typeId=None, subtypeId=999, ownerUserId=None)
    lead = (await gateway.data(LEAD, by={"ivvyId": "9001"}))["lead"]
    assert (lead["contact"], lead["typeName"], lead["subtypeName"]) == (None, None, None)


async def test_wrong_keys_of_a_lead_are_errors(gateway: Gateway) -> None:
    answer = await gateway.ask(LEAD, by={"ivvyId": "x"})
    assert answer["errors"][0]["extensions"]["code"] == "INVALID"
    answer = await gateway.ask(LEAD, by={"ivvyId": "1", "externalId": "2"})
    assert "errors" in answer
    for by in ({"externalId": ""}, {"externalId": " "}, {"ivvyId": " "}):
        answer = await gateway.ask(LEAD, by=by)
        [error] = answer["errors"]
        assert error["extensions"]["code"] == "INVALID"
        assert error["message"] == f"{next(iter(by))} is empty: give the key of the lead."
    answer = await gateway.ask(LEAD, by={"externalId": "L\x001"})
    assert answer["errors"][0]["extensions"]["code"] == "INVALID"


async def test_a_filter_that_ivvy_ignores_never_gives_another_lead(gateway: Gateway) -> None:
    gateway.sandbox.ivvy.switches["ignore_filters"] = True
    answer = await gateway.ask(LEAD, by={"ivvyId": "9002"})
    assert answer["data"]["lead"] is None
    assert answer["errors"][0]["extensions"]["code"] == "BACKEND_ERROR"


async def test_a_contact_that_nobody_can_read_is_an_error_of_its_own(gateway: Gateway) -> None:
    for name in ("getContact", "getContactList"):
        path = f"/api/1.0/contact?action={name}"
        gateway.sandbox.faults.add({"backend": "ivvy", "path": path, "times": 50, "status": 500})
    query = "{ lead(by: {ivvyId: %s}) { name contact { email } } }"
    for lead_id in ('"9001"', '"9002"'):
        answer = await gateway.ask(query % lead_id)
        assert answer["data"]["lead"]["contact"] is None
        assert answer["data"]["lead"]["name"]
        assert answer["errors"][0]["path"] == ["lead", "contact"]


async def test_the_written_lead_is_read_anew_and_only_when_selected(gateway: Gateway) -> None:
    query = """mutation ($input: LeadInput!) { upsertLead(input: $input) {
      status lead { id externalId name stageName contact { lastName } } } }"""
    person = {"externalId": "E-1001", "lastName": "King"}
    lead = OF_ADA | {"externalId": "L-1", "contact": person}
    answer = (await gateway.data(query, input=lead))["upsertLead"]
    assert answer["lead"].pop("id")
    assert answer["lead"] == {
        "externalId": "L-1",
        "name": "Autumn offsite",
        "stageName": "New",
        "contact": {"lastName": "King"},
    }
    refused = (await gateway.data(query, input={"name": "X"}))["upsertLead"]
    assert (refused["status"], refused["lead"]) == ("REJECTED", None)


async def test_the_contact_that_a_lead_was_written_with_may_be_unreadable(
    gateway: Gateway,
) -> None:
    path = "/api/1.0/contact?action=getContact"
    gateway.sandbox.faults.add({"backend": "ivvy", "path": path, "times": 50, "status": 500})
    query = """mutation ($input: LeadInput!) { upsertLead(input: $input) {
      status lead { id contact { lastName } } } }"""
    answer = await gateway.ask(query, input=OF_ADA)
    assert answer["data"]["upsertLead"]["status"] == "APPLIED"
    assert answer["data"]["upsertLead"]["lead"]["contact"] is None
    assert answer["errors"][0]["path"] == ["upsertLead", "lead", "contact"]


async def test_an_external_id_that_the_store_cannot_tell_is_an_error(gateway: Gateway) -> None:
    links = gateway.app.state.account.links
    whole, links.table = links.table, Unreachable()
    answer = await gateway.ask(LEAD, by={"externalId": "L-1"})
    assert answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    query = """mutation { upsertLead(input: {ivvy: {id: "9001"}}) { status lead { id } } }"""
    answer = await gateway.ask(query)
    assert answer["data"]["upsertLead"] == {"status": "APPLIED", "lead": None}
    links.table = whole
    assert (await gateway.data(LEAD, by={"externalId": "L-1"}))["lead"] is None


class Unreachable:
    """A link table whose database is gone."""

    async def read_link(self, *_given: Any) -> Any:
        raise StoreUnavailableError("gone")

    read_link_of_lead = read_link


async def test_options_show_every_list_with_types_stages_and_owners(gateway: Gateway) -> None:
    query = """{ leadOptions {
      types { id name subtypes { id name } } stages { id name reasons { name } }
      sources { name } industries { name } qualities { name } channels { name }
      owners { id name email } } }"""
    options = (await gateway.data(query))["leadOptions"]
    assert options["types"] == [
        {
            "id": "11",
            "name": "Conference",
            "subtypes": [{"id": "111", "name": "One day"}, {"id": "112", "name": "Residential"}],
        },
        {"id": "12", "name": "Wedding", "subtypes": []},
    ]
    assert [stage["name"] for stage in options["stages"]] == ["New", "Qualified", "Lost"]
    assert options["stages"][2]["reasons"] == [{"name": "Price"}, {"name": "Date taken"}]
    assert [one["name"] for one in options["sources"]] == ["Website", "Phone", "Referral Program"]
    assert [one["name"] for one in options["qualities"]] == ["Hot", "Warm", "Cold"]
    assert [one["name"] for one in options["channels"]] == ["Email", "Phone"]
    assert len(options["industries"]) == 134, "all pages"
    owners = {owner["name"]: owner["email"] for owner in options["owners"]}
    assert owners["Sam Seller"] == "sam.seller@example.com"
    assert "Otto Former" not in owners


async def test_one_list_that_cannot_be_read_leaves_the_others(gateway: Gateway) -> None:
    path = "/api/1.0/crm?action=getLeadTypeList"
    gateway.sandbox.faults.add({"backend": "ivvy", "path": path, "times": 50, "status": 500})
    answer = await gateway.ask("{ leadOptions { types { id } sources { id } } }")
    assert answer["data"]["leadOptions"]["types"] is None
    assert len(answer["data"]["leadOptions"]["sources"]) == 3
    assert answer["errors"][0]["path"] == ["leadOptions", "types"]
    await gateway.data("{ leadOptions { channels { id } } }")
    actions = {call["query"]["action"] for call in gateway.calls("ivvy")}
    assert actions == {"getLeadTypeList", "getLeadSourceList", "getLeadChannelList"}


async def test_custom_fields_of_companies_and_leads_are_listed(gateway: Gateway) -> None:
    query = """query ($entity: Entity!) { customFields(backend: IVVY, entity: $entity) {
      id name type writable options { label } } }"""
    fields = (await gateway.data(query, entity="LEAD"))["customFields"]
    assert [(one["id"], one["name"], one["type"]) for one in fields] == [
        ("701", "Delegates", "NUMBER"),
        ("702", "Budget note", "TEXT"),
        ("703", "Season", "CHOICE"),
    ]
    fields = (await gateway.data(query, entity="COMPANY"))["customFields"]
    assert fields[0] == {
        "id": "601",
        "name": "Tier",
        "type": "CHOICE",
        "writable": True,
        "options": [{"label": "Gold"}, {"label": "Silver"}],
    }


async def test_without_ivvy_reads_of_leads_say_so(gateway: Gateway) -> None:
    gateway.app.state.account.adapters.clear()
    for query in ('{ lead(by: {ivvyId: "1"}) { id } }', "{ leadOptions { sources { id } } }"):
        answer = await gateway.ask(query)
        assert answer["errors"][0]["extensions"]["code"] == "NOT_CONFIGURED"
