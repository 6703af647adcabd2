"""Names to ids for one write: joined look-ups, and what each kind of miss comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from gateway.catalogs import Catalogs
from gateway.entries import CatalogName, Entry
from gateway.errors import NotWrittenError
from gateway.model import Backend
from gateway.name_problems import nowhere_found
from gateway.names import Loaders, Resolution, Wanted, resolve
from gateway.results import Problem, ProblemCode
from tests.plain_backend import within
from tests.shifted_clock import ShiftedClock

if TYPE_CHECKING:
    from gateway.upstream import Exchange

GROUPS, PATHS = CatalogName.GROUPS, CatalogName.PATHS


@dataclass
class Held:
    """The lists of one backend."""

    groups: list[tuple[str, str]] = field(default_factory=list)
    paths: list[tuple[str, str]] = field(default_factory=list)
    failure: Exception | None = None
    children: tuple[Entry, ...] = ()
    fetched: list[CatalogName] = field(default_factory=list)

    async def fetch_groups(self, _exchange: Exchange) -> list[Entry]:
        return self._answer(GROUPS, self.groups)

    async def fetch_paths(self, _exchange: Exchange) -> list[Entry]:
        return self._answer(PATHS, self.paths)

    def _answer(self, name: CatalogName, held: list[tuple[str, str]]) -> list[Entry]:
        self.fetched.append(name)
        if self.failure is not None:
            raise self.failure
        return [Entry(id=key, name=entry, children=self.children) for key, entry in held]

    def catalogs(self, backend: Backend = Backend.EVERBRIDGE) -> Catalogs:
        fetches = {GROUPS: self.fetch_groups, PATHS: self.fetch_paths}
        return Catalogs(backend, fetches, ttl=100)


def group(name: str, place: int = 0) -> Wanted:
    return Wanted(catalog=GROUPS, name=name, field=("groupsName", str(place)), shared=True)


def path(name: str) -> Wanted:
    return Wanted(catalog=PATHS, name=name, field=("paths", "0", "prompt"))


async def resolved(held: Held, *wanted: Wanted) -> Resolution:
    return await resolve(wanted, held.catalogs(), Loaders(within()))


async def test_names_asked_for_together_are_one_fetch_of_each_list() -> None:
    held = Held(groups=[("1", "A"), ("2", "B")], paths=[("9", "Email")])
    found = await resolved(held, group("A"), group("b "), path("email"), Wanted(catalog=GROUPS))
    assert [found.id(GROUPS, "A"), found.id(GROUPS, "b "), found.id(PATHS, "email")] == [
        "1",
        "2",
        "9",
    ]
    assert sorted(held.fetched) == sorted([GROUPS, PATHS])
    assert found.problems == ()
    assert set(found.catalogs) == {GROUPS, PATHS}


async def test_an_entry_is_found_by_its_id_where_the_list_was_read() -> None:
    found = await resolved(Held(groups=[("1", "A")]), Wanted(catalog=GROUPS))
    entry = found.entry(GROUPS, "1")
    assert entry is not None
    assert entry.name == "A"
    assert found.entry(GROUPS, "2") is None
    assert found.entry(PATHS, "1") is None


async def test_an_unknown_name_of_one_backend_is_its_problem_with_suggestions() -> None:
    found = await resolved(Held(paths=[("9", "Work Email")]), path("Work Emial"))
    [problem] = found.problems
    assert problem.code is ProblemCode.NAME_NOT_FOUND
    assert problem.backend is Backend.EVERBRIDGE
    assert problem.field == ["paths", "0", "prompt"]
    assert problem.suggestions == ["Work Email"]
    assert "Did you mean 'Work Email'?" in problem.message


async def test_an_unknown_shared_name_is_missing_and_no_problem_yet() -> None:
    found = await resolved(Held(groups=[("1", "Newsletter")]), group("Newsleter"))
    assert found.problems == ()
    assert found.missing == {(GROUPS, "Newsleter"): ["Newsletter"]}
    assert found.id(GROUPS, "Newsleter") is None


async def test_two_entries_of_one_name_are_ambiguous_with_their_ids() -> None:
    found = await resolved(Held(groups=[("1", "A"), ("2", "A")]), group("A"))
    [problem] = found.problems
    assert problem.code is ProblemCode.NAME_AMBIGUOUS
    assert problem.suggestions == ["1", "2"]


async def test_an_unreadable_list_is_told_and_asked_for_once() -> None:
    down = NotWrittenError(Problem(code=ProblemCode.UNAVAILABLE, message="down"))
    held = Held(failure=down)
    found = await resolved(held, group("A"), group("B"), Wanted(catalog=GROUPS))
    assert found.unreadable is not None
    assert found.unreadable.problem.code is ProblemCode.UNAVAILABLE
    assert found.missing == {}
    assert held.fetched == [GROUPS]


async def test_an_unreadable_list_that_is_wanted_whole_is_told() -> None:
    down = NotWrittenError(Problem(code=ProblemCode.UNAVAILABLE, message="down"))
    found = await resolved(Held(failure=down), Wanted(catalog=PATHS))
    assert found.unreadable is not None
    assert found.catalogs == {}


@pytest.mark.parametrize("wanted", [group("A"), Wanted(catalog=GROUPS)])
async def test_our_own_fault_is_raised_as_it_is(wanted: Wanted) -> None:
    with pytest.raises(KeyError):
        await resolved(Held(failure=KeyError("ours")), wanted)


async def test_a_name_that_is_new_in_the_backend_is_found_by_reading_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ShiftedClock(monkeypatch, "gateway.catalogs")
    held = Held(groups=[("1", "A")])
    catalogs = held.catalogs()
    await resolve([group("A")], catalogs, Loaders(within()))
    held.groups.append(("2", "New"))
    clock.ahead = 10
    found = await resolve([group("New")], catalogs, Loaders(within()))
    assert found.id(GROUPS, "New") == "2"
    assert found.entry(GROUPS, "2") is not None


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(catalog=GROUPS, entry_id="2"),
        Wanted(catalog=GROUPS, child="21"),
        Wanted(catalog=GROUPS, child="one DAY"),
    ],
)
async def test_an_id_or_a_child_that_is_new_in_the_backend_is_found_by_reading_again(
    monkeypatch: pytest.MonkeyPatch, wanted: Wanted
) -> None:
    clock = ShiftedClock(monkeypatch, "gateway.catalogs")
    held = Held(groups=[("1", "A")])
    catalogs = held.catalogs()
    await resolve([group("A")], catalogs, Loaders(within()))
    held.groups.append(("2", "New"))
    held.children = (Entry(id="21", name="One day"),)
    clock.ahead = 10
    for _ in range(2):
        found = await resolve([wanted], catalogs, Loaders(within()))
        assert found.entry(GROUPS, "2") is not None
    assert held.fetched == [GROUPS, GROUPS]


async def test_an_id_is_unreadable_not_unknown_while_a_newer_list_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ShiftedClock(monkeypatch, "gateway.catalogs")
    held = Held(groups=[("1", "A")])
    catalogs = held.catalogs()
    await resolve([group("A")], catalogs, Loaders(within()))
    held.failure = NotWrittenError(Problem(code=ProblemCode.UNAVAILABLE, message="down"))
    clock.ahead = 10
    found = await resolve([Wanted(catalog=GROUPS, entry_id="2")], catalogs, Loaders(within()))
    assert found.unreadable is not None


async def test_a_name_is_unreadable_not_unknown_while_a_newer_list_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ShiftedClock(monkeypatch, "gateway.catalogs")
    held = Held(groups=[("1", "A")])
    catalogs = held.catalogs()
    await resolve([group("A")], catalogs, Loaders(within()))
    held.failure = NotWrittenError(Problem(code=ProblemCode.UNAVAILABLE, message="down"))
    clock.ahead = 10
    found = await resolve([group("New")], catalogs, Loaders(within()))
    assert found.unreadable is not None
    assert found.missing == {}


def missing(*names: str) -> Resolution:
    return Resolution(missing={(GROUPS, name): ["Near"] for name in names})


def test_a_shared_name_that_no_target_knows_is_one_problem_of_the_input() -> None:
    wanted = {Backend.IVVY: [group("X")], Backend.SENDGRID: [group("X")]}
    [problem] = nowhere_found(wanted, dict.fromkeys(wanted, missing("X")))
    assert problem.backend is None
    assert problem.code is ProblemCode.NAME_NOT_FOUND
    assert problem.suggestions == ["Near"]
    assert "None of the targets has 'X'" in problem.message


def test_a_shared_name_that_one_target_knows_or_cannot_tell_is_no_problem() -> None:
    wanted = {Backend.IVVY: [group("X")], Backend.SENDGRID: [group("X")]}
    assert nowhere_found(wanted, {Backend.IVVY: missing("X"), Backend.SENDGRID: Resolution()}) == []


def test_a_name_without_near_ones_points_to_the_list() -> None:
    wanted = {Backend.IVVY: [group("X")]}
    [problem] = nowhere_found(wanted, {Backend.IVVY: Resolution(missing={(GROUPS, "X"): []})})
    assert "groups" in problem.message
    assert problem.suggestions == []


def test_each_place_of_an_unknown_name_is_told() -> None:
    wanted = {Backend.IVVY: [group("X", 0), group("Y", 1), path("Z")]}
    problems = nowhere_found(wanted, {Backend.IVVY: missing("X", "Y")})
    assert [problem.field for problem in problems] == [["groupsName", "0"], ["groupsName", "1"]]
