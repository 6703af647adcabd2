"""How large one operation may be: its document and its variables, counted before they are used.

Documents are counted with their fragments spread out, as execution meets them, yet each fragment is
counted once, so that a document cannot be made expensive to count. Whatever is over a limit is told
at once and alone: nothing else is looked for in such an operation.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
)

from gateway.settings import variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from graphql import DocumentNode, SelectionSetNode

    from gateway.settings import Settings

INTROSPECTION_DEPTH = 20
"""Levels below `__schema` and `__type`; GraphiQL's own query has 13. It has a limit of its own, so
that lowering GATEWAY_MAX_DEPTH does not take the documentation away."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Limits:
    """The limits of one gateway, named as their settings are; each gateway has one of these."""

    max_document_characters: int
    max_tokens: int
    max_depth: int
    max_aliases: int
    max_root_fields: int
    max_fragments: int
    max_directives: int
    max_list_items: int
    max_input_depth: int
    production: bool

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits that the settings give."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})


def exceeded(what: str, setting: str, limit: int) -> GraphQLError:
    """The error of something that is over a limit: the limit's number and the setting that moves it."""
    name = variable(setting)
    return GraphQLError(
        f"{what}; at most {limit:,} are allowed ({name}).",
        extensions={"code": "LIMIT_EXCEEDED", "limit": limit, "setting": name},
    )


def check_text(text: str, limits: Limits) -> GraphQLError | None:
    """Whether a document's text is too long to be looked at: no other limit bounds its comments."""
    limit = limits.max_document_characters
    if len(text) <= limit:
        return None
    return exceeded(f"It has {len(text):,} characters", "max_document_characters", limit)


def check_document(document: DocumentNode, limits: Limits) -> GraphQLError | None:
    """The first limit that a document exceeds."""
    try:
        return _check_nodes(document, limits) or _check_selections(document, limits)
    except RecursionError:
        return exceeded("Its fragments are nested too deeply", "max_depth", limits.max_depth)


def check_variables(variables: Mapping[str, Any], limits: Limits) -> GraphQLError | None:
    """The first limit that the variables' values exceed; they are what JSON is read as."""
    for name, given in variables.items():
        stack: list[tuple[Any, int]] = [(given, 1)] if type(given) in {dict, list} else []
        while stack:
            value, depth = stack.pop()
            if type(value) is list:
                inner: Iterable[Any] = value
                if len(value) > limits.max_list_items:
                    return _long_list(f"A list in variable ${name}", len(value), limits)
            else:
                inner = value.values()
            if depth > limits.max_input_depth:
                return _deep_input(f"Variable ${name}", limits)
            for item in inner:
                kind = type(item)
                if kind is dict or kind is list:
                    stack.append((item, depth + 1))
    return None


def _long_list(where: str, length: int, limits: Limits) -> GraphQLError:
    return exceeded(f"{where} has {length:,} items", "max_list_items", limits.max_list_items)


def _deep_input(where: str, limits: Limits) -> GraphQLError:
    limit = limits.max_input_depth
    return exceeded(f"{where} nests lists and objects in more levels", "max_input_depth", limit)


def _check_nodes(document: DocumentNode, limits: Limits) -> GraphQLError | None:
    """Count what stands in the text, wherever it stands: directives, fragments, values."""
    directives = fragments = 0
    stack: list[tuple[Node, int]] = [(document, 0)]
    while stack:
        node, depth = stack.pop()
        if isinstance(node, DirectiveNode):
            directives += 1
        elif isinstance(node, FragmentSpreadNode | FragmentDefinitionNode):
            fragments += 1
        elif isinstance(node, ListValueNode | ObjectValueNode):
            depth += 1
            excess = _check_value(node, depth, limits)
            if excess is not None:
                return excess
        stack += [(child, depth) for child in _children(node)]
    if directives > limits.max_directives:
        return exceeded(
            f"It has {directives:,} directives", "max_directives", limits.max_directives
        )
    if fragments > limits.max_fragments:
        what = f"It has {fragments:,} fragments and spreads of fragments"
        return exceeded(what, "max_fragments", limits.max_fragments)
    return None


def _check_value(
    node: ListValueNode | ObjectValueNode, depth: int, limits: Limits
) -> GraphQLError | None:
    if depth > limits.max_input_depth:
        return _deep_input("A value in the document", limits)
    if isinstance(node, ListValueNode) and len(node.values) > limits.max_list_items:
        return _long_list("A list in the document", len(node.values), limits)
    return None


def _children(node: Node) -> Iterator[Node]:
    for key in node.keys:
        child = getattr(node, key, None)
        if isinstance(child, Node):
            yield child
        elif isinstance(child, tuple | list):
            yield from child


@dataclass(slots=True)
class _Size:
    """Of one selection set with its fragments spread out."""

    fields: int = 0
    aliases: int = 0
    depth: int = 0
    introspection: int = 0

    def add(self, other: _Size) -> None:
        """Count a fragment's selections as one's own."""
        self.fields += other.fields
        self.aliases += other.aliases
        self.depth = max(self.depth, other.depth)
        self.introspection = max(self.introspection, other.introspection)


def _check_selections(document: DocumentNode, limits: Limits) -> GraphQLError | None:
    count = _Counting(document)
    for node in document.definitions:
        if not isinstance(node, OperationDefinitionNode):
            continue
        size = count.of(node.selection_set)
        if size.fields > limits.max_root_fields:
            what = f"It has {size.fields:,} fields at its root"
            return exceeded(what, "max_root_fields", limits.max_root_fields)
        if size.aliases > limits.max_aliases:
            what = f"It has {size.aliases:,} aliases"
            return exceeded(what, "max_aliases", limits.max_aliases)
        if size.depth > limits.max_depth:
            what = f"It nests fields in {size.depth:,} levels"
            return exceeded(what, "max_depth", limits.max_depth)
        if size.introspection > INTROSPECTION_DEPTH:
            return GraphQLError(
                f"Its introspection nests fields in {size.introspection:,} levels; at most "
                f"{INTROSPECTION_DEPTH} are allowed.",
                extensions={"code": "LIMIT_EXCEEDED", "limit": INTROSPECTION_DEPTH},
            )
    return None


class _Counting:
    """Sizes of a document's selection sets; each fragment is gone through once."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._known: dict[str, _Size] = {}

    def of(self, selections: SelectionSetNode) -> _Size:
        size = _Size()
        for node in selections.selections:
            if isinstance(node, FieldNode):
                size.add(self._field(node))
            elif isinstance(node, InlineFragmentNode):
                size.add(self.of(node.selection_set))
            elif isinstance(node, FragmentSpreadNode):
                size.add(self._fragment(node.name.value))
        return size

    def _field(self, node: FieldNode) -> _Size:
        size = _Size(fields=1, aliases=1 if node.alias else 0, depth=1)
        if node.selection_set:
            below = self.of(node.selection_set)
            size.aliases += below.aliases
            size.introspection = below.introspection
            if node.name.value in {"__schema", "__type"}:
                size.introspection = 1 + below.depth
            else:
                size.depth = 1 + below.depth
        return size

    def _fragment(self, name: str) -> _Size:
        if name not in self._known:
            # An unknown fragment and a circle of fragments count nothing: validation tells of them.
            self._known[name] = _Size()
            if name in self._fragments:
                self._known[name] = self.of(self._fragments[name].selection_set)
        return self._known[name]
