"""The `filter` of list calls: `field[__SUFFIX]: value`, combined with AND (contract: section 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.ivvy import errors
from gateway.sandbox.ivvy.errors import ApiError, does_not_validate
from gateway.sandbox.ivvy.parameters import timestamp, whole_number

if TYPE_CHECKING:
    from gateway.sandbox.ivvy.store import Row

Test = Callable[[Any, Any], bool]
Special = Callable[[Any], Callable[["Row"], bool]]
"""Takes a filter's value and gives the test on the stored row; ValueError for a bad value."""

IS_NULL: Final = "__ISNULL__"
_EMPTY_VALUES: Final[tuple[Any, ...]] = (None, "", [], [""], {})


@dataclass(frozen=True, kw_only=True)
class Filterable:
    """What one list call can be filtered by.

    `fields` are scalars of the answered item, `special` the extra keys of its page, `documented`
    the fields among these that the vendor shows as filters.
    """

    fields: frozenset[str]
    documented: frozenset[str] = frozenset()
    special: Mapping[str, Special] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One key of a filter, ready to be applied; `equals` is set where an index can answer."""

    test: Callable[[Row, Row], bool]
    equals: tuple[str, Any] | None = None


def conditions(
    given: Mapping[str, Any], filterable: Filterable, switches: Mapping[str, Any]
) -> list[Condition]:
    """Read a filter; each condition takes the stored row and the item made of it."""
    found = []
    for key, value in given.items():
        condition = _condition(key, value, filterable, switches)
        if condition is not None:
            found.append(condition)
    return found


def _condition(
    key: str, value: Any, filterable: Filterable, switches: Mapping[str, Any]
) -> Condition | None:
    if key in filterable.special:
        try:
            holds = filterable.special[key](value)
        except ValueError as error:
            raise does_not_validate("filter", f"{key}: {error}") from error
        return Condition(test=lambda row, _item: holds(row))
    name, _, suffix = key.partition("__")
    # ASSUMED: every scalar of an item can be filtered by; switch `filterable`.
    known = filterable.fields if switches["filterable"] == "row" else filterable.documented
    if name not in known or suffix not in _TESTS:
        return _unknown(key, switches)
    if not isinstance(value, str | int | float | None):
        raise does_not_validate("filter", f"{key}: Value must be a text, a number or a boolean")
    if value == IS_NULL:
        wanted = suffix != "NOT"
        return Condition(test=lambda _row, item: (item.get(name) is None) is wanted)
    test, exact = _TESTS[suffix], switches["match_case"] == "exact"
    operand = _comparable(value, exact=exact)
    return Condition(
        test=lambda _row, item: test(_comparable(item.get(name), exact=exact), operand),
        equals=(name, value) if not suffix and value not in (None, "") else None,
    )


def _unknown(key: str, switches: Mapping[str, Any]) -> Condition | None:
    # ASSUMED: ignored like any other unknown key of a request; switch `unknown_filter`.
    rule = switches["unknown_filter"]
    if rule == "error":
        raise ApiError(400, errors.UNKNOWN_FILTER, f"'{key}' cannot be filtered by")
    return None if rule == "ignore" else Condition(test=lambda _row, _item: False)


def _comparable(value: Any, *, exact: bool) -> Any:
    """Give texts that compare as the values do: ids as text, dates without their suffix."""
    if value is None or value in _EMPTY_VALUES:
        return None if value is None else ""
    shown = str(int(value)) if isinstance(value, bool) else str(value)
    # ASSUMED: case does not matter, as in the usual database collations; switch `match_case`.
    return shown.removesuffix(" UTC") if exact else shown.removesuffix(" UTC").casefold()


def _ordered(test: Callable[[Any, Any], bool]) -> Test:
    def compare(left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        try:
            return test(float(left), float(right))
        except ValueError:
            return test(left, right)

    return compare


def _textual(test: Callable[[str, str], bool]) -> Test:
    return lambda left, right: left is not None and right is not None and test(left, right)


def _is_empty(left: Any, operand: Any) -> bool:
    """ASSUMED: the operand is not documented; 0, false and "" ask for fields that are not empty."""
    return (left in _EMPTY_VALUES) is (operand not in ("0", "false", "", None))


_TESTS: Final[Mapping[str, Test]] = {
    "": lambda left, right: bool(left == right),
    "NOT": lambda left, right: bool(left != right),
    "CONTAINS": _textual(lambda left, right: right in left),
    "NOTCONTAINS": lambda left, right: left is None or right is None or right not in left,
    "BEGINS": _textual(lambda left, right: left.startswith(right)),
    "ENDS": _textual(lambda left, right: left.endswith(right)),
    # LESSTHAN and GREATERTHAN include the value itself (documented).
    "LESSTHAN": _ordered(lambda left, right: bool(left <= right)),
    "GREATERTHAN": _ordered(lambda left, right: bool(left >= right)),
    "EMPTY": _is_empty,
}


def modified_from(value: Any) -> Callable[[Row], bool]:
    """Test for `fromModifiedDate`."""
    moment = timestamp(value)
    return lambda row: bool(row["modifiedDate"] >= moment)


def modified_to(value: Any) -> Callable[[Row], bool]:
    """Test for `toModifiedDate`."""
    moment = timestamp(value)
    return lambda row: bool(row["modifiedDate"] <= moment)


def holds_id(key: str) -> Special:
    """Make a special filter: the id is in the row's list under `key`."""

    def special(value: Any) -> Callable[[Row], bool]:
        wanted = whole_number(value)
        return lambda row: wanted in row[key]

    return special


MODIFIED: Final[Mapping[str, Special]] = {
    "fromModifiedDate": modified_from,
    "toModifiedDate": modified_to,
    "venueId": holds_id("venueIds"),
    "venueGroupId": holds_id("venueGroupIds"),
}
