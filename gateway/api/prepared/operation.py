"""Prepared operations: made once for a document, called with each request's variables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType, get_operation_ast
from graphql import OperationType as CoreType
from strawberry.types.graphql import OperationType

from gateway.api.prepared.fields import Arguments, Field, field_of
from gateway.api.prepared.inputs import ABSENT, Inputs
from gateway.api.prepared.outputs import TYPENAME
from gateway.api.prepared.refusals import NotHandledError, UnfitError
from gateway.api.prepared.selections import Selections, conditions_of
from gateway.api.prepared.values import Slots, variables_in
from gateway.api.prepared.variables import Variable, given, variables_of

if TYPE_CHECKING:
    from graphql import DocumentNode, GraphQLInputType, GraphQLSchema, OperationDefinitionNode
    from strawberry.schema.schema_converter import GraphQLCoreConverter


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """How an operation goes, its conditions being as they are."""

    root: GraphQLObjectType
    serial: bool
    variables: Sequence[Variable]
    fields: Sequence[Field]
    typenames: Sequence[str]
    """Names in the answer under which the root type's own name is asked for."""
    order: Sequence[str]


@dataclass(kw_only=True, slots=True)
class Call:
    """An operation with its arguments: graphql-core has nothing to refuse of them."""

    way: Way
    arguments: Sequence[Arguments]


class PreparedOperation:
    """One operation of a validated document, and the ways it can go."""

    def __init__(
        self,
        preparer: Preparer,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        slots: Slots,
    ) -> None:
        self.type = OperationType(operation.operation.value)
        self._preparer = preparer
        self._document = document
        self._operation = operation
        self._slots = slots
        self._conditions = preparer.conditions(document, operation)
        self._ways: dict[tuple[bool, ...], Way | None] = {}

    def call(self, sent: Mapping[str, Any], literals: Sequence[str] = ()) -> Call | None:
        """The operation with these variables; None where graphql-core has to run it.

        Nothing has been run or changed by then.
        """
        try:
            way = self._way(sent)
            if way is None:
                return None
            values = given(way.variables, sent)
            arguments = [field.read(values, literals) for field in way.fields]
        except Exception:  # noqa: BLE001 - whatever it is, graphql-core will find and tell it
            return None
        return Call(way=way, arguments=arguments)

    def _way(self, sent: Mapping[str, Any]) -> Way | None:
        chosen = tuple([sent.get(name, default) for name, default in self._conditions.items()])
        for value in chosen:
            if type(value) is not bool:
                raise UnfitError
        if chosen not in self._ways:
            conditions = dict(zip(self._conditions, chosen, strict=True))
            self._ways[chosen] = self._preparer.way(
                self._document, self._operation, conditions, self._slots
            )
        return self._ways[chosen]


class Preparer:
    """Prepares operations of one schema."""

    def __init__(self, schema: GraphQLSchema, converter: GraphQLCoreConverter) -> None:
        self._schema = schema
        self._converter = converter
        self._inputs = Inputs(converter)

    def prepare(
        self, document: DocumentNode, name: str | None, slots: Slots
    ) -> PreparedOperation | None:
        """The operation of this name; None where graphql-core has to run it.

        The document is one that validation has found nothing wrong with.
        """
        operation = get_operation_ast(document, name)
        if operation is None or operation.operation is CoreType.SUBSCRIPTION:
            return None
        try:
            return PreparedOperation(self, document, operation, slots)
        except NotHandledError:
            return None

    def conditions(
        self, document: DocumentNode, operation: OperationDefinitionNode
    ) -> dict[str, Any]:
        """The variables of @skip and @include, with their default values; else ABSENT."""
        defaults = {
            node.variable.name.value: getattr(node.default_value, "value", ABSENT)
            for node in operation.variable_definitions or ()
        }
        return {name: defaults.get(name, ABSENT) for name in conditions_of(document)}

    def way(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        conditions: Mapping[str, bool],
        slots: Slots,
    ) -> Way | None:
        """How an operation goes under these conditions; None where graphql-core has to run it."""
        root = self._schema.get_root_type(operation.operation)
        if root is None or operation.directives:
            return None
        selections = Selections(self._schema, document, operation, conditions)
        try:
            return self._make(root, operation, selections, slots)
        except NotHandledError:
            return None

    def _make(
        self,
        root: GraphQLObjectType,
        operation: OperationDefinitionNode,
        selections: Selections,
        slots: Slots,
    ) -> Way:
        fields: list[Field] = []
        typenames: list[str] = []
        places: dict[str, list[GraphQLInputType]] = defaultdict(list)
        selected = selections.root(root)
        for name, details in selected.items():
            node = details[0].node
            asked = node.name.value
            if asked == TYPENAME:
                typenames.append(name)
                continue
            definition = root.fields.get(asked)
            if definition is None:
                raise NotHandledError(asked)
            fields.append(
                field_of(
                    name, definition, details, selections, self._inputs, self._converter, slots
                )
            )
            for argument in node.arguments or ():
                type_ = definition.args[argument.name.value].type
                for variable, place in variables_in(argument.value, type_):
                    places[variable].append(place)
        return Way(
            root=root,
            serial=operation.operation is CoreType.MUTATION,
            variables=variables_of(self._schema, operation, places, self._inputs),
            fields=fields,
            typenames=typenames,
            order=list(selected),
        )
