"""An e-mail address that only a sibling holds: iVvy is asked for it before anybody is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.harness import Gateway

BOTH = ["IVVY", "EVERBRIDGE"]
ALAN: dict[str, Any] = {"externalId": "E-1003", "firstName": "Alan", "lastName": "T"}


async def give_alan_in_everbridge(gateway: Gateway, email: str) -> None:
    answer = await gateway.upsert({"externalId": "E-1003", "email": email}, targets=["EVERBRIDGE"])
    assert answer.errors == []


@pytest.mark.parametrize("dry", [True, False])
async def test_an_address_of_another_contact_of_ivvys_is_refused_before_anything_is_written(
    gateway: Gateway, dry: bool
) -> None:
    await give_alan_in_everbridge(gateway, "mary@example.com")  # which is E-1004 in iVvy
    before = gateway.everbridge(externalId="E-1003")
    answer = await gateway.upsert({**ALAN, "suffix": "ZZ"}, targets=BOTH, dryRun=dry)
    assert (answer.status, answer.outcomes()["IVVY"]) == ("REJECTED", "REJECTED")
    assert [problem["code"] for problem in answer.errors] == ["CONFLICT"]
    assert gateway.everbridge(externalId="E-1003") == before
    assert gateway.calls("ivvy", writes=True) == []


async def test_a_dry_run_names_the_contact_that_the_address_of_a_sibling_finds(
    gateway: Gateway,
) -> None:
    made = await gateway.upsert(
        {"email": "alan@example.com", "firstName": "A", "lastName": "M"}, targets=["IVVY"]
    )
    contact_id = made.result("IVVY")["id"]
    asked = await gateway.upsert(ALAN, targets=BOTH, dryRun=True)
    done = await gateway.upsert(ALAN, targets=BOTH)
    for answer in (asked, done):
        result = answer.result("IVVY")
        assert (result["id"], result["matchedBy"]) == (contact_id, "EVERBRIDGE.email")
        assert "externalId" in result["changedFields"]
    assert len(gateway.ivvy(email="alan@example.com")) == 1


async def test_a_new_contact_has_the_address_that_everbridge_holds(gateway: Gateway) -> None:
    answer = await gateway.upsert(ALAN, targets=BOTH)
    assert answer.outcomes()["IVVY"] == "CREATED"
    assert gateway.ivvy(externalId="E-1003")[0]["email"] == "alan@example.com"


async def test_a_contact_that_its_external_id_finds_is_asked_for_once(gateway: Gateway) -> None:
    await gateway.upsert({"externalId": "E-1001", "lastName": "Lovelace"}, targets=BOTH)
    actions = [call["query"]["action"] for call in gateway.calls("ivvy")]
    assert actions.count("getContactList") == 1
