"""Which of iVvy's contacts a write means, against the simulated iVvy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from strawberry import Some

from gateway.backends.adapter import Found, Stored
from gateway.model import (
    Backend,
    EmailStatus,
    ExternalUrlInput,
    MissingPolicy,
)
from gateway.results import Outcome, ProblemCode
from tests.backends.ivvy.writing import NEW, contact, write_of

if TYPE_CHECKING:
    from tests.backends.ivvy.conftest import Desk

ADA, GRACE, MARY = 40001, 40002, 40003
URL = "https://example.com/people/eve"


def link(ref: str, url: str | None) -> ExternalUrlInput:
    return ExternalUrlInput(ref=ref, url=Some(url))


async def test_the_first_key_that_hits_is_named(desk: Desk) -> None:
    for given, matched in (
        (contact(ivvy={"id": str(ADA)}), "ivvy.id"),
        (contact(external_id="E-1001", email="other@example.com"), "externalId"),
        (contact(email="ADA@example.com"), "email"),
    ):
        result = await desk.write(given, dry=True)
        assert (result.id, result.matched_by) == (str(ADA), matched)


@pytest.mark.parametrize("switch", [{}, {"http_status": "ok"}, {"codes_as_strings": True}])
async def test_an_id_that_does_not_exist_is_not_found_and_never_created(
    desk: Desk, switch: dict[str, Any]
) -> None:
    desk.switches.update(switch)
    result = await desk.write(contact(**NEW, ivvy={"id": "99999"}))
    assert result.outcome is Outcome.REJECTED
    [problem] = result.errors
    assert (problem.code, problem.field) == (ProblemCode.NOT_FOUND, ["ivvy", "id"])
    assert desk.writes() == []


async def test_a_deleted_contact_is_not_found(desk: Desk) -> None:
    by_id = await desk.write(contact(ivvy={"id": "40006"}))
    assert by_id.errors[0].code is ProblemCode.NOT_FOUND
    result = await desk.write(contact(external_id="E-9001"), if_missing=MissingPolicy.SKIP)
    assert result.outcome is Outcome.SKIPPED


async def test_an_id_of_another_form_is_refused_before_anybody_is_asked(desk: Desk) -> None:
    result = await desk.write(
        contact(ivvy={"id": "007", "group_ids": ["x"], "company_ids": ["7001", "-1"]})
    )
    assert {tuple(problem.field) for problem in result.errors} == {
        ("ivvy", "id"),
        ("ivvy", "groupIds", "0"),
        ("ivvy", "companyIds", "1"),
    }
    assert not any(action.startswith("getContact") for action, _ in desk.calls())


async def test_a_shared_mailbox_is_a_conflict(desk: Desk) -> None:
    several = await desk.write(contact(email="office@example.com", first_name="Olga"))
    assert several.errors[0].code is ProblemCode.CONFLICT
    assert "40004, 40005" in several.errors[0].message
    foreign = await desk.write(contact(**{**NEW, "email": "ada@example.com"}, external_id="E-77"))
    assert foreign.errors[0].code is ProblemCode.CONFLICT
    assert desk.writes() == []


async def test_an_email_match_without_external_id_takes_the_new_one(desk: Desk) -> None:
    await desk.write(contact(**NEW))
    result = await desk.write(contact(email="eve@example.com", external_id="E-3001"))
    assert (result.matched_by, result.changed_fields) == ("email", ["externalId"])


async def test_two_keys_that_mean_two_contacts_are_a_conflict(desk: Desk) -> None:
    result = await desk.write(contact(ivvy={"id": str(ADA)}, external_id="E-1002"))
    assert result.errors[0].code is ProblemCode.CONFLICT
    assert str(GRACE) in result.errors[0].message


@pytest.mark.parametrize("key", [{"external_id": "E-3001"}, {"email": "eve@example.com"}])
async def test_a_filter_that_is_ignored_is_never_taken_for_no_match(
    desk: Desk, key: dict[str, str]
) -> None:
    desk.switches["ignore_filters"] = True
    result = await desk.write(contact(**NEW | key))
    assert (result.outcome, result.errors[0].code) == (Outcome.FAILED, ProblemCode.BACKEND_ERROR)
    assert desk.writes() == []


async def test_a_filter_that_is_refused_fails_without_blaming_the_input(desk: Desk) -> None:
    desk.switches.update(filterable="documented", unknown_filter="error")
    result = await desk.write(contact(**NEW))
    [problem] = result.errors
    assert (result.outcome, problem.code) == (Outcome.FAILED, ProblemCode.BACKEND_ERROR)
    assert problem.backend_code == "90425"


async def test_all_pages_are_read_until_two_contacts_are_seen(desk: Desk) -> None:
    desk.switches.update(page_cap=1, meta_omits=["totalResults", "count"])
    result = await desk.write(contact(email="office@example.com", first_name="Olga"))
    assert result.errors[0].code is ProblemCode.CONFLICT
    found = await desk.write(contact(external_id="E-1001"))
    assert found.outcome is Outcome.UNCHANGED


async def test_a_contact_is_read_singly_only_where_lists_do_not_show_enough(desk: Desk) -> None:
    await desk.write(contact(external_id="E-1002", first_name="Grace"))
    assert [action for action, _ in desk.calls()] == ["getContactList"]
    result = await desk.write(contact(external_id="E-1002", email_status=EmailStatus.SUBSCRIBED))
    assert [action for action, _ in desk.calls()][1:] == [
        "getContactList",
        "getContact",
        "addOrUpdateContact",
    ]
    assert result.changed_fields == ["emailStatus"]
    assert desk.held(id=GRACE)[0]["status"] == 1


async def test_a_contact_that_vanishes_between_two_reads_is_written_nowhere(desk: Desk) -> None:
    gone = {"errorCode": 400, "message": "Contact not found", "specificCode": 24096}
    desk.sandbox.faults.add(
        {
            "backend": "ivvy",
            "path": "/api/1.0/contact?action=getContact",
            "status": 400,
            "body": gone,
        }
    )
    result = await desk.write(contact(external_id="E-1001", external_urls=None))
    assert (result.outcome, result.errors[0].code) == (Outcome.FAILED, ProblemCode.CONFLICT)


async def test_links_that_ivvy_holds_stay_beside_new_ones(desk: Desk) -> None:
    given = contact(external_id="E-1002", external_urls=[link("blog", URL)])
    assert (await desk.write(given)).changed_fields == ["externalUrls"]
    [row] = desk.held(id=GRACE)
    assert {entry["ref"] for entry in row["externalUrls"]} == {"intranet", "blog"}
    desk.switches["external_urls_on_update"] = "replace"
    await desk.write(contact(external_id="E-1002", external_urls=[link("third", URL)]))
    [row] = desk.held(id=GRACE)
    assert {entry["ref"] for entry in row["externalUrls"]} == {"intranet", "blog", "third"}
    await desk.write(contact(external_id="E-1002", external_urls=[link("intranet", None)]))
    assert desk.held(id=GRACE)[0]["externalUrls"][0]["ref"] != "intranet"


@pytest.mark.parametrize("rule", ["merge", "replace"])
async def test_a_full_set_of_links_is_exchanged_however_ivvy_takes_the_array(
    desk: Desk, rule: str
) -> None:
    desk.switches.update(external_urls_on_update=rule, external_urls_limit="sent")
    given = [link(ref, URL) for ref in "ab"]
    await desk.write(contact(external_id="E-1002", external_urls=given))
    exchange = [link("intranet", None), link("c", URL)]
    result = await desk.write(contact(external_id="E-1002", external_urls=exchange))
    assert (result.outcome, result.changed_fields) == (Outcome.UPDATED, ["externalUrls"])
    assert {entry["ref"] for entry in desk.held(id=GRACE)[0]["externalUrls"]} == set("abc")


async def test_without_a_key_the_siblings_are_asked_and_then_an_email_is_required(
    desk: Desk,
) -> None:
    nameless = write_of(contact(first_name="Ada", last_name="Byron"))
    assert desk.adapter.needs_siblings(nameless)
    assert not desk.adapter.needs_siblings(write_of(contact(email="ada@example.com")))
    record = Stored(id="s", external_id=None, email="ada@example.com", raw={}, read_at=0.0)
    siblings = {Backend.SENDGRID: Found(stored=record)}
    found = await desk.adapter.find(nameless, siblings, desk.exchange())
    assert (found.matched_by, found.stored and found.stored.id) == ("SENDGRID.email", str(ADA))
    result = await desk.write(contact(first_name="Ada", last_name="Byron"))
    assert [problem.field for problem in result.errors] == [["email"]]


async def test_an_email_that_a_sibling_gives_a_new_contact_is_looked_for_too(desk: Desk) -> None:
    write = write_of(contact(external_id="E-77", first_name="Ada", last_name="Byron"))
    record = Stored(id="s", external_id="E-77", email="ada@example.com", raw={}, read_at=0.0)
    siblings = {Backend.SENDGRID: Found(stored=record)}
    with pytest.raises(Exception, match="shared mailbox"):
        await desk.adapter.find(write, siblings, desk.exchange())


async def test_what_is_not_found_is_keyless_until_a_sibling_gives_an_address(desk: Desk) -> None:
    write = write_of(contact(external_id="E-77", first_name="Ada", last_name="Byron"))
    assert not desk.adapter.needs_siblings(write)
    assert (await desk.adapter.find(write, {}, desk.exchange())).keyless
    record = Stored(id="s", external_id="E-77", email="n@example.com", raw={}, read_at=0.0)
    siblings = {Backend.EVERBRIDGE: Found(stored=record)}
    found = await desk.adapter.find(write, siblings, desk.exchange())
    assert (found.keyless, [key.value for key in found.asked_by]) == (
        False,
        ["E-77", "n@example.com"],
    )
