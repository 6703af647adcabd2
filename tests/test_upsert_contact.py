"""The main job through GraphQL: one input, three backends, a true receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from tests.harness import Gateway

HEDY: dict[str, Any] = {
    "externalId": "E-3001",
    "email": "Hedy@example.com",
    "firstName": "Hedy",
    "lastName": "Kiesler",
    "phone": "+49 30 23125 301",
    "countryCode": "DE",
    "recordTypeName": "Employee",
    "groupsName": ["Newsletter", "Berlin Office"],
    "customFields": [{"name": "Shift", "values": ["Night"]}],
}


async def test_a_new_person_is_made_in_all_three(gateway: Gateway) -> None:
    answer = await gateway.upsert(HEDY)
    assert answer.errors == []
    assert answer.status == "PENDING"
    assert answer.outcomes() == {
        "IVVY": "CREATED",
        "EVERBRIDGE": "CREATED",
        "SENDGRID": "ACCEPTED",
    }
    gateway.clock.advance(60)
    [ivvy] = gateway.ivvy(externalId="E-3001")
    [everbridge] = gateway.everbridge(externalId="E-3001")
    [sendgrid] = gateway.sendgrid("hedy@example.com")
    assert (ivvy["firstName"], everbridge["firstName"]) == ("Hedy", "Hedy")
    assert sendgrid["texts"]["first_name"] == "Hedy"
    assert sendgrid["texts"]["phone_number"] == "+493023125301"
    assert answer.result("IVVY")["id"] == str(ivvy["id"])
    assert answer.result("EVERBRIDGE")["id"] == str(everbridge["id"])
    assert [job["status"] for job in answer.result("SENDGRID")["jobs"]] == ["PENDING"]


async def test_what_is_sent_holds_ids_instead_of_names(gateway: Gateway) -> None:
    await gateway.upsert(HEDY)
    sent = [call["body"] for call in gateway.recorded() if call["method"] in {"POST", "PUT"}]
    text = str(sent)
    assert "Newsletter" not in text
    assert "Employee" not in text
    [post] = gateway.calls("everbridge", writes=True)
    assert post["body"]["recordTypeId"] == 1100000000000001
    assert len(post["body"]["groups"]) == 2


async def test_the_same_again_is_unchanged_and_sends_no_write(gateway: Gateway) -> None:
    await gateway.upsert(HEDY)
    gateway.clock.advance(60)
    gateway.sandbox.calls.clear()
    answer = await gateway.upsert(HEDY)
    assert answer.outcomes() == {
        "IVVY": "UNCHANGED",
        "EVERBRIDGE": "UNCHANGED",
        "SENDGRID": "ACCEPTED",
    }
    assert gateway.calls("ivvy", writes=True) == []
    assert gateway.calls("everbridge", writes=True) == []
    assert answer.result("IVVY")["calls"] == []
    assert answer.result("IVVY")["matchedBy"] == "externalId"
    assert answer.result("IVVY")["changedFields"] == []


async def test_a_typo_in_a_group_name_writes_nothing_anywhere(gateway: Gateway) -> None:
    answer = await gateway.upsert(HEDY | {"groupsName": ["Newsleter"]})
    assert answer.status == "REJECTED"
    assert set(answer.outcomes().values()) == {"REJECTED"}
    [problem] = answer.errors
    assert problem["code"] == "NAME_NOT_FOUND"
    assert problem["backend"] is None
    assert problem["field"] == ["groupsName", "0"]
    assert "Newsletter" in problem["suggestions"]
    assert [call for call in gateway.recorded() if call["method"] in {"PUT", "DELETE"}] == []
    assert gateway.calls("ivvy", writes=True) == []
    assert gateway.everbridge(externalId="E-3001") == []


async def test_one_backend_down_leaves_the_others_written(gateway: Gateway) -> None:
    gateway.sandbox.faults.add(
        {"backend": "ivvy", "path": "/api/1.0/contact?action=addOrUpdateContact",
         "times": 50, "status": 503}
    )  # fmt: skip
    answer = await gateway.upsert(HEDY)
    assert answer.status == "PARTIAL"
    assert answer.outcomes() == {
        "IVVY": "FAILED",
        "EVERBRIDGE": "CREATED",
        "SENDGRID": "ACCEPTED",
    }
    [problem] = answer.errors
    assert (problem["backend"], problem["code"], problem["retryable"]) == (
        "IVVY",
        "UNAVAILABLE",
        True,
    )


async def test_a_backend_that_cannot_be_asked_is_failed_and_the_others_go_on(
    gateway: Gateway,
) -> None:
    gateway.sandbox.faults.add({"backend": "everbridge", "times": 100, "status": 500})
    answer = await gateway.upsert(HEDY)
    assert answer.status == "PARTIAL"
    assert answer.outcomes() == {
        "IVVY": "CREATED",
        "EVERBRIDGE": "FAILED",
        "SENDGRID": "ACCEPTED",
    }


async def test_a_write_that_was_not_answered_is_unknown(gateway: Gateway) -> None:
    gateway.sandbox.faults.add(
        {"backend": "everbridge", "method": "POST", "times": 50, "drop": "after"}
    )
    answer = await gateway.upsert(HEDY, targets=["EVERBRIDGE"])
    assert answer.status == "UNKNOWN"
    assert answer.outcomes() == {"EVERBRIDGE": "UNKNOWN"}
    assert answer.result("EVERBRIDGE")["calls"][0]["statusCode"] is None
    assert len(gateway.everbridge(externalId="E-3001")) == 1


async def test_a_dry_run_writes_nothing_and_shows_the_calls(gateway: Gateway) -> None:
    answer = await gateway.upsert(HEDY, dryRun=True)
    assert answer.status == "PLANNED"
    assert set(answer.outcomes().values()) == {"PLANNED"}
    for backend in ("IVVY", "EVERBRIDGE", "SENDGRID"):
        [call] = answer.result(backend)["calls"]
        assert call["statusCode"] is None
        assert call["attempts"] == 0
    assert gateway.calls("ivvy", writes=True) == []
    assert gateway.calls("everbridge", writes=True) == []
    assert gateway.calls("sendgrid", writes=True) == []
    [post] = answer.result("EVERBRIDGE")["calls"]
    assert post["body"]["recordTypeId"] == 1100000000000001


async def test_what_a_dry_run_shows_is_what_is_sent(gateway: Gateway) -> None:
    planned = await gateway.upsert(HEDY, dryRun=True)
    await gateway.upsert(HEDY)
    for backend in ("IVVY", "EVERBRIDGE", "SENDGRID"):
        shown = [call["body"] for call in planned.result(backend)["calls"]]
        assert shown == [call["body"] for call in gateway.calls(backend.lower(), writes=True)]


async def test_all_problems_of_an_input_are_told_at_once(gateway: Gateway) -> None:
    answer = await gateway.upsert(
        {
            "externalId": "E-4000",
            "email": "nobody",
            "phone": "12",
            "countryCode": "Germany",
            "timezoneId": "Berlin",
            "recordTypeName": "Employe",
            "groupsName": ["Newsleter"],
            "customFields": [{"name": "Shift", "values": ["Midnight"]}],
        }
    )
    assert answer.status == "REJECTED"
    told = {tuple(problem["field"]): problem["code"] for problem in answer.errors}
    assert told[("email",)] == "INVALID"
    assert told[("phone",)] == "INVALID"
    assert told[("countryCode",)] == "INVALID"
    assert told[("timezoneId",)] == "INVALID"
    assert told[("recordTypeName",)] == "NAME_NOT_FOUND"
    assert told[("groupsName", "0")] == "NAME_NOT_FOUND"
    assert told[("firstName",)] == "REQUIRED"
    assert told[("lastName",)] == "REQUIRED"
    assert told[("customFields", "0", "values", "0")] == "INVALID"
    assert all(problem["message"].endswith((".", "?")) for problem in answer.errors)


async def test_a_problem_of_one_target_skips_the_others(gateway: Gateway) -> None:
    answer = await gateway.upsert(
        {"externalId": "E-1001", "firstName": "Ada", "middleInitial": "long"}
    )
    assert answer.status == "REJECTED"
    assert answer.outcomes() == {
        "IVVY": "SKIPPED",
        "EVERBRIDGE": "REJECTED",
        "SENDGRID": "SKIPPED",
    }
    [problem] = answer.errors
    assert (problem["code"], problem["field"]) == ("TOO_LONG", ["middleInitial"])


async def test_targets_are_checked(gateway: Gateway) -> None:
    empty = await gateway.upsert(HEDY, targets=[])
    assert (empty.status, [p["field"] for p in empty.errors]) == ("REJECTED", [["targets"]])
    repeated = await gateway.upsert(HEDY, targets=["IVVY", "IVVY"])
    assert repeated.status == "REJECTED"
    assert repeated.outcomes() == {"IVVY": "REJECTED"}


async def test_targets_limit_where_it_goes(gateway: Gateway) -> None:
    answer = await gateway.upsert(HEDY, targets=["SENDGRID", "IVVY"])
    assert list(answer.outcomes()) == ["IVVY", "SENDGRID"]
    assert gateway.calls("everbridge", writes=True) == []


async def test_if_missing_skip_leaves_out_a_backend_that_does_not_hold_the_record(
    gateway: Gateway,
) -> None:
    answer = await gateway.upsert({"externalId": "E-1003", "lastName": "Turing"}, ifMissing="SKIP")
    assert answer.status == "APPLIED"
    assert answer.outcomes() == {
        "IVVY": "SKIPPED",
        "EVERBRIDGE": "UPDATED",
        "SENDGRID": "SKIPPED",
    }


async def test_an_input_that_is_wrong_everywhere_is_rejected_and_not_left_out(
    gateway: Gateway,
) -> None:
    for wrong in ({"externalUrls": [{"ref": "a", "url": "http://a"}]}, {"groupsName": ["Nowhere"]}):
        answer = await gateway.upsert({"externalId": "E-1003", **wrong}, ifMissing="SKIP")
        assert answer.status == "REJECTED"
        assert set(answer.outcomes().values()) == {"REJECTED"}


async def test_a_key_is_taken_from_a_sibling_and_named(gateway: Gateway) -> None:
    answer = await gateway.upsert({"email": "ada@example.com", "lastName": "Lovelace"})
    assert answer.errors == []
    assert answer.result("EVERBRIDGE")["matchedBy"] == "IVVY.externalId"
    assert gateway.everbridge(externalId="E-1001")[0]["lastName"] == "Lovelace"
    by_id = await gateway.upsert({"externalId": "E-1001", "lastName": "Byron"})
    assert by_id.outcomes()["SENDGRID"] == "ACCEPTED"
    [put] = gateway.calls("sendgrid", writes=True)[-1:]
    assert put["body"]["contacts"][0]["email"] == "ada@example.com"


async def test_a_native_id_that_does_not_exist_is_not_found_and_never_a_create(
    gateway: Gateway,
) -> None:
    answer = await gateway.upsert(HEDY | {"ivvy": {"id": "99999999"}})
    assert answer.status == "REJECTED"
    [problem] = answer.errors
    assert (problem["code"], problem["field"]) == ("NOT_FOUND", ["ivvy", "id"])
    assert gateway.ivvy(externalId="E-3001") == []


async def test_no_job_has_an_id_that_makes_no_address(gateway: Gateway) -> None:
    query = "query ($id: ID!) { importJob(backend: SENDGRID, id: $id) { status } }"
    for job_id in ("", "a\nb", "x" * 101):
        assert await gateway.data(query, id=job_id) == {"importJob": None}
    assert gateway.calls("sendgrid") == []


async def test_an_import_job_is_followed_to_its_end(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A status is told again for a second, which the clock moved by hand does not know.
    monkeypatch.setattr("gateway.backends.sendgrid.job.FRESH_FOR", 0.0)
    answer = await gateway.upsert(HEDY, targets=["SENDGRID"])
    [job] = answer.result("SENDGRID")["jobs"]
    query = "query ($id: ID!) { importJob(backend: SENDGRID, id: $id) { status createdCount } }"
    assert (await gateway.data(query, id=job["id"]))["importJob"]["status"] == "PENDING"
    gateway.clock.advance(60)
    found = (await gateway.data(query, id=job["id"]))["importJob"]
    assert found == {"status": "COMPLETED", "createdCount": 1}
