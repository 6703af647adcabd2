"""What becomes of backends that fail while a contact is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import running
from tests.reading import backends, read, refusal

if TYPE_CHECKING:
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock
    from tests.harness import Gateway

ALL = ["IVVY", "EVERBRIDGE", "SENDGRID"]
DOWN = {"times": 90, "status": 503, "headers": {"Retry-After": "60"}}


@pytest.mark.parametrize("backend", ["ivvy", "everbridge", "sendgrid"])
async def test_a_backend_that_fails_stands_in_errors_and_the_others_are_kept(
    gateway: Gateway, backend: str
) -> None:
    gateway.sandbox.faults.add({"backend": backend, **DOWN})
    contact = await read(gateway, externalId="E-1001")
    assert backends(contact) == [name for name in ALL if name != backend.upper()]
    [problem] = contact["errors"]
    assert (problem["backend"], problem["code"]) == (backend.upper(), "UNAVAILABLE")
    assert problem["retryable"] is True


async def test_an_answer_that_cannot_be_read_leaves_the_others_records(gateway: Gateway) -> None:
    odd = {"id": 40001, "externalId": "E-1001", "groups": {"0": {"groupId": 301}}}
    path = "/api/1.0/contact?action=getContact"
    gateway.sandbox.faults.add(
        {"backend": "ivvy", "path": path, "status": 200, "body": odd, "times": 90}
    )
    contact = await read(gateway, externalId="E-1001")
    assert backends(contact) == ["EVERBRIDGE", "SENDGRID"]
    [problem] = contact["errors"]
    assert (problem["backend"], problem["code"]) == ("IVVY", "BACKEND_ERROR")
    assert "answered what it should not" in problem["message"]


async def test_when_no_backend_could_be_asked_it_is_an_error_with_every_reason(
    gateway: Gateway,
) -> None:
    for backend in ("ivvy", "everbridge", "sendgrid"):
        gateway.sandbox.faults.add({"backend": backend, **DOWN})
    error = await refusal(gateway, externalId="E-1001")
    assert error["extensions"]["code"] == "UNAVAILABLE"
    assert error["extensions"]["retryable"] is True
    assert [problem["backend"] for problem in error["extensions"]["problems"]] == [
        *("IVVY", "EVERBRIDGE", "SENDGRID")
    ]


async def test_a_backend_whose_key_only_the_silent_one_knows_is_named_as_well(
    gateway: Gateway,
) -> None:
    gateway.sandbox.faults.add({"backend": "ivvy", **DOWN})
    contact = await read(gateway, email="ada@example.com")
    assert backends(contact) == ["SENDGRID"]
    ivvy, everbridge = contact["errors"]
    assert (ivvy["backend"], everbridge["backend"]) == ("IVVY", "EVERBRIDGE")
    assert "iVvy, which could not be read" in everbridge["message"]


async def test_nobody_knows_is_not_said_while_one_backend_is_silent(gateway: Gateway) -> None:
    gateway.sandbox.faults.add({"backend": "everbridge", **DOWN})
    contact = await read(gateway, externalId="E-9999")
    assert contact["records"] == []
    assert [problem["backend"] for problem in contact["errors"]] == ["EVERBRIDGE", "SENDGRID"]


async def test_a_filter_that_is_ignored_is_a_failure_and_never_somebody_else(
    gateway: Gateway,
) -> None:
    gateway.sandbox.everbridge.switches["ignore_filters"] = True
    gateway.sandbox.ivvy.switches["ignore_filters"] = True
    contact = await read(gateway, sendgridId="56c7eb18-1c23-549a-8ee6-0944312350fb")
    assert backends(contact) == ["SENDGRID"]
    told = {problem["backend"]: problem["code"] for problem in contact["errors"]}
    assert told == {"IVVY": "BACKEND_ERROR", "EVERBRIDGE": "UNAVAILABLE"}
    error = await refusal(gateway, externalId="E-1001")
    told = {problem["backend"]: problem["code"] for problem in error["extensions"]["problems"]}
    assert told == {
        "IVVY": "BACKEND_ERROR",
        "EVERBRIDGE": "BACKEND_ERROR",
        "SENDGRID": "UNAVAILABLE",
    }


async def test_a_contact_that_goes_while_it_is_read_is_told_and_may_be_asked_again(
    gateway: Gateway,
) -> None:
    gateway.sandbox.faults.add(
        {"backend": "ivvy", "path": "/api/1.0/contact?action=getContact", "times": 1,
         "status": 400, "body": {"errorCode": 400, "message": "Contact not found",
                                 "specificCode": 24096}}
    )  # fmt: skip
    contact = await read(gateway, externalId="E-1001")
    assert [problem["code"] for problem in contact["errors"]] == ["CONFLICT"]
    assert "EVERBRIDGE" in backends(contact)
    assert backends(await read(gateway, externalId="E-1001")) == ALL


async def test_a_silent_backend_holds_the_others_up_for_a_bounded_time_only(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    sandbox.faults.add({"backend": "everbridge", "times": 9, "delayMs": 1500})
    async with running(
        sandbox, clock, plan_wait_seconds=0.05, request_timeout_seconds=1.0
    ) as gateway:
        contact = await read(gateway, externalId="E-1001")
    assert backends(contact) == ["IVVY", "SENDGRID"], "SendGrid was asked by iVvy's e-mail"
    [problem] = contact["errors"]
    assert (problem["backend"], problem["code"]) == ("EVERBRIDGE", "TIMEOUT")


async def test_a_fault_of_ours_in_one_backend_leaves_the_others_and_says_nothing_of_itself(
    gateway: Gateway,
) -> None:
    gateway.sandbox.faults.add(
        {"backend": "ivvy", "path": "/api/1.0/contact?action=getContactList", "times": 1,
         "status": 200, "body": {"meta": {"totalResults": 1}, "results": [
             {"id": 40001, "externalId": "E-1001", "email": ["secret"]}]}}
    )  # fmt: skip
    contact = await read(gateway, email="ada@example.com")
    assert backends(contact) == ["SENDGRID"]
    problem = contact["errors"][0]
    assert (problem["backend"], problem["code"]) == ("IVVY", "BACKEND_ERROR")
    assert problem["message"] == "The gateway failed while it read iVvy; its log tells why."


ODD: dict[str, tuple[str, dict[str, Any]]] = {
    "ivvy": ("/api/1.0/contact?action=getContact", {"groups": [301]}),
    "everbridge": ("/contacts/*", {"address": [{"gisLocation": "here"}]}),
    "sendgrid": ("/v3/marketing/contacts/search/identifiers/email", {"custom_fields": ["x"]}),
}
"""What no contract knows, in an answer that is right otherwise."""


def answer_of(backend: str, odd: dict[str, Any]) -> dict[str, Any]:
    """What a backend says when it is asked for Ada."""
    if backend == "ivvy":
        return {"id": 40001, "externalId": "E-1001", "email": "ada@example.com", **odd}
    if backend == "everbridge":
        row = {"id": 1300000000000001, "externalId": "E-1001", **odd}
        return {"message": "OK", "page": {"totalCount": 1, "data": [row]}}
    contact = {"id": "c-1", "email": "ada@example.com", **odd}
    return {"result": {"ada@example.com": {"contact": contact}}}


@pytest.mark.parametrize("backend", list(ODD))
async def test_a_record_that_cannot_be_shown_is_told_and_leaves_the_others(
    gateway: Gateway, backend: str
) -> None:
    path, odd = ODD[backend]
    gateway.sandbox.faults.add(
        {"backend": backend, "path": path, "times": 9, "status": 200,
         "body": answer_of(backend, odd)}
    )  # fmt: skip
    contact = await read(gateway, externalId="E-1001")
    assert backends(contact) == [name for name in ALL if name != backend.upper()]
    [problem] = contact["errors"]
    assert (problem["backend"], problem["code"]) == (backend.upper(), "BACKEND_ERROR")


async def test_a_list_that_cannot_be_read_again_keeps_its_names_and_is_told(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await read(gateway, externalId="E-1001")
    monkeypatch.setattr("gateway.catalogs.REREAD_EVERY", 0.0)
    store = gateway.sandbox.ivvy._store
    store.put("groups", {"id": 304, "groupName": "Brand New", "tagColour": None})
    joined = [{"groupId": group, "joinDate": store.stamp()} for group in (301, 304)]
    store.put("contacts", {**(store.get("contacts", 40001) or {}), "groups": joined})
    gateway.sandbox.faults.add(
        {"backend": "ivvy", "path": "/api/1.0/contact?action=getSubscriptionGroupList",
         "times": 9, "status": 403}
    )  # fmt: skip
    contact = await read(gateway, externalId="E-1001")
    assert backends(contact) == ALL
    assert contact["records"][0]["groupsName"] == ["Newsletter", "304"]
    [problem] = contact["errors"]
    assert (problem["backend"], problem["code"]) == ("IVVY", "FORBIDDEN")
    assert problem["message"].startswith("iVvy's groups could not be read again, so ids")
