"""A lead that is written again: what one write has left, the next one meets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.leads import lead_writes, leads, refused, upsert_lead

if TYPE_CHECKING:
    from tests.harness import Gateway

# ---------------------------------------------------------------- from type to type, stage to stage


async def test_the_stored_sub_type_and_reason_must_belong_to_a_new_type_and_stage(
    gateway: Gateway,
) -> None:
    lost = {"ivvy": {"id": "9001"}, "stageName": "Lost", "stageReasonName": "Price"}
    assert (await upsert_lead(gateway, lost)).outcome == "UPDATED"
    gateway.sandbox.calls.clear()
    kept = {"id": "9001", "subtypeId": "111", "stageReasonId": "231"}
    answer = await refused(gateway, {"ivvy": kept, "typeName": "Wedding", "stageName": "New"})
    assert answer.told() == {"ivvy.subtypeId": "INVALID", "ivvy.stageReasonId": "INVALID"}
    assert (await upsert_lead(gateway, {"ivvy": kept})).outcome == "UNCHANGED"


async def test_a_sub_type_that_two_types_have_is_said_again_with_the_other_type(
    gateway: Gateway,
) -> None:
    state = gateway.sandbox.ivvy.dump()
    fair = {"id": 13, "type": "Fair", "subtypes": [{"id": 111, "name": "One day"}]}
    state["tables"]["leadTypes"].append(fair)
    gateway.sandbox.ivvy.load(state)
    change = {"ivvy": {"id": "9001"}, "typeName": "Fair", "subtypeName": "One day"}
    assert (await upsert_lead(gateway, change)).errors == []
    assert lead_writes(gateway) == [{"id": 9001, "typeId": 13, "subtypeId": 111}]
    [lead] = leads(gateway, id=9001)
    assert (lead["typeId"], lead["subtypeId"]) == (13, 111)
