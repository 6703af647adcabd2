"""Twilio's own Python library against the simulator, over a real socket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from python_http_client.exceptions import BadRequestsError, NotFoundError, UnauthorizedError
from sendgrid import SendGridAPIClient
from starlette.applications import Starlette
from starlette.routing import Mount

from gateway.sandbox.clock import ManualClock
from gateway.sandbox.sendgrid import API_KEY, SendGrid

if TYPE_CHECKING:
    from tests.sandbox.conftest import Serve


class Vendor:
    """The vendor's client, and the clock of what it talks to."""

    def __init__(self, host: str, clock: ManualClock, key: str = API_KEY) -> None:
        self.clock = clock
        self.host = host
        self.marketing: Any = SendGridAPIClient(key, host=host).client.marketing


@pytest.fixture
def vendor(serve: Serve) -> Vendor:
    clock = ManualClock()
    app = Starlette(routes=[Mount("/sendgrid", app=SendGrid(clock).app)])
    return Vendor(serve(app) + "/sendgrid", clock)


def read(answer: Any) -> Any:
    return json.loads(answer.body)


def test_upsert_its_job_and_the_search(vendor: Vendor) -> None:
    lists = read(vendor.marketing.lists.get())["result"]
    vip = next(one["id"] for one in lists if one["name"] == "VIP")
    fields = read(vendor.marketing.field_definitions.get())["custom_fields"]
    shift = next(one["id"] for one in fields if one["name"] == "shift")
    contact = {"email": "New@example.com", "first_name": "New", "custom_fields": {shift: "Day"}}
    answer = vendor.marketing.contacts.put(request_body={"list_ids": [vip], "contacts": [contact]})
    assert answer.status_code == 202
    imports = vendor.marketing.contacts.imports._(read(answer)["job_id"])
    assert read(imports.get())["status"] == "pending"
    vendor.clock.advance(50)
    assert read(imports.get())["status"] == "completed"
    query = {"query": f"email = 'new@example.com' AND CONTAINS(list_ids, '{vip}')"}
    found = read(vendor.marketing.contacts.search.post(request_body=query))
    assert found["contact_count"] == 1
    assert found["result"][0]["custom_fields"] == {"shift": "Day"}


def test_lists_are_made_changed_and_deleted(vendor: Vendor) -> None:
    made = vendor.marketing.lists.post(request_body={"name": "From the library"})
    assert made.status_code == 201
    one = vendor.marketing.lists._(read(made)["id"])
    assert read(one.patch(request_body={"name": "Renamed"}))["name"] == "Renamed"
    assert one.delete().status_code == 204
    with pytest.raises(NotFoundError):
        one.get()


def test_pages_of_lists_lead_back_to_the_simulator(vendor: Vendor) -> None:
    page = read(vendor.marketing.lists.get(query_params={"page_size": 100}))
    prefix = f"{vendor.host}/v3/marketing/lists?"
    assert page["_metadata"]["next"].startswith(prefix)
    token = page["_metadata"]["next"].rpartition("page_token=")[2]
    rest = read(vendor.marketing.lists.get(query_params={"page_size": 100, "page_token": token}))
    assert len(page["result"]) + len(rest["result"]) == 134


def test_field_definitions_are_made_and_deleted(vendor: Vendor) -> None:
    body = {"name": "from_the_library", "field_type": "Number"}
    made = vendor.marketing.field_definitions.post(request_body=body)
    assert made.status_code == 200
    one = vendor.marketing.field_definitions._(read(made)["id"])
    assert one.delete().status_code == 204


def test_search_by_emails_and_by_identifier(vendor: Vendor) -> None:
    search = vendor.marketing.contacts.search
    by_email = read(search.emails.post(request_body={"emails": ["ada@example.com"]}))
    assert by_email["result"]["ada@example.com"]["contact"]["first_name"] == "Ada"
    body = {"identifiers": ["E-3001"]}
    by_identifier = read(search.identifiers.external_id.post(request_body=body))
    assert by_identifier["result"]["E-3001"]["contact"]["last_name"] == "Otto"
    with pytest.raises(NotFoundError):
        search.emails.post(request_body={"emails": ["nobody@example.com"]})


def test_refusals_are_the_librarys_own_errors(vendor: Vendor) -> None:
    with pytest.raises(BadRequestsError) as refused:
        vendor.marketing.contacts.put(request_body={"contacts": [{"email": "bad"}]})
    assert refused.value.to_dict["errors"][0]["field"] == "contacts[0].identifier"
    with pytest.raises(UnauthorizedError):
        Vendor(vendor.host, vendor.clock, "SG.wrong.key").marketing.lists.get()


def test_identifier_is_deleted_with_a_body(vendor: Vendor) -> None:
    body = {"emails": ["lise@example.org"]}
    found = read(vendor.marketing.contacts.search.emails.post(request_body=body))
    contact_id = found["result"]["lise@example.org"]["contact"]["id"]
    asked = {"identifier_type": "EXTERNALID", "identifier_value": "E-3001"}
    answer = vendor.marketing.contacts._(contact_id).identifiers.delete(request_body=asked)
    assert answer.status_code == 202
