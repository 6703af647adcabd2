"""Joining and leaving SendGrid's lists."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.calls import Safety
from gateway.results import Outcome, ProblemCode
from tests.backends.sendgrid.sending import (
    ADA,
    BERLIN,
    NEWSLETTER,
    calls,
    contact,
    plan,
    seen,
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


@pytest.mark.parametrize(
    ("groups", "carried"),
    [
        ({"groups_name": ["Berlin Office"]}, [("groupsName",), ("groupsName",), ("groupsName",)]),
        (
            {"add_groups_name": ["Berlin Office"], "remove_groups_name": ["VIP"]},
            [("addGroupsName",), ("removeGroupsName",)],
        ),
        ({"remove_groups_name": ["VIP"]}, [(), ("removeGroupsName",)]),
    ],
)
def test_each_call_says_which_memberships_it_carries(
    groups: dict[str, Any], carried: list[tuple[str, ...]]
) -> None:
    given = contact(email="ada@example.com", first_name="Eve", **groups)
    assert [call.carries for call in plan(write_of(given), seen()).calls] == carried


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
