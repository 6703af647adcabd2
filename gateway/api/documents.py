"""The documents of operations: parsed, held against the limits, validated, and remembered.

The rules are made once, when this module is imported. Most callers send the same few documents again
and again, so that parsing and validating would else be most of what a small query costs. Documents
that differ in literals alone, where these may be any, are remembered as one.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from graphql import (
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule

from gateway.api.limits import check_document, check_text, exceeded
from gateway.api.literals import Lifted, Shape, lifted, outline_of
from gateway.api.one_of import OneOfRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphql import DocumentNode, GraphQLSchema

    from gateway.api.limits import Limits
    from gateway.api.prepared import PreparedOperation

RULES = (*specified_rules, MaybeNullValidationRule, OneOfRule)
PRODUCTION_RULES = (*RULES, NoSchemaIntrospectionCustomRule)

MAX_ERRORS = 20
"""Validation stops here: nobody reads more, and a document of nothing but mistakes costs no more."""

GIVEN_UP = "Validation aborted."
"""All that graphql-core says of a document on which it would spend too much."""

REMEMBERED_TOKENS = 50_000
"""Of all remembered documents together: some 36 MB, at the 615 bytes a token that were measured, and 100
for what is prepared of it. Their texts count as well."""

CHARACTERS_A_TOKEN = 50
"""Characters of a text, white space and comments among them, that count as one token more. A text is
kept twice, in pieces and whole, at up to four bytes a character: 400 bytes, less than a token's."""

NONE_LIFTED = Lifted({}, ())


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A document that was looked at: it may run when it has no errors."""

    document: DocumentNode | None
    """Absent where it could not be parsed or is over a limit. Its literals may be another text's."""
    errors: tuple[GraphQLError, ...] = ()
    text: str | None = None
    """Where the document's literals are another text's: the text with the right ones."""
    literals: Sequence[str] = ()
    """The right values of those that are lifted."""
    lifted: Lifted = NONE_LIFTED
    operations: dict[str | None, PreparedOperation | None] = field(default_factory=dict)
    """Those that were asked for, by name; None is one that graphql-core has to run."""
    classes: dict[str | None, tuple[str, str]] = field(default_factory=dict)
    """Types of operations and the fields at their roots, as `watched.class_of` has found them."""

    def whole(self) -> DocumentNode | None:
        """The document with its own literals."""
        return self.document if self.text is None else parse(self.text)


NOTHING = Prepared(document=None)


class Documents:
    """Documents of one schema; those that may run are remembered, the longest unused go first."""

    def __init__(self, schema: GraphQLSchema, *, tokens: int = REMEMBERED_TOKENS) -> None:
        self._schema = schema
        self._room = tokens
        self._known: OrderedDict[tuple[str | Shape, Limits], Prepared] = OrderedDict()

    def prepare(self, text: str, limits: Limits, *, lift: bool = True) -> Prepared:
        """The document of this text; what is wrong with it is in its errors.

        Without `lift` it is taken as it is, whatever its literals.
        """
        excess = check_text(text, limits)
        if excess is not None:
            return Prepared(document=None, errors=(excess,))
        known = self._find((text, limits))
        if known is not None:
            return known
        outline = outline_of(text) if lift else None
        known = None if outline is None else self._find((outline.shape, limits))
        if known is not None and outline is not None and outline.fits(known.lifted.whole):
            return Prepared(
                document=known.document,
                text=text,
                literals=outline.values,
                lifted=known.lifted,
                operations=known.operations,
                classes=known.classes,
            )
        prepared = _prepare(self._schema, text, limits)
        if prepared.document is None or prepared.errors:
            return prepared
        found = None if outline is None else lifted(self._schema, prepared.document, outline)
        if found is None or outline is None:
            self._remember((text, limits), prepared)
            return prepared
        prepared = replace(prepared, literals=outline.values, lifted=found)
        self._remember((outline.shape, limits), prepared)
        return prepared

    def _find(self, key: tuple[str | Shape, Limits]) -> Prepared | None:
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
        return known

    def _remember(self, key: tuple[str | Shape, Limits], prepared: Prepared) -> None:
        self._known[key] = prepared
        self._room -= _weight(prepared)
        while self._room < 0:
            _, oldest = self._known.popitem(last=False)
            self._room += _weight(oldest)


def check_operation(document: DocumentNode, name: str | None) -> GraphQLError | None:
    """Why no operation of a document can be chosen by this name; None when one can."""
    if get_operation_ast(document, name) is not None:
        return None
    if name is not None:
        return GraphQLError(f"The document has no operation {name[:100]!r}.")
    if any(isinstance(node, OperationDefinitionNode) for node in document.definitions):
        return GraphQLError("The document has several operations: operationName must choose one.")
    return GraphQLError("The document has no operation.")


def _weight(prepared: Prepared) -> int:
    """What a remembered document takes of the room, in tokens."""
    document = prepared.document
    if document is None or document.loc is None:
        return 0
    return document.token_count + len(document.loc.source.body) // CHARACTERS_A_TOKEN


def _prepare(schema: GraphQLSchema, text: str, limits: Limits) -> Prepared:
    try:
        document = parse(text, max_tokens=limits.max_tokens)
    except GraphQLSyntaxError as error:
        return Prepared(document=None, errors=(_syntax_error(error, limits),))
    excess = check_document(document, limits)
    if excess is not None:
        return Prepared(document=None, errors=(excess,))
    errors = validate(
        schema,
        document,
        PRODUCTION_RULES if limits.production else RULES,
        max_errors=MAX_ERRORS,
        hide_suggestions=limits.production,
    )
    return Prepared(document=document, errors=tuple(_told(error) for error in errors))


def _told(error: GraphQLError) -> GraphQLError:
    """An error of validation, in words that help where graphql-core has none."""
    if error.message != GIVEN_UP:
        return error
    return GraphQLError(
        "It selects fields of the same name so often, or its operations share so many fragments, that it "
        "would take too long to validate: select each field once, send each operation by itself.",
        extensions={"code": "LIMIT_EXCEEDED"},
    )


def _syntax_error(error: GraphQLSyntaxError, limits: Limits) -> GraphQLError:
    if error.description.startswith("Document contains more than"):
        return exceeded("It has more tokens", "max_tokens", limits.max_tokens)
    # Not a GraphQLSyntaxError: for that one Strawberry closes a WebSocket with all its operations.
    return GraphQLError(error.message, source=error.source, positions=error.positions)
