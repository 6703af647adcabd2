"""List answers: filter, order, paging and `meta` (contract: sections 3.1 and 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.ivvy import filters
from gateway.sandbox.ivvy.errors import does_not_validate
from gateway.sandbox.ivvy.parameters import Parameter, mapping, positive_number, read, whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.sandbox.ivvy.store import Row, Store

PAGING: Final = (
    Parameter(name="perPage", convert=positive_number),
    Parameter(name="start", convert=whole_number),
    Parameter(name="filter", convert=mapping),
)


def page(
    store: Store,
    table: str,
    params: Mapping[str, Any],
    view: Callable[[Row], Row],
    filterable: filters.Filterable,
) -> Row:
    """Answer a list call over one table; `view` makes the item that is answered of a row."""
    given = read(params, PAGING, store.switches)
    chosen = [] if store.switches["ignore_filters"] else given.get("filter", {})
    conditions = filters.conditions(dict(chosen), filterable, store.switches)
    found = []
    for row in _rows(store, table, conditions):
        item = view(row) if conditions else row
        if all(condition.test(row, item) for condition in conditions):
            found.append(row)
    return sliced(store, _ordered(store, found), given, view)


def sliced(
    store: Store, rows: list[Row], given: Mapping[str, Any], view: Callable[[Row], Row]
) -> Row:
    """Give the page that `start` and `perPage` ask for; both are already checked.

    `start` counts records. A perPage above the cap has no effect and is no error. ASSUMED: the cap
    is 100 for every call, not only for the two with a documented one, and 100 is the default.
    """
    start = given.get("start", 0)
    if start < 0:
        raise does_not_validate("start", "Value must not be negative")
    cap = store.switches["page_cap"]
    per_page = min(given.get("perPage", store.switches["default_per_page"]), cap)
    results = [view(row) for row in rows[start : start + per_page]]
    meta = {
        "totalResults": len(rows),
        "start": start,
        "perPage": per_page,
        "count": len(results),
    }
    for name in store.switches["meta_omits"]:
        meta.pop(name, None)
    return {"meta": meta, "results": results}


def _rows(store: Store, table: str, conditions: list[filters.Condition]) -> list[Row]:
    """Give the live rows, or the few that an index gives for one of the conditions."""
    for condition in conditions:
        if condition.equals is not None:
            rows = store.tables[table].candidates(*condition.equals)
            if rows is not None:
                return [row for row in rows if not row.get("deleted")]
    return [row for row in store.tables[table] if not row.get("deleted")]


def _ordered(store: Store, rows: list[Row]) -> list[Row]:
    # ASSUMED: by id; the pages say nothing about order.
    order = store.switches["list_order"]
    if order == "modified":
        return sorted(rows, key=lambda row: str(row.get("modifiedDate", "")), reverse=True)
    return rows[::-1] if order == "id_desc" else rows
