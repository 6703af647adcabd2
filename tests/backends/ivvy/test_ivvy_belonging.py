"""What an iVvy contact belongs to: groups, by a set or by single calls, and companies."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.backends.ivvy.belonging import tell_of_link
from gateway.backends.ivvy.contact import contact_body
from gateway.calls import FromReply, Safety, shown
from gateway.results import Outcome, ProblemCode
from tests.backends.ivvy.writing import (
    NEW,
    bodies,
    contact,
    plan,
    resolved,
    sent,
    stored,
    write_of,
)


def test_a_new_contact_joins_single_groups_by_its_new_id() -> None:
    given = contact(**NEW, add_groups_name=["Newsletter"], remove_groups_name=["Berlin Office"])
    made = plan(write_of(given), None)
    create, join = made.calls
    assert "groups" not in create.body
    assert join.body == {"contacts": [FromReply(call=0, key="id", whole=True)], "group": 301}
    body: Any = shown(join).body
    assert body == {"contacts": ["<id of call 1>"], "group": 301}
    assert "addGroupsName" in made.changed
    assert "removeGroupsName" not in made.changed


def test_single_groups_are_joined_and_left_by_calls_of_their_own() -> None:
    given = contact(
        first_name="Augusta", add_groups_name=["Berlin Office"], remove_groups_name=["Newsletter"]
    )
    made = plan(write_of(given), stored())
    assert bodies(made) == [
        ("addOrUpdateContact", {"id": 40001, "firstName": "Augusta"}),
        ("addContactsToSubscriptionGroup", {"contacts": [40001], "group": 302}),
        ("removeContactsFromSubscriptionGroup", {"contacts": [40001], "group": 301}),
    ]
    assert {call.safety for call in made.calls} == {Safety.REPEATABLE}


def test_groups_that_ivvy_does_not_know_leave_its_memberships_alone() -> None:
    made = plan(write_of(contact(groups_name=["Fire Wardens"])), stored())
    assert (made.outcome, made.ignored) == (Outcome.UNCHANGED, ("groupsName",))


def test_null_native_lists_clear() -> None:
    made = plan(write_of(contact(ivvy={"group_ids": None, "company_ids": None})), stored())
    assert sent(made) == {"groups": [], "companies": []}


def test_a_group_that_does_not_exist_keeps_the_others_from_being_set() -> None:
    write = write_of(contact(ivvy={"group_ids": ["302", "999"]}))
    body = contact_body(write, stored(), resolved(write))
    assert [problem.code for problem in body.problems] == [ProblemCode.NOT_FOUND]
    assert "groups" not in body.parameters


def test_a_company_that_does_not_exist_keeps_the_others_from_being_set() -> None:
    write = write_of(contact(ivvy={"company_ids": ["7002", "888"]}))
    body = contact_body(write, stored(), resolved(write))
    assert [problem.code for problem in body.problems] == [ProblemCode.NOT_FOUND]
    assert body.parameters == {}


def test_companies_by_id_alone_leave_no_name_to_ignore() -> None:
    made = plan(write_of(contact(ivvy={"company_ids": ["7002"]})), stored())
    assert (made.ignored, made.changed) == ((), ("ivvy.companyIds",))


@pytest.mark.parametrize(
    ("fields", "after"),
    [
        pytest.param({"companies_name": ["Hotels"]}, [7002, 7001], id="beside a name"),
        pytest.param({"ivvy": {"company_ids": ["7002"]}}, [7002, 7001], id="beside an id"),
        pytest.param({"companies_name": None}, None, id="it is the one that stays"),
        pytest.param({"companies_name": ["Engines"]}, None, id="it is named already"),
        pytest.param({}, None, id="the input says nothing of companies"),
    ],
)
def test_the_company_of_a_lead_stays_with_its_contact(
    fields: dict[str, Any], after: list[int] | None
) -> None:
    write = write_of(contact(**fields))
    resolution = resolved(write)
    body = contact_body(write, stored(companies=[7001]), resolution, linked_to="7001")
    assert body.parameters.get("companies") == after


@pytest.mark.parametrize(
    ("changed", "after"),
    [
        ([], ["companiesName"]),
        (["firstName"], ["firstName", "companiesName"]),
        (["companiesName"], ["companiesName"]),
        (["ivvy.companyIds"], ["ivvy.companyIds"]),
    ],
)
def test_a_link_to_a_company_is_told_once(changed: list[str], after: list[str]) -> None:
    tell_of_link(changed)
    assert changed == after
