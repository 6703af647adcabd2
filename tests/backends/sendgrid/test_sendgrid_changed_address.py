"""A changed e-mail makes no second SendGrid contact unasked, however little siblings tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from strawberry import ID, Some

from gateway.backends.adapter import Found
from gateway.errors import NotWrittenError
from gateway.model import Backend, ContactInput, EmailChange, IvvyContactInput, title
from gateway.results import Outcome, ProblemCode
from tests.backends.sendgrid.sending import contact, plan, sent, sibling, unread, write_of

if TYPE_CHECKING:
    from typing import Any

    from tests.backends.sendgrid.conftest import Account

ADA, NEW = "ada@example.com", "new@example.com"
SILENT = {Backend.IVVY: Found(answered=False)}


@pytest.mark.parametrize("choice", [None, EmailChange.REJECT])
def test_an_address_that_a_sibling_shows_to_change_is_refused(choice: EmailChange | None) -> None:
    given = contact(email="new@example.com", sendgrid={"email_change": choice})
    made = plan(write_of(given), unread("new@example.com"), siblings=sibling("ada@example.com"))
    [problem] = made.problems
    assert (problem.code, problem.field) == (ProblemCode.INVALID, ["email"])
    assert "CREATE_NEW" in problem.message
    assert "ada@example.com" not in problem.message


def test_a_second_contact_on_request_comes_with_a_warning_of_the_old_one() -> None:
    given = contact(email="new@example.com", sendgrid={"email_change": EmailChange.CREATE_NEW})
    found = unread("new@example.com")
    made = plan(write_of(given), found, siblings=sibling("ada@example.com"))
    assert made.problems == ()
    assert sent(made) == {"email": "new@example.com"}
    [warning] = made.warnings
    assert "the former e-mail address (that of iVvy's record)" in warning.message
    assert "ada@example.com" not in warning.message


async def test_the_warning_names_the_old_contact_also_soon_after_it_was_written(
    account: Account,
) -> None:
    await account.write(email=ADA, first_name="Ada")
    given = contact(email=NEW, sendgrid={"email_change": EmailChange.CREATE_NEW})
    [warning] = (await account.plan(write_of(given), sibling(ADA))).warnings
    assert account.held(ADA).id in warning.message


@pytest.mark.parametrize("held", ["ADA@example.com", None, ""])
def test_an_address_that_does_not_change_is_no_problem(held: str | None) -> None:
    given = contact(email="ada@example.com")
    made = plan(write_of(given), siblings=sibling(held))
    assert (made.problems, made.warnings) == ((), ())


@pytest.mark.parametrize("backend", [Backend.IVVY, Backend.EVERBRIDGE])
def test_any_backend_with_another_address_shows_the_change(backend: Backend) -> None:
    both = sibling(ADA, Backend.IVVY) | sibling(ADA, Backend.EVERBRIDGE)
    given = write_of(contact(email=ADA))
    assert plan(given, siblings=both).problems == ()
    [problem] = plan(given, siblings=both | sibling("old@example.com", backend)).problems
    assert (problem.code, problem.field) == (ProblemCode.INVALID, ["email"])
    assert f"{title(backend)} holds" in problem.message


async def test_a_change_that_sendgrid_has_already_seen_makes_nothing_new(account: Account) -> None:
    write = write_of(contact(external_id="E-1001", email=ADA, first_name="A"))
    assert account.adapter.needs_siblings(write)
    made = await account.plan(write, sibling("gone@example.com", Backend.EVERBRIDGE))
    assert (made.problems, made.warnings) == ((), ())
    assert made.outcome is Outcome.ACCEPTED
    assert account.wire.calls == [("POST", "/contacts/search/identifiers/email")]


@pytest.mark.parametrize(
    ("email", "former"),
    [
        (ADA, ["mary@example.com"]),
        (NEW, ["gone@example.com"]),
        (ADA, ["gone@example.com", "mary@example.com"]),
    ],
)
async def test_a_change_is_refused_while_sendgrid_has_a_former_address_or_not_the_new_one(
    account: Account, email: str, former: list[str]
) -> None:
    backends = [Backend.IVVY, Backend.EVERBRIDGE]
    siblings: dict[Backend, Found] = {}
    for backend, address in zip(backends, former, strict=False):
        siblings |= sibling(address, backend)
    made = await account.plan(write_of(contact(external_id="E-1001", email=email)), siblings)
    assert [problem.code for problem in made.problems] == [ProblemCode.INVALID]


async def test_an_address_that_was_accepted_a_moment_ago_is_held(account: Account) -> None:
    await account.write(email=NEW, first_name="N")
    write = write_of(contact(external_id="E-9", email=NEW, first_name="M"))
    made = await account.plan(write, sibling("gone@example.com"))
    assert made.problems == ()
    back = write_of(contact(external_id="E-9", email=ADA, first_name="M"))
    assert len((await account.plan(back, sibling(NEW))).problems) == 1


async def test_a_change_is_refused_when_sendgrid_does_not_tell(account: Account) -> None:
    account.wire.stub = lambda _request: httpx.Response(403, json={"errors": []})
    write = write_of(contact(external_id="E-1001", email=ADA))
    made = await account.plan(write, sibling("gone@example.com"))
    assert [problem.code for problem in made.problems] == [ProblemCode.INVALID]


@pytest.mark.parametrize(
    "keys", [{"external_id": "E-9"}, {"ivvy": "4711"}, {"external_id": "E-9", "ivvy": "4711"}]
)
async def test_a_silent_sibling_keeps_a_contact_from_being_made(
    account: Account, keys: dict[str, Any]
) -> None:
    with pytest.raises(NotWrittenError) as caught:
        await account.plan(write_of(_with_ids(email=NEW, **keys)), SILENT)
    problem = caught.value.problem
    assert (problem.code, problem.retryable) == (ProblemCode.UNAVAILABLE, True)
    assert "iVvy did not answer" in problem.message
    assert "SendGrid shows none" in problem.message
    assert account.wire.calls == [("POST", "/contacts/search/identifiers/email")]


async def test_a_silent_sendgrid_is_not_said_to_show_no_contact(account: Account) -> None:
    account.wire.stub = lambda _request: httpx.Response(403, json={"errors": []})
    with pytest.raises(NotWrittenError) as caught:
        await account.plan(write_of(contact(external_id="E-9", email=NEW)), SILENT)
    assert "SendGrid does not tell whether it has one" in caught.value.problem.message


async def test_a_silent_sibling_matters_not_for_a_contact_that_sendgrid_has(
    account: Account,
) -> None:
    made = await account.plan(write_of(contact(external_id="E-1001", email=ADA)), SILENT)
    assert (made.outcome, made.problems) == (Outcome.ACCEPTED, ())


@pytest.mark.parametrize(
    "fields",
    [
        {"email": NEW},
        {"email": NEW, "external_id": "E-9", "sendgrid": {"email_change": EmailChange.CREATE_NEW}},
    ],
)
async def test_a_silent_sibling_matters_not_where_it_has_nothing_to_tell(
    account: Account, fields: dict[str, Any]
) -> None:
    made = await account.plan(write_of(contact(**fields)), SILENT)
    assert (made.outcome, made.problems) == (Outcome.ACCEPTED, ())
    assert account.wire.calls == []


async def test_what_is_wrong_with_the_input_is_told_though_a_sibling_is_silent(
    account: Account,
) -> None:
    write = write_of(contact(external_id="E-9", email=NEW, first_name="x" * 51))
    made = await account.plan(write, SILENT)
    assert [problem.code for problem in made.problems] == [ProblemCode.TOO_LONG]


def _with_ids(*, ivvy: str | None = None, **fields: Any) -> ContactInput:
    given = contact(**fields)
    if ivvy is not None:
        given.ivvy = Some(IvvyContactInput(id=Some(ID(ivvy))))
    return given
