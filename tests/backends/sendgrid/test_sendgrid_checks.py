"""What SendGrid minds whatever it holds is told before it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from strawberry import Some

from gateway.model import AddressInput
from gateway.results import ProblemCode
from tests.backends.sendgrid.sending import contact, plan, write_of

if TYPE_CHECKING:
    from tests.backends.sendgrid.conftest import Account


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ({"first_name": "x" * 51}, ["firstName"], ProblemCode.TOO_LONG),
        ({"last_name": "x" * 51}, ["lastName"], ProblemCode.TOO_LONG),
        (
            {"addresses": [AddressInput(city=Some("x" * 61))]},
            ["addresses", "0", "city"],
            ProblemCode.TOO_LONG,
        ),
        (
            {"alternate_emails": [f"ada{n}@example.com" for n in range(6)]},
            ["alternateEmails"],
            ProblemCode.TOO_MANY,
        ),
        (
            {"sendgrid": {"list_ids": ["VIP"]}},
            ["sendgrid", "listIds", "0"],
            ProblemCode.INVALID,
        ),
    ],
)
async def test_lengths_and_numbers_are_judged_without_asking(
    account: Account, fields: dict[str, Any], path: list[str], code: ProblemCode
) -> None:
    write = write_of(contact(email="ada@example.com", **fields))
    [problem] = account.adapter.check(write)
    assert (problem.field, problem.code) == (path, code)
    if "sendgrid" not in fields:
        assert plan(write).problems == (problem,), "the plan says the same, which is told once"


async def test_what_has_its_length_is_no_problem(account: Account) -> None:
    given = contact(
        email="ada@example.com",
        first_name="x" * 50,
        last_name=None,
        alternate_emails=None,
        addresses=[AddressInput(line1=Some("x" * 100), city=Some(None))],
    )
    assert account.adapter.check(write_of(given)) == []
