"""Which refusals of a custom field SendGrid takes back a little later, and which it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.backends.sendgrid.client import put_contacts
from gateway.backends.sendgrid.new_fields import too_new
from gateway.entries import CatalogName
from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from tests.backends.sendgrid.conftest import Account


@pytest.mark.parametrize(
    ("said", "retried"),
    [
        ("invalid custom field id '{listed}'", True),
        ("invalid custom field id 'e9_T'", False),
        ("invalid custom field id", False),
        ("custom field '{listed}' is too long", False),
    ],
)
async def test_only_a_field_that_is_listed_and_refused_as_unknown_is_tried_again(
    account: Account, said: str, retried: bool
) -> None:
    exchange, catalogs = account.exchange(), account.adapter.catalogs
    listed = (await catalogs.read(CatalogName.CUSTOM_FIELDS, exchange)).entries[0].id
    sent = {"email": "ada@example.com", "custom_fields": {listed: "x", "e9_T": "y"}}
    refused = Problem(
        backend=Backend.SENDGRID,
        code=ProblemCode.INVALID,
        message="Refused.",
        backend_message=said.format(listed=listed),
    )
    later = await too_new(put_contacts([sent], []), refused, catalogs, exchange)
    assert (later is not None and later.retryable) is retried
