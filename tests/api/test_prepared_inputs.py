"""Inputs of prepared operations are what calling their classes would make."""

from __future__ import annotations

from typing import Any

import pytest
import strawberry

from gateway.api.prepared.inputs import Inputs


@strawberry.input
class Plain:
    last: str | None = strawberry.UNSET
    name: str
    size: int = 3


@strawberry.input
class Checked:
    name: str

    def __post_init__(self) -> None:
        self.name = self.name.upper()


@strawberry.input
class WithItsOwn:
    name: str

    def __init__(self, *, name: str) -> None:
        self.name = f"{name}!"


@strawberry.type
class Query:
    @strawberry.field
    async def tell(self, plain: Plain, checked: Checked, own: WithItsOwn) -> str:
        return f"{plain}{checked}{own}"


SCHEMA = strawberry.Schema(Query)


def read(made: type, given: dict[str, Any]) -> Any:
    types: Any = SCHEMA._schema.type_map
    return Inputs(SCHEMA.schema_converter).reader(types[made.__name__], made)(given)


@pytest.mark.parametrize("given", [{}, {"size": 4}, {"last": None}, {"size": 1, "last": "L"}])
def test_an_input_is_as_its_class_makes_it(given: dict[str, Any]) -> None:
    made = read(Plain, {**given, "name": "N"})
    assert made == Plain(**{**given, "name": "N"})
    assert list(vars(made)) == ["last", "name", "size"]
    assert vars(made) is not vars(read(Plain, {"name": "N"}))


def test_what_a_class_does_more_is_done() -> None:
    assert read(Checked, {"name": "a"}).name == "A"
    assert read(WithItsOwn, {"name": "a"}).name == "a!"
