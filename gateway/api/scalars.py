"""The scalars that the API has beside GraphQL's own, and what their descriptions promise."""

from __future__ import annotations

from datetime import datetime
from operator import methodcaller
from typing import TYPE_CHECKING, Any

import strawberry
from strawberry.scalars import JSON

if TYPE_CHECKING:
    from collections.abc import Mapping

    from strawberry.types.scalar import ScalarDefinition


def _as_it_is(value: Any) -> Any:
    return value


SCALARS: Mapping[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="ISO 8601 instant with offset.",
        serialize=methodcaller("isoformat"),
        parse_value=datetime.fromisoformat,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value, used only where a backend's own payload is shown as it is.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc8259",
        serialize=_as_it_is,
        parse_value=_as_it_is,
    ),
}
