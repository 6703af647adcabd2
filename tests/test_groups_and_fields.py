"""Group memberships and custom fields, as every backend has them: algebra and readings."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strawberry import ID, Some

from gateway.custom_fields import (
    Settings,
    custom_fields,
    read_option,
    read_value,
    wanted_custom_fields,
)
from gateway.entries import Catalog, CatalogName, CustomFieldType, Entry, FieldInfo, Option, folded
from gateway.memberships import Memberships, memberships, wanted_groups
from gateway.model import (
    Backend,
    ContactInput,
    CustomFieldByIdInput,
    CustomFieldInput,
    IvvyContactInput,
    WriteMode,
)
from gateway.names import Resolution
from gateway.results import ProblemCode
from gateway.write import ContactWrite

GROUPS, FIELDS = CatalogName.GROUPS, CatalogName.CUSTOM_FIELDS
IVVY = Backend.IVVY
BY_ID, FIELDS_BY_ID = "ivvy.group_ids", "ivvy.custom_fields"
IDS = st.lists(st.sampled_from("abcdefgh"), unique=True)


def after(wish: Memberships, current: list[str]) -> list[str]:
    leaving = wish.leaving(current)
    return [group for group in current if group not in leaving] + wish.joining(current)


@given(exact=IDS, current=IDS)
def test_an_exact_set_is_reached_from_any_other(exact: list[str], current: list[str]) -> None:
    wish = Memberships(exact=tuple(exact), named=("groupsName",))
    reached = after(wish, current)
    assert sorted(reached) == sorted(exact)
    assert wish.asked
    assert wish.changed(reached) == []
    assert bool(wish.changed(current)) == (set(exact) != set(current))


@given(add=IDS, remove=IDS, current=IDS)
def test_joining_and_leaving_touch_nothing_else_and_repeat_without_effect(
    add: list[str], remove: list[str], current: list[str]
) -> None:
    remove = [group for group in remove if group not in add]
    wish = Memberships(
        add=tuple(add), remove=tuple(remove), named=("addGroupsName", "removeGroupsName")
    )
    reached = after(wish, current)
    assert set(reached) == (set(current) | set(add)) - set(remove)
    assert len(reached) == len(set(reached))
    assert after(wish, reached) == reached
    assert wish.changed(reached) == []
    changed = wish.changed(current)
    assert ("addGroupsName" in changed) == bool(set(add) - set(current))
    assert ("removeGroupsName" in changed) == bool(set(remove) & set(current))


def write(mode: WriteMode = WriteMode.PATCH, **values: Any) -> ContactWrite:
    return ContactWrite(input=ContactInput(**values), mode=mode)


def knowing(**ids: str) -> Resolution:
    entries = tuple(Entry(id=key, name=name) for name, key in ids.items())
    return Resolution(
        found={(GROUPS, entry.name): entry for entry in entries},
        catalogs={GROUPS: Catalog(entries=entries)},
    )


def groups_of(wanted: ContactWrite, **ids: str) -> Memberships:
    return memberships(wanted, knowing(**ids), IVVY, BY_ID)


def test_a_write_without_groups_asks_for_nothing() -> None:
    assert not groups_of(write()).asked
    assert wanted_groups(write(), BY_ID) == []
    assert groups_of(write(add_groups_name=Some(None))) == Memberships()


def test_known_names_are_the_exact_set_and_unknown_ones_are_ignored() -> None:
    found = groups_of(write(groups_name=Some(["A", "X", "B", "A"])), A="1", B="2")
    assert (found.exact, found.ignored, found.named) == (
        ("1", "2"),
        ("groupsName.X",),
        ("groupsName",),
    )


def test_a_set_of_which_nothing_is_known_is_ignored_as_a_whole() -> None:
    found = groups_of(write(groups_name=Some(["X", "Y"])), A="1")
    assert (found.exact, found.ignored, found.asked) == (None, ("groupsName",), False)


@pytest.mark.parametrize(
    "leaves_all",
    [
        write(groups_name=Some([])),
        write(groups_name=Some(None)),
        write(WriteMode.REPLACE),
        write(ivvy=Some(IvvyContactInput(group_ids=Some(None)))),
    ],
)
def test_an_empty_set_null_and_a_replace_without_it_leave_every_group(
    leaves_all: ContactWrite,
) -> None:
    found = groups_of(leaves_all)
    assert found.exact == ()
    assert found.leaving(["1", "2"]) == ["1", "2"]
    assert len(found.changed(["1"])) == 1
    assert wanted_groups(leaves_all, BY_ID) == []


def test_joined_and_left_groups_are_told_apart() -> None:
    wanted = write(add_groups_name=Some(["A"]), remove_groups_name=Some(["B", "X"]))
    found = groups_of(wanted, A="1", B="2")
    assert (found.add, found.remove, found.ignored) == (("1",), ("2",), ("removeGroupsName.X",))
    assert [want.field for want in wanted_groups(wanted, BY_ID)] == [
        ("addGroupsName", "0"),
        ("removeGroupsName", "0"),
        ("removeGroupsName", "1"),
    ]


def test_one_group_of_two_names_is_not_joined_and_left_at_once() -> None:
    wanted = write(add_groups_name=Some(["A"]), remove_groups_name=Some(["B", "a"]))
    found = groups_of(wanted, A="1", B="2", a="1")
    [problem] = found.problems
    assert (problem.backend, problem.code) == (IVVY, ProblemCode.INVALID)
    assert problem.field == ["removeGroupsName", "1"]


def test_ids_win_over_names_and_unknown_ids_are_problems() -> None:
    native = IvvyContactInput(group_ids=Some([ID("1"), ID("9"), ID("1")]))
    wanted = write(groups_name=Some(["B"]), ivvy=Some(native))
    found = groups_of(wanted, A="1", B="2")
    assert (found.exact, found.ignored, found.named) == (
        ("1", "9"),
        ("groupsName",),
        ("ivvy.groupIds",),
    )
    [problem] = found.problems
    assert (problem.code, problem.field) == (ProblemCode.NOT_FOUND, ["ivvy", "groupIds", "1"])
    assert [want.entry_id for want in wanted_groups(wanted, BY_ID)] == ["1", "9", "1"]


# ---------------------------------------------------------------- custom fields

SHIFT = FieldInfo(
    type=CustomFieldType.CHOICE,
    options=(Option(value="1", label="Day"), Option(value="2", label="Night")),
)
ENTRIES = {
    "Shift": Entry(id="10", name="Shift", field=SHIFT),
    "Tags": Entry(
        id="11",
        name="Tags",
        field=FieldInfo(type=CustomFieldType.MULTIPLE_CHOICE, options=SHIFT.options),
    ),
    "Photo": Entry(
        id="12", name="Photo", field=FieldInfo(type=CustomFieldType.OTHER, writable=False)
    ),
    "Odd": Entry(id="13", name="Odd"),
    "Badge": Entry(id="14", name="Badge", field=FieldInfo(type=CustomFieldType.NUMBER, whole=True)),
}


def fields_of(wanted: ContactWrite) -> Settings:
    resolution = Resolution(
        found={(FIELDS, name): entry for name, entry in ENTRIES.items()},
        catalogs={FIELDS: Catalog(entries=tuple(ENTRIES.values()))},
    )
    return custom_fields(wanted, resolution, IVVY, FIELDS_BY_ID)


def named(*items: tuple[str, list[str]]) -> Some[list[CustomFieldInput]]:
    return Some([CustomFieldInput(name=name, values=values) for name, values in items])


def by_id(*items: tuple[str, list[str]]) -> Some[IvvyContactInput]:
    given = [CustomFieldByIdInput(id=ID(key), values=values) for key, values in items]
    return Some(IvvyContactInput(custom_fields=Some(given)))


def test_values_are_read_by_the_definition_of_their_field() -> None:
    found = fields_of(
        write(custom_fields=named(("Shift", ["Night"]), ("Tags", ["Day", "2"]), ("Badge", [])))
    )
    assert [setting.values for setting in found.settings] == [("2",), ("1", "2"), ()]
    assert found.settings[0].label == "customFields.Shift"
    assert found.settings[0].path == ("customFields", "0")
    assert found.named() == {"10", "11", "14"}
    assert (found.asked, found.clear_others, found.problems, found.ignored) == (True, False, [], [])


@pytest.mark.parametrize(
    ("item", "code", "place"),
    [
        (("Shift", ["Noon"]), ProblemCode.INVALID, ["values", "0"]),
        (("Tags", ["Day", "Noon"]), ProblemCode.INVALID, ["values", "1"]),
        (("Shift", ["Day", "Night"]), ProblemCode.TOO_MANY, ["values"]),
        (("Badge", ["1.5"]), ProblemCode.INVALID, ["values", "0"]),
        (("Photo", ["x"]), ProblemCode.INVALID, []),
        (("Odd", ["x"]), ProblemCode.INVALID, []),
    ],
)
def test_a_value_that_its_field_cannot_take_is_told_with_its_place(
    item: tuple[str, list[str]], code: ProblemCode, place: list[str]
) -> None:
    found = fields_of(write(custom_fields=named(item)))
    [problem] = found.problems
    assert (problem.code, problem.field) == (code, ["customFields", "0", *place])
    assert problem.backend is IVVY
    assert found.settings == []


def test_an_unknown_name_is_ignored_and_an_unknown_id_is_a_problem() -> None:
    found = fields_of(write(custom_fields=named(("Nope", [])), ivvy=by_id(("99", []))))
    assert found.ignored == ["customFields.Nope"]
    [problem] = found.problems
    assert problem.code is ProblemCode.NOT_FOUND
    assert problem.field == ["ivvy", "customFields", "0", "id"]


def test_an_id_wins_over_the_name_of_the_same_field() -> None:
    found = fields_of(write(custom_fields=named(("Shift", ["Day"])), ivvy=by_id(("10", ["Night"]))))
    assert [(item.values, item.label) for item in found.settings] == [
        (("2",), "ivvy.customFields.10")
    ]
    assert found.ignored == ["customFields.Shift"]


def test_a_field_given_twice_by_its_id_is_refused() -> None:
    [problem] = fields_of(write(ivvy=by_id(("10", ["Day"]), ("10", ["Night"])))).problems
    assert problem.field == ["ivvy", "customFields", "1", "id"]


@pytest.mark.parametrize(
    ("wanted", "clear_others", "by_absence"),
    [
        (write(), False, False),
        (write(custom_fields=Some([])), False, False),
        (write(custom_fields=Some(None)), True, False),
        (write(ivvy=Some(IvvyContactInput(custom_fields=Some(None)))), True, False),
        (write(WriteMode.REPLACE), True, True),
        (write(WriteMode.REPLACE, custom_fields=Some(None)), True, False),
        (write(WriteMode.REPLACE, custom_fields=named(("Shift", ["Day"]))), True, True),
    ],
)
def test_null_and_a_replace_clear_the_fields_that_are_not_named(
    wanted: ContactWrite, *, clear_others: bool, by_absence: bool
) -> None:
    found = fields_of(wanted)
    assert (found.clear_others, found.by_absence) == (clear_others, by_absence)
    assert found.asked is clear_others


def test_definitions_are_wanted_where_something_is_said_of_fields() -> None:
    assert wanted_custom_fields(write(), FIELDS_BY_ID) == []
    cleared = wanted_custom_fields(write(custom_fields=Some(None)), FIELDS_BY_ID)
    assert [want.name for want in cleared] == [None]
    wanted = wanted_custom_fields(write(custom_fields=named(("Shift", []))), FIELDS_BY_ID)
    assert [want.name for want in wanted] == ["Shift", None]
    assert wanted[0].field == ("customFields", "0", "name")
    native = wanted_custom_fields(write(ivvy=by_id(("10", []))), FIELDS_BY_ID)
    assert [(want.name, want.entry_id) for want in native] == [(None, "10")]


@pytest.mark.parametrize(
    ("info", "text", "value"),
    [
        (FieldInfo(type=CustomFieldType.TEXT), " x ", " x "),
        (FieldInfo(type=CustomFieldType.NUMBER), "1.5", 1.5),
        (FieldInfo(type=CustomFieldType.NUMBER, whole=True), "2.0", 2),
        (FieldInfo(type=CustomFieldType.DATE), "2026-01-31", date(2026, 1, 31)),
        (FieldInfo(type=CustomFieldType.BOOLEAN), "true", True),
        (SHIFT, "night", "2"),
    ],
)
def test_a_value_is_read_by_its_type(info: FieldInfo, text: str, value: object) -> None:
    read = read_value(info, text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "most"), [("1e18", 18), ("-1e30", 18), ("123456789012345678901.0", 15)]
)
def test_a_whole_number_has_the_digits_that_json_holds(text: str, most: int) -> None:
    with pytest.raises(ValueError, match=f"at most {most}"):
        read_value(FieldInfo(type=CustomFieldType.NUMBER, whole=True), text)


def test_a_choice_without_options_says_so() -> None:
    with pytest.raises(ValueError, match="the field has no options"):
        read_option(FieldInfo(type=CustomFieldType.CHOICE), "Day")


TEXTS = st.text(alphabet="aAbB 1", max_size=3)
OPTIONS = st.lists(
    st.builds(Option, value=TEXTS, label=TEXTS), min_size=1, unique_by=lambda option: option.label
)


@given(OPTIONS, st.data())
def test_an_exact_label_means_its_own_option(options: list[Option], data: st.DataObject) -> None:
    info = FieldInfo(type=CustomFieldType.CHOICE, options=tuple(options))
    option = data.draw(st.sampled_from(options))
    assert read_option(info, option.label) == option.value


@given(OPTIONS, TEXTS)
def test_an_option_is_read_only_from_what_it_is_called(options: list[Option], text: str) -> None:
    info = FieldInfo(type=CustomFieldType.CHOICE, options=tuple(options))
    known = {folded(option.label) for option in options} | {folded(item.value) for item in options}
    exact = any(text in (option.label, option.value) for option in options)
    if exact:
        assert read_option(info, text) in {option.value for option in options}
    elif folded(text) in known:
        with suppress(ValueError):  # it may fit several
            assert read_option(info, text) in {option.value for option in options}
    else:
        with pytest.raises(ValueError, match="is none of"):
            read_option(info, text)
