"""Operations written at random from the schema, right ones mostly: by variables and by literals, with
aliases, fragments, directives, defaults, nulls, and now and then something wrong."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    Lexer,
    Source,
    TokenKind,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)

if TYPE_CHECKING:
    from graphql import GraphQLArgument, GraphQLField, GraphQLSchema

ABSENT: Any = object()
DEEPEST = 5
TEXTS = (
    *(
        "",
        "Ada",
        "E-1001",
        "ada@example.com",
        "+44 7700 900123",
        "Newsletter",
        "GB",
        "é\u2028\U0001d4b3",
    ),
    *('"quoted"\\', "a\nb\t", "0", "7", "true", "null", "2024-02-30", "# no comment", "1e999"),
)
WRONG: tuple[Any, ...] = (
    True,
    False,
    0,
    1.5,
    -3,
    2**31,
    "x",
    "",
    [],
    ["x"],
    {},
    {"a": 1},
    None,
    [None],
    1e300,
)


class Author:
    """Writes one request; the same for the same seed."""

    def __init__(self, schema: GraphQLSchema, seed: int) -> None:
        self.schema = schema
        self.random = random.Random(seed)
        self.declared: dict[str, str] = {}
        self.values: dict[str, Any] = {}
        self.fragments: list[str] = []
        self.count = 0
        self.errs = self.chance(0.2)
        """Whether this one may be wrong."""

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def slips(self) -> bool:
        return self.errs and self.chance(0.06)

    def next_name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def request(self) -> dict[str, Any]:
        kind = self.random.choice(["query", "mutation"])
        root = self.schema.mutation_type if kind == "mutation" else self.schema.query_type
        assert root is not None
        body = self.selection(root, 0, most=self.random.choice([1, 1, 1, 2, 3]))
        declared = ", ".join(f"${name}: {type_}" for name, type_ in self.declared.items())
        head = f"{kind} Chosen{f'({declared})' if declared else ''}"
        if not declared and kind == "query" and self.chance(0.3):
            head = ""
        texts = [f"{head} {body}", *self.fragments]
        request: dict[str, Any] = {}
        if head and self.chance(0.1):
            texts.append("query Other { __typename }")
            request["operationName"] = self.random.choice(["Chosen", "Chosen", "Other", "None"])
        if self.chance(0.1):
            texts.insert(0, '# a comment, "with quotes" and 1')
        self.random.shuffle(texts)
        request["query"] = "\n".join(texts)
        if self.values or self.chance(0.5):
            request["variables"] = self.values
        if self.slips():
            self.values["unknown"] = 1
        return request

    def selection(self, type_: GraphQLObjectType, depth: int, most: int = 6) -> str:
        fields = [
            name
            for name, field in type_.fields.items()
            if depth < DEEPEST or not isinstance(get_named_type(field.type), GraphQLObjectType)
        ]
        chosen = self.random.sample(fields, min(len(fields), self.random.randint(1, most)))
        parts = [self.field(name, type_.fields[name], depth) for name in chosen]
        if self.chance(0.2):
            parts.append(f"{self.random.choice(['', 'kind: '])}__typename{self.directives()}")
        if self.chance(0.1):
            parts.append(self.field(name := self.random.choice(fields), type_.fields[name], depth))
        if depth and self.chance(0.2):
            parts = [self.fragment(type_, parts)]
        self.random.shuffle(parts)
        return f"{{ {' '.join(parts)} }}" if parts else "{ __typename }"

    def fragment(self, type_: GraphQLObjectType, parts: list[str]) -> str:
        inside = f"{{ {' '.join(parts)} }}"
        how = self.random.randrange(3)
        if how == 0:
            return f"...{self.directives()} {inside}"
        if how == 1:
            return f"... on {type_.name}{self.directives()} {inside}"
        name = self.next_name("F")
        self.fragments.append(f"fragment {name} on {type_.name} {inside}")
        spread = f"...{name}{self.directives()}"
        return f"{spread} {spread}" if self.chance(0.3) else spread

    def field(self, name: str, field: GraphQLField, depth: int) -> str:
        alias = ""
        if field.args or self.chance(0.1):
            alias = f"{self.next_name('a')}: " if self.chance(0.9) else ""
        arguments = self.arguments(field.args)
        below = get_named_type(field.type)
        selected = self.selection(below, depth + 1) if isinstance(below, GraphQLObjectType) else ""
        return f"{alias}{name}{arguments}{self.directives()} {selected}"

    def directives(self) -> str:
        if not self.chance(0.06):
            return ""
        kind = self.random.choice(["skip", "include"])
        if self.chance(0.4):
            return f" @{kind}(if: {self.random.choice(['true', 'false'])})"
        name = self.next_name("b")
        self.declared[name] = self.random.choice(["Boolean!", "Boolean! = true", "Boolean = false"])
        if "=" not in self.declared[name] or self.chance(0.5):
            self.values[name] = self.chance(0.5)
        if self.slips():
            self.values[name] = self.random.choice(WRONG)
        return f" @{kind}(if: ${name})"

    def arguments(self, arguments: dict[str, GraphQLArgument]) -> str:
        texts = [
            f"{name}: {self.given(argument.type, has_default=not is_required_argument(argument))}"
            for name, argument in arguments.items()
            if is_required_argument(argument) or self.chance(0.4)
        ]
        self.random.shuffle(texts)
        return f"({', '.join(texts)})" if texts else ""

    def given(self, type_: Any, *, has_default: bool = False, depth: int = 0) -> str:
        """A value as it stands in the document: a variable, or a literal with variables in it."""
        if self.chance(0.55 if depth == 0 else 0.15):
            return self.variable(type_, has_default=has_default)
        if self.slips():
            return literal(self.random.choice(WRONG))
        return self.literal(type_, depth)

    def variable(self, type_: Any, *, has_default: bool) -> str:
        wanted, name = str(type_), self.next_name("v")
        same = [known for known, declared in self.declared.items() if declared == wanted]
        if same and self.chance(0.4):
            return f"${self.random.choice(same)}"
        must = wanted.endswith("!")
        if must and has_default and self.chance(0.5):
            wanted, must = wanted.removesuffix("!"), False
        elif not must and self.chance(0.3):
            wanted, must = f"{wanted}!", True
        value = self.value(type_)
        self.declared[name] = wanted
        if self.chance(0.15):
            default = self.value(type_)
            if default is not None or not must:
                self.declared[name] = f"{wanted} = {literal(default, type_)}"
                must = False
        if must or self.chance(0.8):
            self.values[name] = None if not must and self.chance(0.1) else value
        if self.slips():
            self.values[name] = self.random.choice(WRONG)
        if self.slips():
            self.values.pop(name, None)
        return f"${name}"

    def literal(self, type_: Any, depth: int) -> str:
        if isinstance(type_, GraphQLNonNull):
            return self.literal_inside(type_.of_type, depth)
        return "null" if self.chance(0.1) else self.literal_inside(type_, depth)

    def literal_inside(self, type_: Any, depth: int) -> str:
        if isinstance(type_, GraphQLList):
            if self.chance(0.05):
                return self.given(type_.of_type, depth=depth + 1)
            items = range(self.random.randint(0, 2))
            return f"[{', '.join(self.given(type_.of_type, depth=depth + 1) for _ in items)}]"
        if isinstance(type_, GraphQLInputObjectType):
            texts = [
                f"{name}: {self.given(type_.fields[name].type, depth=depth + 1)}"
                for name in self.keys(type_, depth)
            ]
            return f"{{{', '.join(texts)}}}"
        return literal(self.leaf(type_), type_)

    def keys(self, type_: GraphQLInputObjectType, depth: int) -> list[str]:
        if type_.name in ONE_OF:
            return [self.random.choice(list(type_.fields))] if not self.slips() else []
        required = [name for name, field in type_.fields.items() if is_required_input_field(field)]
        if depth >= DEEPEST:
            return required
        others = [name for name in type_.fields if name not in required]
        chosen = self.random.sample(others, min(len(others), self.random.randint(0, 5)))
        keys = [name for name in required if not self.slips()] + chosen
        self.random.shuffle(keys)
        return keys

    def value(self, type_: Any, depth: int = 0) -> Any:
        """A value as it stands in the variables."""
        if isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        elif self.chance(0.15):
            return None
        if self.slips():
            return self.random.choice(WRONG)
        if isinstance(type_, GraphQLList):
            if self.chance(0.05):
                return self.value(type_.of_type, depth + 1)
            return [self.value(type_.of_type, depth + 1) for _ in range(self.random.randint(0, 3))]
        if isinstance(type_, GraphQLInputObjectType):
            made = {
                name: self.value(type_.fields[name].type, depth + 1)
                for name in self.keys(type_, depth)
            }
            return made | {"unknown": 1} if self.slips() else made
        return self.leaf(type_)

    def leaf(self, type_: Any) -> Any:
        if isinstance(type_, GraphQLEnumType):
            return self.random.choice(list(type_.values))
        choices: dict[str, tuple[Any, ...]] = {
            "Int": (0, 1, 7, 23, 59, 500, -1, 2**31 - 1, -(2**31)),
            "Float": (0.0, -33.87, 151.2, 1e10, 5, -7),
            "Boolean": (True, False),
            "ID": (*TEXTS, 7, 0, -12),
        }
        return self.random.choice(choices.get(type_.name, TEXTS))


ONE_OF = {"ContactKey", "LeadKey"}


def literal(value: Any, type_: Any = None) -> str:
    """A value as GraphQL writes it."""
    while isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if isinstance(value, dict):
        fields = type_.fields if isinstance(type_, GraphQLInputObjectType) else {}
        texts = [
            f"{key}: {literal(item, fields[key].type if key in fields else None)}"
            for key, item in value.items()
        ]
        return f"{{{', '.join(texts)}}}"
    if isinstance(value, list):
        of_type = type_.of_type if isinstance(type_, GraphQLList) else None
        return f"[{', '.join(literal(item, of_type) for item in value)}]"
    if isinstance(type_, GraphQLList):
        return literal(value, type_.of_type)
    if isinstance(type_, GraphQLEnumType) and isinstance(value, str):
        return value
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\u2028", "\\u2028")
    return json.dumps(value)


def with_other_literals(request: dict[str, Any], seed: int) -> dict[str, Any]:
    """The same operation with other strings and numbers in its text."""
    chance = random.Random(seed)
    others: dict[TokenKind, tuple[Any, ...]] = {
        TokenKind.STRING: TEXTS,
        TokenKind.INT: (0, 1, -7, 500, 2**31 - 1, 2**31, 10**30),
        TokenKind.FLOAT: (0.5, -33.87, 1e10),
    }
    text, made, end = request["query"], "", 0
    lexer = Lexer(Source(text))
    while (token := lexer.advance()).kind is not TokenKind.EOF:
        if token.kind in others and chance.random() < 0.8:
            made += text[end : token.start] + literal(chance.choice(others[token.kind]))
            end = token.end
    return request | {"query": made + text[end:]}
