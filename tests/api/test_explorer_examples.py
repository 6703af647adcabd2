"""The explorer's example tabs do what their comments say, on the sandbox's seed data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate
from graphql.execution.values import get_variable_values

if TYPE_CHECKING:
    from tests.harness import Gateway

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "explorer" / "examples").glob("*.graphql"))


def variables_of(example: Path) -> dict[str, Any]:
    """The variables beside an operation; none for one that has none."""
    file = example.with_name(f"{example.stem}.variables.json")
    return dict(json.loads(file.read_text())) if file.exists() else {}


async def run(gateway: Gateway, name: str) -> dict[str, Any]:
    (example,) = (file for file in EXAMPLES if file.stem.endswith(name))
    return await gateway.data(example.read_text(), **variables_of(example))


async def upsert(gateway: Gateway, name: str) -> tuple[str, dict[str, str], dict[str, Any]]:
    """The status, each backend's outcome, and the whole payload."""
    payload = (await run(gateway, name))["upsertContact"]
    outcomes = {result["backend"]: result["outcome"] for result in payload["results"]}
    return payload["status"], outcomes, payload


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda file: file.stem)
def test_example_is_one_named_operation_that_fits_the_schema(example: Path) -> None:
    schema = build_schema((ROOT / "schema.graphql").read_text())
    document = parse(example.read_text())
    assert validate(schema, document) == []
    (operation,) = (
        node for node in document.definitions if isinstance(node, OperationDefinitionNode)
    )
    assert operation.name is not None, "GraphiQL names the tab after it"
    declared = operation.variable_definitions or ()
    assert {node.variable.name.value for node in declared} == variables_of(example).keys()
    problems = get_variable_values(schema, declared, variables_of(example))
    assert not isinstance(problems, list), problems


async def test_new_person_is_created_and_the_same_again_is_unchanged(gateway: Gateway) -> None:
    status, outcomes, _ = await upsert(gateway, "create-a-contact")
    assert status == "PENDING"
    assert outcomes == {"IVVY": "CREATED", "EVERBRIDGE": "CREATED", "SENDGRID": "ACCEPTED"}

    status, outcomes, payload = await upsert(gateway, "the-same-again")
    assert status == "APPLIED"
    assert outcomes == {"IVVY": "UNCHANGED", "EVERBRIDGE": "UNCHANGED"}
    assert [result["matchedBy"] for result in payload["results"]] == ["externalId", "externalId"]


async def test_dry_run_plans_calls_for_each_backend(gateway: Gateway) -> None:
    status, outcomes, payload = await upsert(gateway, "dry-run")
    assert status == "PLANNED"
    assert set(outcomes.values()) == {"PLANNED"}
    assert all(result["calls"] for result in payload["results"])


async def test_full_replace_is_written_everywhere(gateway: Gateway) -> None:
    status, outcomes, payload = await upsert(gateway, "full-replace")
    assert payload["errors"] == []
    assert status == "PENDING"
    assert outcomes == {"IVVY": "UPDATED", "EVERBRIDGE": "UPDATED", "SENDGRID": "ACCEPTED"}
    changed = {result["backend"]: result["changedFields"] for result in payload["results"]}
    assert "phone" in changed["IVVY"], "left out, therefore cleared"
    assert {"paths", "recordTypeName"} <= set(changed["EVERBRIDGE"])


async def test_groups_are_joined_and_left_where_they_are_known(gateway: Gateway) -> None:
    _, _, payload = await upsert(gateway, "groups")
    assert payload["errors"] == []
    ignored = {result["backend"]: result["ignoredFields"] for result in payload["results"]}
    assert "addGroupsName.Fire Wardens" in ignored["IVVY"]
    assert "addGroupsName.VIP" in ignored["EVERBRIDGE"]
    assert "addGroupsName.Fire Wardens" in ignored["SENDGRID"]


async def test_typo_is_rejected_everywhere_with_the_right_name(gateway: Gateway) -> None:
    status, _, payload = await upsert(gateway, "typo-in-a-group")
    assert status == "REJECTED"
    assert "Newsletter" in payload["errors"][0]["suggestions"]
    assert not [
        call
        for backend in ("ivvy", "everbridge", "sendgrid")
        for call in gateway.calls(backend, writes=True)
    ]


async def test_catalogs_are_all_readable(gateway: Gateway) -> None:
    data = await run(gateway, "catalogs")
    assert all(data.values()), [name for name, value in data.items() if not value]


async def test_unknown_job_is_null(gateway: Gateway) -> None:
    assert await run(gateway, "import-job") == {"importJob": None}


async def test_contact_is_read_from_all_three_with_their_differences(gateway: Gateway) -> None:
    contact = (await run(gateway, "read-a-contact"))["contact"]
    assert [record["backend"] for record in contact["records"]] == [
        *("IVVY", "EVERBRIDGE", "SENDGRID")
    ]
    assert "customFields.Shift" in [item["field"] for item in contact["differences"]]
    assert contact["errors"] == []


async def test_leads_are_made_once_and_updated_the_second_time(gateway: Gateway) -> None:
    first = (await run(gateway, "lead-of-a-person"))["upsertLead"]
    assert (first["errors"], first["status"]) == ([], "APPLIED")
    assert first["results"][0]["outcome"] == "CREATED"
    assert (first["contact"]["outcome"], first["contact"]["matchedBy"]) == (
        "UNCHANGED",
        "externalId",
    )
    again = (await run(gateway, "lead-of-a-person"))["upsertLead"]
    assert again["results"][0]["outcome"] == "UPDATED", "iVvy does not show all of it"
    assert again["results"][0]["id"] == first["results"][0]["id"]

    made = (await run(gateway, "lead-of-a-company"))["upsertLead"]
    assert (made["errors"], made["status"]) == ([], "APPLIED")
    assert (made["contact"]["outcome"], made["company"]["matchedBy"]) == ("CREATED", "name")
    assert made["lead"]["contact"] == {"email": "joan@example.com"}
    assert made["lead"]["company"] == {"name": "Harbour Hotels"}
    again = (await run(gateway, "lead-of-a-company"))["upsertLead"]
    assert again["results"][0]["outcome"] == "UNCHANGED"
    assert again["contact"]["id"] == made["contact"]["id"]


async def test_durable_write_answers_with_the_operation_that_the_next_tab_follows(
    gateway: Gateway,
) -> None:
    status, outcomes, payload = await upsert(gateway, "durable-write")
    assert (status, payload["errors"]) == ("PENDING", [])
    assert set(outcomes.values()) == {"QUEUED"}
    # The worker may have begun by the time that the operation is read.
    assert payload["operation"]["status"] in {"PENDING", "RUNNING"}


async def test_bulk_stores_the_good_inputs_and_names_the_bad_one(gateway: Gateway) -> None:
    payload = (await run(gateway, "bulk"))["upsertContacts"]
    assert payload["operation"]["total"] == 3
    assert {tuple(problem["field"][:2]) for problem in payload["errors"]} == {("inputs", "1")}
    assert "Newsletter" in payload["errors"][0]["suggestions"]
