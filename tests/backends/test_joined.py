"""Chunks of keys, one answer about many of them, and values as records show them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.backends.adapter import KeyKind, Stored
from gateway.backends.joined import chunked, side_by_side
from gateway.entries import CustomFieldType, FieldInfo, Option
from gateway.errors import NotWrittenError
from gateway.matching import sorted_by_value
from gateway.model import Backend
from gateway.record_values import shown_country, shown_phone, shown_text, shown_values
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Sequence


def row(key: str, external_id: str | None = None, email: str | None = None) -> Stored:
    return Stored(id=key, external_id=external_id, email=email, raw={}, read_at=0.0)


# ---------------------------------------------------------------- chunks


@given(
    st.lists(st.text(max_size=12), max_size=40),
    st.integers(1, 7),
    st.none() | st.integers(1, 60),
    st.integers(0, 4),
)
def test_every_value_is_in_one_chunk_and_no_chunk_is_too_large(
    values: list[str], most: int, longest: int | None, each: int
) -> None:
    from urllib.parse import quote

    chunks = chunked(values, most=most, longest=longest, each=each)
    assert [value for chunk in chunks for value in chunk] == list(dict.fromkeys(values))
    for chunk in chunks:
        assert 1 <= len(chunk) <= most
        length = sum(len(quote(value, safe="")) + each for value in chunk)
        assert longest is None or length <= longest or len(chunk) == 1


async def test_a_chunk_that_fails_has_its_failure_for_each_of_its_values() -> None:
    failure = NotWrittenError(Problem(code=ProblemCode.UNAVAILABLE, message="down"))

    async def ask(chunk: Sequence[str]) -> dict[str, list[Stored]]:
        if "b" in chunk:
            raise failure
        return {value: [row(value)] for value in chunk}

    answer = await side_by_side([["a"], ["b", "c"]], ask, asyncio.Semaphore(1))
    assert answer == {"a": [row("a")], "b": failure, "c": failure}


async def test_no_more_calls_are_under_way_than_allowed() -> None:
    under_way, most = 0, 0

    async def ask(chunk: Sequence[str]) -> dict[str, list[Stored]]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return {value: [] for value in chunk}

    await side_by_side([[str(number)] for number in range(20)], ask, asyncio.Semaphore(3))
    assert most == 3


# ---------------------------------------------------------------- one answer about many


def test_rows_stand_under_the_values_that_they_fit() -> None:
    ada, twin = row("1", "E-1", "Ada@example.com"), row("2", "E-2", "ada@example.com")
    values = ["ada@example.com", "ADA@example.com", "x@example.com"]
    assert sorted_by_value(Backend.IVVY, KeyKind.EMAIL, values, [ada, twin]) == {
        "ada@example.com": [ada, twin],
        "ADA@example.com": [ada, twin],
        "x@example.com": [],
    }
    assert sorted_by_value(Backend.IVVY, KeyKind.NATIVE_ID, ["2", "3"], [twin]) == {
        "2": [twin],
        "3": [],
    }


def test_an_external_id_in_another_case_is_another_record() -> None:
    found = sorted_by_value(Backend.IVVY, KeyKind.EXTERNAL_ID, ["e-1"], [row("1", "E-1")])
    assert found == {"e-1": []}


@pytest.mark.parametrize(
    ("kind", "stranger"),
    [
        (KeyKind.EXTERNAL_ID, row("9", "E-9")),
        (KeyKind.EXTERNAL_ID, row("9")),
        (KeyKind.EMAIL, row("9", email="z@example.com")),
        (KeyKind.NATIVE_ID, row("9")),
    ],
)
def test_a_row_that_fits_nothing_says_that_the_filter_was_ignored(
    kind: KeyKind, stranger: Stored
) -> None:
    with pytest.raises(NotWrittenError) as raised:
        sorted_by_value(Backend.EVERBRIDGE, kind, ["E-1"], [stranger])
    problem = raised.value.problem
    assert (problem.code, problem.retryable) == (ProblemCode.BACKEND_ERROR, True)
    assert "record 9" in problem.message


# ---------------------------------------------------------------- values


def info(kind: CustomFieldType, *options: tuple[str, str]) -> FieldInfo:
    return FieldInfo(type=kind, options=tuple(Option(value=v, label=text) for v, text in options))


@pytest.mark.parametrize(
    ("definition", "held", "shown"),
    [
        (info(CustomFieldType.CHOICE, ("1", "Day"), ("2", "Night")), ["2"], ["Night"]),
        (info(CustomFieldType.CHOICE, ("1", "Day")), ["7"], ["7"]),
        (info(CustomFieldType.CHOICE, ("1", "Same"), ("2", "Same")), ["2"], ["2"]),
        (info(CustomFieldType.MULTIPLE_CHOICE, ("a", "Vegan")), [""], []),
        (info(CustomFieldType.DATE), ["2022-08-30 10:00:00 UTC"], ["2022-08-30T10:00:00Z"]),
        (info(CustomFieldType.DATE), ["2022-08-30 00:00:00"], ["2022-08-30"]),
        (info(CustomFieldType.DATE), ["someday"], ["someday"]),
        (info(CustomFieldType.NUMBER), [1815], ["1815"]),
        (info(CustomFieldType.NUMBER), ["007", 1815.0, "12.50"], ["7", "1815", "12.5"]),
        (
            info(CustomFieldType.NUMBER),
            [1e22, 1e3, "-0.50", "100"],
            ["1e+22", "1000", "-0.5", "100"],
        ),
        (info(CustomFieldType.NUMBER), ["many"], ["many"]),
        (info(CustomFieldType.TEXT), [True, None, "x"], ["true", "x"]),
        (None, [{"line1": "x"}], ['{"line1":"x"}']),
    ],
)
def test_custom_field_values_are_shown_as_the_input_takes_them(
    definition: FieldInfo | None, held: list[Any], shown: list[str]
) -> None:
    assert shown_values(definition, held) == shown


def test_plain_values_are_shown_normalised_where_they_can_be_read() -> None:
    assert shown_phone("07700 900123", "GB") == "+447700900123"
    assert shown_phone("07700 900123") == "07700 900123"
    assert shown_phone("") is None
    assert shown_country("de") == "DE"
    assert shown_country("Germany") == "Germany"
    assert shown_country(None) is None
    assert shown_text(12) == "12"
    assert shown_text([]) is None
