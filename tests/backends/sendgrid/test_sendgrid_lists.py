"""Joining and leaving SendGrid's lists, and an address that changes."""

from __future__ import annotations

import pytest

from gateway.calls import Safety
from gateway.model import (
    Backend,
    EmailChange,
)
from gateway.results import Outcome, ProblemCode
from tests.backends.sendgrid.sending import (
    ADA,
    BERLIN,
    NEWSLETTER,
    calls,
    contact,
    plan,
    seen,
    sent,
    sibling,
    unread,
    write_of,
)


def test_an_exact_set_joins_with_the_upsert_and_leaves_by_calls_of_their_own() -> None:
    given = contact(email="ada@example.com", groups_name=["Berlin Office"])
    made = plan(write_of(given), seen())
    removal = "/v3/marketing/lists/{}/contacts?contact_ids=" + ADA["id"]
    assert calls(made) == [
        (
            "PUT",
            "/v3/marketing/contacts",
            {"list_ids": [BERLIN], "contacts": [{"email": "ada@example.com"}]},
        ),
        ("DELETE", removal.format(NEWSLETTER), None),
        ("DELETE", removal.format("33333333-3333-4333-8333-333333333333"), None),
    ]
    assert made.changed == ("groupsName",)
    assert {call.safety for call in made.calls} == {Safety.REPEATABLE}


@pytest.mark.parametrize("nothing", [[], None])
def test_no_groups_take_the_contact_off_every_list(nothing: list[str] | None) -> None:
    made = plan(write_of(contact(email="ada@example.com", groups_name=nothing)), seen())
    assert [call.method for call in made.calls] == ["DELETE", "DELETE"]


def test_removal_alone_needs_no_upsert() -> None:
    given = contact(email="ada@example.com", remove_groups_name=["VIP", "Berlin Office"])
    made = plan(write_of(given), seen())
    assert [call.method for call in made.calls] == ["DELETE"]
    assert made.changed == ("removeGroupsName",)


def test_names_that_sendgrid_does_not_know_leave_its_lists_alone() -> None:
    made = plan(write_of(contact(email="ada@example.com", groups_name=["Fire Wardens"])), seen())
    assert (made.outcome, made.ignored) == (Outcome.UNCHANGED, ("groupsName",))


def test_list_ids_win_over_names() -> None:
    given = contact(
        email="ada@example.com", groups_name=["VIP"], sendgrid={"list_ids": [NEWSLETTER, BERLIN]}
    )
    made = plan(write_of(given), seen())
    assert made.calls[0].body["list_ids"] == [BERLIN]
    assert [call.method for call in made.calls] == ["PUT", "DELETE"]
    assert (made.changed, made.ignored) == (("sendgrid.listIds",), ("groupsName",))


def test_a_list_id_that_does_not_exist_is_not_found() -> None:
    unknown = "99999999-9999-4999-8999-999999999999"
    given = contact(email="ada@example.com", sendgrid={"list_ids": [NEWSLETTER, unknown]})
    [problem] = plan(write_of(given), seen()).problems
    assert problem.code is ProblemCode.NOT_FOUND
    assert problem.field == ["sendgrid", "listIds", "1"]


# ---------------------------------------------------------------- a changed address


@pytest.mark.parametrize("choice", [None, EmailChange.REJECT])
def test_an_address_that_a_sibling_shows_to_change_is_refused(choice: EmailChange | None) -> None:
    given = contact(email="new@example.com", sendgrid={"email_change": choice})
    made = plan(write_of(given), unread("new@example.com"), siblings=sibling("ada@example.com"))
    [problem] = made.problems
    assert (problem.code, problem.field) == (ProblemCode.INVALID, ["email"])
    assert "CREATE_NEW" in problem.message
    assert "ada@example.com" in problem.message


def test_a_second_contact_on_request_comes_with_a_warning_that_names_the_old_one() -> None:
    given = contact(email="new@example.com", sendgrid={"email_change": EmailChange.CREATE_NEW})
    found = unread("new@example.com")
    made = plan(write_of(given), found, siblings=sibling("ada@example.com"))
    assert made.problems == ()
    assert sent(made) == {"email": "new@example.com"}
    [warning] = made.warnings
    assert "ada@example.com" in warning.message


@pytest.mark.parametrize("held", ["ADA@example.com", None, ""])
def test_an_address_that_does_not_change_is_no_problem(held: str | None) -> None:
    given = contact(email="ada@example.com")
    made = plan(write_of(given), siblings=sibling(held))
    assert (made.problems, made.warnings) == ((), ())


def test_the_first_backend_with_an_address_decides_whether_it_changes() -> None:
    given = contact(email="ada@example.com")
    siblings = sibling("ada@example.com") | sibling("old@example.com", Backend.EVERBRIDGE)
    assert plan(write_of(given), siblings=siblings).problems == ()
    siblings = sibling(None) | sibling("old@example.com", Backend.EVERBRIDGE)
    assert len(plan(write_of(given), siblings=siblings).problems) == 1
