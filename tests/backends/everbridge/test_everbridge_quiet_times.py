"""Quiet times: stored paths and input to the exact frames, without I/O."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.model import Weekday
from gateway.results import Outcome, ProblemCode
from tests.backends.everbridge.many_paths import (
    ADA,
    DESK_PATH,
    MAIL_PATH,
    MOBILE_PATH,
    NIGHT,
    paths_after,
)
from tests.backends.everbridge.writing import MOBILE, contact, frame, path, plan, sent


def test_absent_quiet_times_are_sent_as_they_are_stored() -> None:
    assert sent(plan(contact(first_name="X"), ADA))["paths"] == ADA["paths"]
    given = [path("07700 900333", prompt="Mobile Phone")]
    assert paths_after(paths=given) == [{**MOBILE_PATH, "value": "7700900333"}]


@pytest.mark.parametrize("nothing", [None, []])
def test_null_clears_quiet_times_with_an_empty_list(nothing: list[Any] | None) -> None:
    given = [path("7700900101", prompt="Mobile Phone", quiet_time_frames=nothing)]
    assert paths_after(paths=given) == [{**MOBILE_PATH, "quietTimeFrames": []}]


def test_quiet_times_are_set_and_keep_what_the_gateway_does_not_know_of_them() -> None:
    frames = [
        frame("Day", Weekday.SATURDAY, Weekday.SUNDAY, begin=9, end=17),
        frame("Night", Weekday.TUESDAY, Weekday.MONDAY, begin=23),
    ]
    given = [path("7700900101", prompt="Mobile Phone", quiet_time_frames=frames)]
    [mobile] = paths_after(paths=given)
    assert mobile["quietTimeFrames"] == [
        {"name": "Day", "days": [1, 7], "fromHour": 9, "fromMin": 0, "toHour": 17, "toMin": 30},
        {**NIGHT, "fromHour": 23, "colour": "blue"},
    ]


def test_the_same_quiet_times_are_unchanged_even_without_their_names() -> None:
    raw = {**ADA, "paths": [MOBILE_PATH]}
    frames = [frame(None, Weekday.TUESDAY, Weekday.MONDAY)]
    given = [path("7700900101", prompt="Mobile Phone", quiet_time_frames=frames)]
    assert plan(contact(paths=given), raw).outcome is Outcome.UNCHANGED


def test_frames_without_names_get_some() -> None:
    frames = [frame(), frame("Night"), frame()]
    given = [path("7700900101", prompt="Mobile Phone", quiet_time_frames=frames)]
    [mobile] = paths_after(paths=given)
    names = [each["name"] for each in mobile["quietTimeFrames"]]
    assert names == ["Quiet time 1", "Night", "Quiet time 3"]


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (ADA, {"timezone_id": None}),
        (
            {**ADA, "timezoneId": None, "paths": []},
            {"paths": [path("07700 900101", prompt="SMS", quiet_time_frames=[frame("Night")])]},
        ),
    ],
)
def test_quiet_times_need_a_time_zone(raw: dict[str, Any], fields: dict[str, Any]) -> None:
    [problem] = plan(contact(**fields), raw).problems
    assert (problem.code, problem.field) == (ProblemCode.REQUIRED, ["timezoneId"])


def test_a_stored_contact_without_time_zone_can_still_be_written() -> None:
    raw = {key: value for key, value in ADA.items() if key != "timezoneId"}
    bare = {key: value for key, value in MOBILE_PATH.items() if key != "quietTimeFrames"}
    assert paths_after(raw, first_name="X") == [bare, MAIL_PATH, DESK_PATH]


def test_a_time_zone_given_with_the_quiet_times_is_enough() -> None:
    raw = {key: value for key, value in ADA.items() if key != "timezoneId"}
    assert paths_after(raw, timezone_id="Europe/Berlin") == ADA["paths"]


def test_of_two_paths_with_one_id_each_keeps_its_own_quiet_times() -> None:
    twin = {"pathId": MOBILE, "value": "7700900777", "countryCode": "GB"}
    raw = {**ADA, "paths": [MOBILE_PATH, twin]}
    assert paths_after(raw, first_name="X") == [MOBILE_PATH, {**twin, "quietTimeFrames": []}]
