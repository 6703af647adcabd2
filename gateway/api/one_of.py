"""Strawberry's rule for inputs of which exactly one field is given, without its one fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import VariableNode
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

if TYPE_CHECKING:
    from graphql import GraphQLNamedType, ObjectValueNode


class OneOfRule(OneOfInputValidationRule):
    """The rule; a variable that the operation does not define is for another rule to tell."""

    def validate_one_of(self, node: ObjectValueNode, type: GraphQLNamedType) -> None:  # noqa: A002 - Strawberry's name
        """Look at one input, unless its variables cannot be judged."""
        named = (
            field.value.name.value for field in node.fields if isinstance(field.value, VariableNode)
        )
        if all(name in self.variable_definitions for name in named):
            super().validate_one_of(node, type)
