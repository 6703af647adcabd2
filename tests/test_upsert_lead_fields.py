"""A lead's custom fields: by id, or by a name from the settings' table, and never read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.leads import OF_ADA, lead_writes, refused, upsert_lead

if TYPE_CHECKING:
    from tests.harness import Gateway


async def test_an_unknown_lead_field_says_how_to_configure_it(gateway: Gateway) -> None:
    fields = [{"name": "Delegate", "values": ["1"]}]
    [problem] = (await refused(gateway, OF_ADA | {"customFields": fields})).errors
    assert (problem["code"], problem["field"]) == ("NAME_NOT_FOUND", ["customFields", "0", "name"])
    assert "GATEWAY_IVVY_LEAD_FIELDS" in problem["message"]
    assert problem["suggestions"] == ["Delegates"]


async def test_lead_fields_are_written_by_id_without_any_table(gateway: Gateway) -> None:
    fields = [{"id": "702", "values": ["long"]}, {"id": "703", "values": ["2"]}]
    answer = await upsert_lead(gateway, OF_ADA | {"ivvy": {"customFields": fields}})
    assert answer.errors == []
    assert lead_writes(gateway)[0]["customFields"] == [
        {"fieldId": 702, "fieldValue": "long"},
        {"fieldId": 703, "fieldValue": "2"},
    ]


async def test_an_id_wins_over_the_name_of_the_same_lead_field(gateway: Gateway) -> None:
    lead = OF_ADA | {
        "customFields": [{"name": "Budget note", "values": ["by name"]}],
        "ivvy": {"customFields": [{"id": "702", "values": ["by id"]}]},
    }
    answer = await upsert_lead(gateway, lead)
    assert answer.result["ignoredFields"] == ["customFields.Budget note"]
    assert lead_writes(gateway)[0]["customFields"] == [{"fieldId": 702, "fieldValue": "by id"}]


async def test_a_lead_fields_value_is_read_by_its_type_in_the_table(gateway: Gateway) -> None:
    for text in ("many", "1e30"):
        fields = [{"name": "Delegates", "values": [text]}]
        answer = await refused(gateway, OF_ADA | {"customFields": fields})
        assert answer.told() == {"customFields.0.values": "INVALID"}
    fields = [{"name": "Budget note", "values": ["one", "two"]}]
    answer = await refused(gateway, OF_ADA | {"customFields": fields})
    assert answer.told() == {"customFields.0.values": "INVALID"}


async def test_a_lead_field_that_is_given_twice_by_its_id_is_refused(gateway: Gateway) -> None:
    fields = [{"id": "702", "values": ["a"]}, {"id": "702", "values": ["b"]}]
    answer = await refused(gateway, OF_ADA | {"ivvy": {"customFields": fields}})
    assert answer.told() == {"ivvy.customFields.1.id": "INVALID"}


@pytest.mark.parametrize(
    ("field", "cleared"),
    [
        ({"name": "Budget note"}, ""),
        ({"name": "Season"}, ""),
        ({"name": "Delegates"}, None),
        ({"id": "704"}, ""),
    ],
)
async def test_an_empty_text_clears_a_lead_field_and_one_of_spaces_is_refused(
    gateway: Gateway, field: dict[str, Any], cleared: str | None
) -> None:
    def lead(value: str) -> dict[str, Any]:
        given = [field | {"values": [value]}]
        return OF_ADA | (
            {"ivvy": {"customFields": given}} if "id" in field else {"customFields": given}
        )

    at = "ivvy.customFields.0.values" if "id" in field else "customFields.0.values"
    assert (await refused(gateway, lead("  "))).told() == {at: "INVALID"}
    await upsert_lead(gateway, lead(""))
    [sent] = lead_writes(gateway)[0]["customFields"]
    assert sent["fieldValue"] == cleared
