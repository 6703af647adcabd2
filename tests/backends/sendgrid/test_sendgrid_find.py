"""How SendGrid's contacts are found, and when nobody is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.errors import NotWrittenError
from gateway.model import (
    EmailChange,
    MissingPolicy,
)
from gateway.results import ProblemCode
from tests.backends.sendgrid.sending import contact, sibling, write_of

if TYPE_CHECKING:
    from tests.backends.sendgrid.conftest import Account

ADA = "ada@example.com"


@pytest.mark.parametrize(
    "fields",
    [{"first_name": "A"}, {"add_groups_name": ["VIP"]}, {"phone": None, "addresses": []}],
)
async def test_a_plain_patch_reads_no_contact(account: Account, fields: dict[str, Any]) -> None:
    found = await account.find(write_of(contact(email=ADA, **fields)))
    assert (found.looked, found.stored, found.matched_by) == (False, None, None)
    assert account.wire.calls == []


async def test_nobody_by_that_address_is_a_new_contact(account: Account) -> None:
    found = await account.find(write_of(contact(email="new@example.com", groups_name=[])))
    assert (found.looked, found.stored) == (True, None)
    assert account.wire.calls == [("POST", "/contacts/search/emails")]


async def test_an_alternate_address_is_no_match(account: Account) -> None:
    write = write_of(contact(email="M.Somerville@example.org", groups_name=["VIP"]))
    found = await account.find(write)
    assert (found.looked, found.stored) == (True, None)
    assert account.wire.calls[-1] == ("POST", "/contacts/search/identifiers/email")


async def test_an_answer_with_another_contact_is_never_taken_for_no_match(
    account: Account,
) -> None:
    row = {"id": "c-9", "email": "mary@example.com", "alternate_emails": None}
    account.wire.stub = lambda _request: httpx.Response(
        200, json={"result": {ADA: {"contact": row}}}
    )
    with pytest.raises(NotWrittenError) as caught:
        await account.find(write_of(contact(email=ADA, groups_name=[])))
    assert caught.value.problem.code is ProblemCode.BACKEND_ERROR


@pytest.mark.parametrize(
    "row",
    [
        {"contact": {"email": ADA}},
        {"contact": []},
        {"error": "internal error"},
        {"contact": None, "error": {"message": "try later"}},
        {"id": "c-1", "email": ADA},
        {},
        "c-1",
    ],
)
async def test_an_answer_that_cannot_be_read_is_never_taken_for_no_match(
    account: Account, row: Any
) -> None:
    account.wire.stub = lambda _request: httpx.Response(200, json={"result": {ADA: row}})
    with pytest.raises(NotWrittenError):
        await account.find(write_of(contact(email=ADA, groups_name=[])))


async def test_a_long_address_is_looked_up_by_the_search_that_takes_it(account: Account) -> None:
    domain = ".".join(["x" * 30] * 3) + ".example.com"
    await account.find(write_of(contact(email=f"ada@{domain}", groups_name=[])))
    assert account.wire.calls == [("POST", "/contacts/search/identifiers/email")]


async def test_a_key_is_borrowed_from_a_sibling_and_named(account: Account) -> None:
    write = write_of(contact(external_id="E-1001", first_name="A"))
    assert account.adapter.needs_siblings(write)
    found = await account.find(write, sibling("Ada@Example.com"))
    assert (found.looked, found.matched_by) == (False, "IVVY.email")
    plan = await account.plan(write, sibling("Ada@Example.com"))
    assert plan.calls[0].body["contacts"] == [{"email": ADA, "first_name": "A"}]


async def test_a_null_does_not_forbid_the_key_of_a_sibling(account: Account) -> None:
    write = write_of(contact(external_id="E-1001", email=None, first_name="A"))
    assert account.adapter.needs_siblings(write)
    plan = await account.plan(write, sibling(ADA))
    assert (plan.problems, plan.matched_by) == ((), "IVVY.email")
    assert plan.calls[0].body["contacts"] == [{"email": ADA, "first_name": "A"}]


async def test_without_any_key_the_identifier_is_required(account: Account) -> None:
    write = write_of(contact(external_id="E-1"))
    assert (await account.find(write)).keyless
    [problem] = (await account.plan(write)).problems
    assert (problem.code, problem.field) == (ProblemCode.REQUIRED, ["email"])


async def test_if_missing_skip_asks_whether_the_contact_is_there(account: Account) -> None:
    how = {"if_missing": MissingPolicy.SKIP}
    missing = await account.find(write_of(contact(email="new@example.com"), **how))
    assert (missing.looked, missing.stored) == (True, None)
    there = await account.find(write_of(contact(email=ADA), **how))
    assert there.stored is not None


async def test_siblings_are_needed_for_a_missing_key_and_for_a_second_contact(
    account: Account, by_external_id: Account
) -> None:
    again = {"email_change": EmailChange.CREATE_NEW}
    plain = write_of(contact(email=ADA))
    second = write_of(contact(email=ADA, sendgrid=again))
    assert not account.adapter.needs_siblings(plain)
    assert account.adapter.needs_siblings(second)
    assert by_external_id.adapter.needs_siblings(plain)
    both = write_of(contact(email=ADA, external_id="E-1", sendgrid=again))
    assert not by_external_id.adapter.needs_siblings(both)


async def test_a_second_contact_names_the_one_that_stays(account: Account) -> None:
    write = write_of(
        contact(email="new@example.com", sendgrid={"email_change": EmailChange.CREATE_NEW})
    )
    plan = await account.plan(write, sibling(ADA))
    [warning] = plan.warnings
    assert account.held(ADA).id in warning.message
    unknown = await account.plan(write, sibling("gone@example.com"))
    assert "keeps a contact, if there is one, with" in unknown.warnings[0].message
    assert "gone@example.com" not in unknown.warnings[0].message


async def test_list_ids_are_checked_by_their_form(account: Account) -> None:
    write = write_of(contact(email=ADA, sendgrid={"list_ids": ["VIP"]}))
    [problem] = account.adapter.check(write)
    assert (problem.code, problem.field) == (ProblemCode.INVALID, ["sendgrid", "listIds", "0"])
