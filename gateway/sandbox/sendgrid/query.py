"""The part of SendGrid's query language that is documented or was seen in use.

`=`, `!=`, `LIKE`, `IN (…)`, `CONTAINS(list_ids, '…')`, `lower(…)`, AND, OR and brackets, over the
reserved fields, the identifiers and custom fields by name (contract: sendgrid section 6).
ASSUMED: a quote inside a text is doubled; comparison minds case, which is why the vendor tells to
lower-case e-mails; LIKE knows `%` alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    Row: TypeAlias = Mapping[str, str | list[str]]
    Test: TypeAlias = Callable[[Row], bool]
    Operand: TypeAlias = Callable[[Row], str]

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|([A-Za-z_][\w.]*)|(-?\d+(?:\.\d+)?)|(!=|[=(),]))")


class QueryError(Exception):
    """The query cannot be read; the text says where."""


def read_query(text: str) -> Test:
    """Give a test for rows of texts, or raise QueryError."""
    reader = _Reader(text)
    test = reader.either()
    if reader.token is not None:
        raise QueryError(f"unexpected {reader.token}")
    return test


class _Reader:
    """Recursive descent over the tokens; OR binds less than AND."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = 0

    @property
    def token(self) -> str | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _is(self, word: str) -> bool:
        return self.token is not None and self.token.upper() == word

    def _taken(self, word: str) -> bool:
        if not self._is(word):
            return False
        self._next += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._taken(word):
            raise QueryError(f"expected {word}, found {self.token or 'the end'}")

    def _take(self) -> str:
        if self.token is None:
            raise QueryError("unexpected end of the query")
        self._next += 1
        return self._tokens[self._next - 1]

    def either(self) -> Test:
        tests = [self._both()]
        while self._taken("OR"):
            tests.append(self._both())
        return lambda row: any(test(row) for test in tests)

    def _both(self) -> Test:
        tests = [self._single()]
        while self._taken("AND"):
            tests.append(self._single())
        return lambda row: all(test(row) for test in tests)

    def _single(self) -> Test:
        if self._taken("("):
            test = self.either()
            self._expect(")")
            return test
        if self._taken("CONTAINS"):
            return self._contains()
        left = self._operand()
        if self._taken("IN"):
            values = self._values()
            return lambda row: left(row) in [value(row) for value in values]
        if self._taken("LIKE"):
            right = self._operand()
            return lambda row: _like(left(row), right(row))
        equal = self._taken("=")
        if not equal:
            self._expect("!=")
        right = self._operand()
        return lambda row: (left(row) == right(row)) is equal

    def _contains(self) -> Test:
        self._expect("(")
        name = self._take()
        self._expect(",")
        wanted = self._operand()
        self._expect(")")
        return lambda row: wanted(row) in row.get(name, [])

    def _values(self) -> list[Operand]:
        self._expect("(")
        values = [self._operand()]
        while self._taken(","):
            values.append(self._operand())
        self._expect(")")
        return values

    def _operand(self) -> Operand:
        if self._taken("LOWER"):
            self._expect("(")
            inner = self._operand()
            self._expect(")")
            return lambda row: inner(row).lower()
        token = self._take()
        if token.startswith("'"):
            value = token[1:-1].replace("''", "'")
            return lambda _: value
        if token[0].isdigit() or token[0] == "-":
            return lambda _: token
        if not (token[0].isalpha() or token[0] == "_"):
            raise QueryError(f"unexpected {token}")
        return lambda row: str(row.get(token, ""))


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    text = text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise QueryError(f"cannot read the query at character {position + 1}")
        tokens.append(next(part for part in found.groups() if part is not None))
        position = found.end()
    return tokens


def _like(value: str, pattern: str) -> bool:
    parts = (re.escape(part) for part in pattern.split("%"))
    return re.fullmatch(".*".join(parts), value, re.DOTALL) is not None
