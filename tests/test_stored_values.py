"""What is stored of inputs and receipts, and read back the same: absent is not null."""

from __future__ import annotations

from typing import Any

import pytest
from strawberry import ID, Some

from gateway.model import AddressInput, Backend, ContactInput, IvvyContactInput
from gateway.results import BackendResult, ImportJob, JobStatus, Outcome, Problem, ProblemCode
from gateway.stored_values import from_stored, to_stored


def some(value: Any) -> Any:
    return Some(value)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (ContactInput(), {}),
        (ContactInput(email=some("a@example.com")), {"email": "a@example.com"}),
        (ContactInput(email=some(None)), {"email": None}),
        (ContactInput(groups_name=some(["VIP", "Press"])), {"groups_name": ["VIP", "Press"]}),
        (ContactInput(groups_name=some([])), {"groups_name": []}),
        (ContactInput(groups_name=some(None)), {"groups_name": None}),
        (
            ContactInput(addresses=some([AddressInput(city=some("Perth"), region=some(None))])),
            {"addresses": [{"city": "Perth", "region": None}]},
        ),
        (
            ContactInput(ivvy=some(IvvyContactInput(group_ids=some(None)))),
            {"ivvy": {"group_ids": None}},
        ),
        (ContactInput(ivvy=some(None)), {"ivvy": None}),
    ],
)
def test_an_input_is_stored_as_it_was_given(given: ContactInput, stored: dict[str, Any]) -> None:
    assert to_stored(given) == stored
    assert from_stored(ContactInput, stored) == given


def test_a_result_is_read_back_with_all_that_is_in_it() -> None:
    problem = Problem(
        backend=Backend.IVVY, code=ProblemCode.INVALID, message="No.", field=["email"]
    )
    job = ImportJob(
        backend=Backend.SENDGRID, id=ID("7"), status=JobStatus.PENDING, requested_count=1
    )
    result = BackendResult(
        backend=Backend.SENDGRID,
        outcome=Outcome.PARTIAL,
        changed_fields=["email"],
        jobs=[job],
        errors=[problem],
    )
    stored = to_stored(result)
    assert (stored["outcome"], stored["id"], stored["jobs"][0]["status"]) == (
        "PARTIAL",
        None,
        "PENDING",
    )
    assert from_stored(BackendResult, stored) == result
