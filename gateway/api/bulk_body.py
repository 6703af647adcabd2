"""Which operations may have a body as large as a bulk's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import FieldNode, GraphQLError, OperationType, get_operation_ast, parse

if TYPE_CHECKING:
    from graphql import OperationDefinitionNode

BULK_FIELDS = frozenset({"upsertContacts"})


def may_be_bulk(body: bytes) -> bool:
    """Whether a body is worth being read for what it asks."""
    return b"documentId" in body or any(name.encode() in body for name in BULK_FIELDS)


def is_bulk(text: str, operation_name: str | None, max_tokens: int) -> bool:
    """Whether the operation asks for nothing but a bulk; no, where it cannot be parsed."""
    try:
        document = parse(text, no_location=True, max_tokens=max_tokens)
    except GraphQLError:
        return False
    operation = get_operation_ast(document, operation_name)
    return operation is not None and _asks_for_bulk_alone(operation)


def _asks_for_bulk_alone(operation: OperationDefinitionNode) -> bool:
    selections = operation.selection_set.selections
    return operation.operation is OperationType.MUTATION and all(
        isinstance(node, FieldNode) and node.name.value in BULK_FIELDS for node in selections
    )
