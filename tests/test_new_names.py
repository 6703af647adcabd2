"""What is new in a backend is known at once, by its id as by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.leads import OF_ADA, lead_writes, upsert_lead

if TYPE_CHECKING:
    from tests.harness import Gateway


@pytest.fixture
async def aged(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """A gateway whose lists lack what iVvy has got since."""
    fields = [{"name": "Notes", "values": ["x"]}]
    known = {"groupsName": ["VIP"], "companiesName": ["Harbour Hotels"], "customFields": fields}
    await gateway.upsert({"externalId": "E-1001", **known}, dryRun=True)
    await upsert_lead(gateway, OF_ADA, dryRun=True)
    state = gateway.sandbox.ivvy.dump()
    tables = state["tables"]
    tables["groups"].append({"id": 399, "groupName": "Brand New", "tagColour": None})
    tables["companies"].append({**tables["companies"][0], "id": 7999})
    tables["contactFields"].append({**tables["contactFields"][4], "id": 599})
    tables["contactFields"][0]["selectValues"]["9"] = "Evening"
    tables["industries"].append({**tables["industries"][0], "id": 499})
    tables["leadTypes"][0]["subtypes"].append({"id": 119, "name": "Evening"})
    gateway.sandbox.ivvy.load(state)
    monkeypatch.setattr("gateway.catalogs.REREAD_EVERY", 0.0)
    return gateway


@pytest.mark.parametrize(
    ("ivvy", "stored"),
    [
        ({"groupIds": ["399"]}, "groups"),
        ({"companyIds": ["7999"]}, "companies"),
        ({"customFields": [{"id": "599", "values": ["x"]}]}, "customFields"),
    ],
)
async def test_a_contact_is_written_with_ids_that_are_new(
    aged: Gateway, ivvy: dict[str, Any], stored: str
) -> None:
    answer = await aged.upsert({"externalId": "E-1001", "ivvy": ivvy}, targets=["IVVY"])
    assert (answer.errors, answer.outcomes()) == ([], {"IVVY": "UPDATED"})
    [ada] = aged.ivvy(externalId="E-1001")
    assert "99" in str(ada[stored])


@pytest.mark.parametrize(
    "given",
    [
        {"customFields": [{"name": "Shift", "values": ["evening"]}]},
        {"ivvy": {"customFields": [{"id": "501", "values": ["9"]}]}},
    ],
)
async def test_a_contact_is_written_with_an_option_that_is_new(
    aged: Gateway, given: dict[str, Any]
) -> None:
    answer = await aged.upsert({"externalId": "E-1001", **given}, targets=["IVVY"])
    assert (answer.errors, answer.outcomes()) == ([], {"IVVY": "UPDATED"})
    [ada] = aged.ivvy(externalId="E-1001")
    assert ada["customFields"]["501"] == "9"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"industryName": None, "ivvy": {"industryId": "499"}}, {"industryId": 499}),
        ({"subtypeName": "Evening"}, {"subtypeId": 119}),
        ({"subtypeName": None, "ivvy": {"subtypeId": "119"}}, {"subtypeId": 119}),
    ],
)
async def test_a_lead_is_written_with_ids_and_sub_types_that_are_new(
    aged: Gateway, given: dict[str, Any], sent: dict[str, int]
) -> None:
    lead = {name: value for name, value in (OF_ADA | given).items() if value is not None}
    answer = await upsert_lead(aged, lead)
    assert answer.errors == []
    [body] = lead_writes(aged)
    assert body.items() >= sent.items()
