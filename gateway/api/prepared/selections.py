"""The fields that an operation selects, as graphql-core collects them.

Which fields those are depends on the variables of @skip and @include alone. They are true or false,
so an operation is made once for each way that they can be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution.collect_fields import (
    FieldDetailsList,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues

from gateway.api.prepared.refusals import NotHandledError

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_CONDITIONS = 4
"""Variables of @skip and @include in one operation; with more, too many ways would be remembered."""

_KNOWN = {GraphQLSkipDirective.name, GraphQLIncludeDirective.name}


class Selections:
    """The fields selected by one operation, its conditions being as they are."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        conditions: Mapping[str, bool],
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._fragments = {
            node.name.value: FragmentDetails(node, None)
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._variables = VariableValues({}, dict(conditions))

    def root(self, type_: GraphQLObjectType) -> dict[str, FieldDetailsList]:
        """The operation's own fields, by their names in the answer."""
        found = collect_fields(
            self._schema, self._fragments, self._variables, type_, self._operation
        )
        return found.grouped_field_set

    def below(
        self, type_: GraphQLObjectType, details: FieldDetailsList
    ) -> dict[str, FieldDetailsList]:
        """The fields selected of an object, by their names in the answer."""
        found = collect_subfields(
            self._schema, self._fragments, self._variables, self._operation, type_, details
        )
        return found.grouped_field_set


def conditions_of(document: DocumentNode) -> tuple[str, ...]:
    """The variables by which fields are skipped and included.

    Raises NotHandledError for other directives, and for more variables than `MOST_CONDITIONS`.
    """
    seen = _Directives()
    visit(document, seen)
    if seen.unknown or len(seen.names) > MOST_CONDITIONS:
        raise NotHandledError("its directives")
    return tuple(sorted(seen.names))


class _Directives(Visitor):
    """Looks at all directives of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.unknown = False

    def enter_directive(self, node: DirectiveNode, *_rest: Any) -> None:
        """Take in what one directive asks for."""
        if node.name.value not in _KNOWN:
            self.unknown = True
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.names.add(argument.value.name.value)
