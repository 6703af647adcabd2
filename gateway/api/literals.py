"""Documents that differ in the values of literals alone: what they have in common, and the values.

Some callers write values into the text instead of sending variables, so that each of their documents
is a new one. Where the texts differ in strings and numbers only, and these stand where any other string
or number of their kind is as good, the documents are parsed, validated and prepared once for all.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    FloatValueNode,
    GraphQLInt,
    GraphQLNonNull,
    IntValueNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    visit,
)
from graphql.type.scalars import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT

from gateway.api.prepared.values import kind_of_literal

if TYPE_CHECKING:
    from graphql import DocumentNode, GraphQLSchema

_LITERAL = re.compile(
    # By its first character the next literal is found without trying each of the others.
    r'(["0-9\-](?:(?<=")(?:'
    # A string that the JSON way of reading escapes reads as GraphQL does: no surrogates, no \u{...}.
    r'(?:[^"\\\n\r]++|\\["\\/bfnrt]|\\u(?:[0-9A-Ca-cE-Fe-f][0-9A-Fa-f]|[Dd][0-7])[0-9A-Fa-f]{2})*+"'
    # Any other quote ends the search: what follows is not looked through from each quote again.
    r"|[\s\S]*)"
    # A number with nothing before or behind it that could be a part of it, or of a name.
    r"|(?<![\w.$+\-][0-9\-])(?:(?<=0)|(?<=-)0|(?:(?<=[1-9])|(?<=-)[1-9])[0-9]*)"
    r"(?:\.[0-9]+)?(?:[eE][+\-]?[0-9]+)?(?![\w.+\-])))"
)

Shape = tuple[str, ...]
"""The text without its literals, in pieces, and last the kinds of the literals in their order."""


@dataclass(slots=True)
class Outline:
    """A text taken apart."""

    shape: Shape
    literals: Sequence[str]
    """As they stand in the text."""

    @property
    def values(self) -> list[str]:
        """Strings as they are meant; numbers as they stand in the text."""
        return [_meant(literal) if literal[0] == '"' else literal for literal in self.literals]

    def fits(self, whole: Sequence[int]) -> bool:
        """Whether the literals at these places are integers as Int has them."""
        return not whole or all(
            len(self.literals[place]) <= _LONGEST_INT
            and GRAPHQL_MIN_INT <= int(self.literals[place]) <= GRAPHQL_MAX_INT
            for place in whole
        )


_LONGEST_INT = len(str(GRAPHQL_MIN_INT))


def outline_of(text: str) -> Outline | None:
    """A text without its literals; None for one without any, and for one that is not easily told.

    Texts of one shape have the same tokens but for the values of their literals: of comments and of
    block strings, in which that would not hold, none is told.
    """
    if '"""' in text:
        return None
    pieces = _LITERAL.split(text)
    between, literals = pieces[::2], pieces[1::2]
    # No document ends with a literal: that one is what follows a quote that was not understood.
    if not literals or not between[-1]:
        return None
    if "#" in text and any("#" in piece for piece in between):
        return None
    between.append("".join(map(_kind, literals)))
    return Outline(tuple(between), literals)


def _kind(literal: str) -> str:
    if literal[0] == '"':
        return "s"
    return "i" if literal.lstrip("-").isdecimal() else "f"


def _meant(literal: str) -> str:
    if "\\" not in literal:
        return literal[1:-1]
    meant: str = json.loads(literal, strict=False)
    return meant


@dataclass(frozen=True, slots=True)
class Lifted:
    """Where in a document the literals stand."""

    slots: Mapping[int, int]
    """By where one begins, its place among the literals."""
    whole: Sequence[int]
    """Places of those that stand for an Int, of which not every integer is one."""


def lifted(schema: GraphQLSchema, document: DocumentNode, outline: Outline) -> Lifted | None:
    """The literals of a valid document; None where it matters what they are.

    It does not matter in the arguments of fields, for strings, ids and numbers, and in fields of which
    no other has the same name in the answer: such fields must have the same arguments.
    """
    types = TypeInfo(schema)
    seen = _Literals(types)
    visit(document, TypeInfoVisitor(types, seen))
    starts = sorted(seen.found)
    if seen.fixed or [seen.found[start][0] for start in starts] != list(outline.literals):
        return None
    if any(seen.names[name] > 1 for name in seen.with_literals):
        return None
    places = {start: place for place, start in enumerate(starts)}
    whole = [places[start] for start in starts if seen.found[start][1]]
    return Lifted(places, whole)


class _Literals(Visitor):
    """Looks at all strings and numbers of a document, in their order."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.found: dict[int, tuple[str, bool]] = {}
        """By where one begins: its text, and whether it stands for an Int."""
        self.fixed = False
        self.names: Counter[str] = Counter()
        self.with_literals: set[str] = set()
        self._types = types
        self._fields: list[str] = []
        self._constants = 0

    def enter_field(self, node: FieldNode, *_rest: Any) -> None:
        """Take in a field's name in the answer."""
        name = node.alias.value if node.alias else node.name.value
        self.names[name] += 1
        self._fields.append(name)

    def leave_field(self, *_rest: Any) -> None:
        """Be back at the field above."""
        self._fields.pop()

    def enter_variable_definition(self, *_rest: Any) -> None:
        """Come to where defaults stand."""
        self._constants += 1

    def leave_variable_definition(self, *_rest: Any) -> None:
        """Be out of there."""
        self._constants -= 1

    def enter_string_value(self, node: StringValueNode, *_rest: Any) -> None:
        """Take in a string."""
        self._literal(node)

    def enter_int_value(self, node: IntValueNode, *_rest: Any) -> None:
        """Take in an integer."""
        self._literal(node)

    def enter_float_value(self, node: FloatValueNode, *_rest: Any) -> None:
        """Take in a number that is not written as an integer."""
        self._literal(node)

    def _literal(self, node: StringValueNode | IntValueNode | FloatValueNode) -> None:
        type_ = self._types.get_input_type()
        free = not self._constants and self._types.get_directive() is None and self._fields
        if not free or node.loc is None or kind_of_literal(node, type_) is None:
            self.fixed = True
            return
        if isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        start = node.loc.start
        self.found[start] = (node.loc.source.body[start : node.loc.end], type_ is GraphQLInt)
        self.with_literals.add(self._fields[-1])
