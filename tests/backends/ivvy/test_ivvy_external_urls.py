"""iVvy's external URLs: merged by ref, with nulls that reach the wire."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strawberry import Some

from gateway.backends.ivvy.external_urls import MOST, needs_stored_urls
from gateway.model import ExternalUrlInput, WriteMode
from gateway.results import Outcome, ProblemCode
from tests.backends.ivvy.writing import NEW, contact, plan, sent, stored, write_of

A = {"ref": "a", "url": "https://a.example", "label": "A"}
B = {"ref": "b", "url": "https://b.example", "label": None}
C = {"ref": "c", "url": "https://c.example"}


def link(ref: str, **parts: str | None) -> ExternalUrlInput:
    return ExternalUrlInput(ref=ref, **{name: Some(value) for name, value in parts.items()})


def arrays_sent(
    given: list[ExternalUrlInput] | None, *held: dict[str, Any], **how: Any
) -> list[Any]:
    """The arrays that are sent, one after the other, to a contact with these links."""
    names: dict[str, Any] = {"first_name": "Ada", "last_name": "Byron", "phone": "+447700900101"}
    lists = {"groups_name": ["Newsletter"], "companies_name": ["Engines"]}
    fields = names | lists if how else {}
    write = write_of(contact(external_urls=given, **fields), **how)
    made = plan(write, stored(externalUrls=list(held), customFields=[]))
    assert made.problems == ()
    bodies = [call.body for call in made.calls]
    return [body["externalUrls"] for body in bodies if "externalUrls" in body]


def urls_sent(given: list[ExternalUrlInput] | None, *held: dict[str, Any], **how: Any) -> Any:
    """The one array that is sent to a contact with these links; "nothing" where none is sent."""
    arrays = arrays_sent(given, *held, **how)
    assert len(arrays) <= 1
    return arrays[0] if arrays else "nothing"


def test_null_removes_all_as_a_null_on_the_wire() -> None:
    made = plan(write_of(contact(external_urls=None)), stored(externalUrls=[A, B]))
    assert orjson.loads(made.calls[0].content()) == {"id": 40001, "externalUrls": None}
    assert made.changed == ("externalUrls",)


@pytest.mark.parametrize(
    ("given", "held", "expected"),
    [
        ([link("c", url="https://c.example")], [], [C]),
        (
            [link("a", url=None)],
            [A, B],
            [{"ref": "a", "url": None}, {"ref": "b", "url": "https://b.example"}],
        ),
        ([link("a", url=None)], [A], None),
        ([link("z", url=None)], [A], "nothing"),
        ([link("a", url="https://a.example")], [A], "nothing"),
        ([link("a", label="New")], [A], [{**A, "label": "New"}]),
        ([link("a", label=None)], [A], [{**A, "label": ""}]),
        ([link("b", url="https://b.example", label=None)], [B], "nothing"),
        (
            [link("b", url="https://new.example")],
            [A, B],
            [{"ref": "b", "url": "https://new.example"}, A],
        ),
        ([], [A], "nothing"),
    ],
)
def test_links_are_merged_by_ref(given: Any, held: list[dict[str, Any]], expected: Any) -> None:
    assert urls_sent(given, *held) == expected


def test_a_full_set_is_exchanged_in_two_calls_because_an_array_takes_three() -> None:
    given = [link("a", url=None), link("d", url="https://d.example")]
    write = write_of(contact(external_urls=given, last_name="Moore"))
    first, then = plan(write, stored(externalUrls=[A, B, C])).calls
    assert first.body["lastName"] == "Moore"
    unchanged_b = {"ref": "b", "url": "https://b.example"}
    assert first.body["externalUrls"] == [{"ref": "a", "url": None}, unchanged_b, C]
    assert then.body == {
        "id": 40001,
        "externalUrls": [{"ref": "d", "url": "https://d.example"}, unchanged_b, C],
    }
    # Where the second one fails, the receipt tells that the links were not changed.
    assert (first.carries, then.carries) == ((), ("externalUrls",))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([link("a", url="https://a.example", label="A"), link("b", url="https://b.example")],
         "nothing"),
        ([link("a", url="https://a.example")],
         [{"ref": "b", "url": None}, {"ref": "a", "url": "https://a.example", "label": ""}]),
        ([link("c", url="https://c.example")],
         [{"ref": "a", "url": None}, {"ref": "b", "url": None}, C]),
        ([link("a")],
         [{"ref": "b", "url": None}, {"ref": "a", "url": "https://a.example", "label": ""}]),
        ([link("a", label="New"), link("b")],
         [{**A, "label": "New"}, {"ref": "b", "url": "https://b.example"}]),
        ([], None),
        (None, None),
    ],
)  # fmt: skip
def test_in_a_replace_the_given_links_are_all(given: Any, expected: Any) -> None:
    assert urls_sent(given, A, B, mode=WriteMode.REPLACE) == expected


def test_a_fourth_link_is_too_many_counted_after_the_merge() -> None:
    write = write_of(contact(external_urls=[link("d", url="https://d.example")]))
    [problem] = plan(write, stored(externalUrls=[A, B, C])).problems
    assert (problem.code, problem.field) == (ProblemCode.TOO_MANY, ["externalUrls"])
    four = [link(ref, url=f"https://{ref}.example") for ref in "abcd"]
    assert [one.code for one in plan(write_of(contact(**NEW, external_urls=four)), None).problems]


def test_a_new_contact_gets_its_links_and_no_removals() -> None:
    given = [link("a", url="https://a.example"), link("b", url=None)]
    made = plan(write_of(contact(**NEW, external_urls=given)), None)
    assert sent(made)["externalUrls"] == [{"ref": "a", "url": "https://a.example"}]
    made = plan(write_of(contact(**NEW, external_urls=None)), None)
    assert made.outcome is Outcome.CREATED
    assert "externalUrls" not in sent(made)


@pytest.mark.parametrize(
    ("fields", "how", "needed"),
    [
        ({}, {}, False),
        ({"external_urls": []}, {}, False),
        ({"external_urls": None}, {}, True),
        ({"external_urls": [link("a", url=None)]}, {}, True),
        ({}, {"mode": WriteMode.REPLACE}, True),
        ({"external_urls": []}, {"mode": WriteMode.REPLACE}, True),
    ],
)
def test_the_stored_links_are_needed_where_something_may_change(
    fields: dict[str, Any], how: dict[str, Any], needed: bool
) -> None:
    assert needs_stored_urls(write_of(contact(**fields), **how)) is needed


def written(stored_links: dict[str, str], array: Any, *, merges: bool) -> dict[str, str]:
    """What iVvy holds after a write, by the rules of its page."""
    after = dict(stored_links) if merges else {}
    for entry in array or []:
        if entry["url"] is None:
            after.pop(entry["ref"], None)
        else:
            after[entry["ref"]] = entry["url"]
    return {} if array is None else after


LINKS = st.dictionaries(
    st.sampled_from("abcde"),
    st.sampled_from(["https://x.example", "https://y.example"]),
    max_size=MOST,
)
REMOVALS = st.sets(st.sampled_from("abcde"), max_size=2)


@given(held=LINKS, wanted=LINKS, removed=REMOVALS, replaces=st.booleans(), merges=st.booleans())
def test_after_any_write_the_links_are_those_meant_whether_ivvy_merges_or_replaces(
    held: dict[str, str], wanted: dict[str, str], removed: set[str], replaces: bool, merges: bool
) -> None:
    given_links = [link(ref, url=url) for ref, url in wanted.items()]
    given_links += [link(ref, url=None) for ref in removed - wanted.keys()]
    meant = ({} if replaces else held) | wanted
    meant = {ref: url for ref, url in meant.items() if ref in wanted or ref not in removed}
    if len(meant) > MOST:
        return
    rows = [{"ref": ref, "url": url} for ref, url in held.items()]
    how = {"mode": WriteMode.REPLACE} if replaces else {}
    for array in arrays_sent(given_links, *rows, **how):
        assert len(array or []) <= MOST
        held = written(held, array, merges=merges)
    assert held == meant
