"""Runs a prepared operation: resolvers called, results written, everything else left to graphql-core.

graphql-core's executor is made for an operation only when something goes wrong in it, or when a
result has to be completed that no writer knows. It then completes that result, locates the errors and
says what becomes null, exactly as if it had called the resolver itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from graphql import GraphQLError, GraphQLObjectType, get_nullable_type
from graphql.execution.collect_fields import collect_fields
from graphql.execution.executor import to_nodes
from graphql.pyutils import Path, gather_with_cancel
from strawberry import Info

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo
    from graphql.execution import Executor
    from graphql.execution.collect_fields import FieldDetailsList

    from gateway.api.prepared.fields import Arguments, Field
    from gateway.api.prepared.operation import Call


UNWRITTEN: Any = object()


class _LateInfo:
    """What a resolver may ask of its field; all but the context is made when it is asked for."""

    __slots__ = ("_made", "_make", "context")

    def __init__(self, context: object, make: Callable[[], GraphQLResolveInfo[Any]]) -> None:
        self.context = context
        self._make = make
        self._made: GraphQLResolveInfo[Any] | None = None

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            self._made = self._make()
        return getattr(self._made, name)


class Running:
    """One run of an operation."""

    def __init__(
        self,
        call: Call,
        context: object,
        info_class: type[Info],
        start: Callable[[], Executor[Any]],
    ) -> None:
        """`start` makes graphql-core's executor of the same operation and variables."""
        self._call = call
        self._way = call.way
        self._context = context
        self._info_class = info_class
        self._start = start
        self._executor: Executor[Any] | None = None
        self._details: dict[str, FieldDetailsList] = {}

    async def run(self) -> tuple[dict[str, Any] | None, list[GraphQLError] | None]:
        """The operation's data and errors."""
        way, arguments = self._way, self._call.arguments
        data: dict[str, Any] = dict.fromkeys(way.order)
        for name in way.typenames:
            data[name] = way.root.name
        try:
            if way.serial or len(way.fields) == 1:
                for field, given in zip(way.fields, arguments, strict=True):
                    data[field.name] = await self._field(field, given)
            elif way.fields:
                results = await gather_with_cancel(*map(self._field, way.fields, arguments))
                data.update(zip([field.name for field in way.fields], results, strict=True))
        except GraphQLError as error:
            self._core().collected_errors.add(error, None)
            return None, self._errors
        return data, self._errors

    @property
    def _errors(self) -> list[GraphQLError] | None:
        """What graphql-core has collected; None for nothing."""
        return (self._executor and self._executor.collected_errors.errors) or None

    async def _field(self, field: Field, arguments: Arguments) -> Any:
        try:
            late = _LateInfo(self._context, lambda: self._info(field))
            info = self._info_class(
                _raw_info=cast("GraphQLResolveInfo[Any]", late), _field=field.made_by
            )
            result = await field.resolve(info, arguments)
            written = _written(field, result)
            if written is UNWRITTEN:
                return await self._complete(field, result)
            if field.left and written is not None:
                written.update(await self._leftovers(field, result))
            return written  # noqa: TRY300 - what completing raises is the field's error as well
        except Exception as error:  # noqa: BLE001 - what a resolver raises is the field's error
            executor = self._core()
            executor.handle_field_error(
                error, field.definition.type, self._details[field.name], self._path(field)
            )
            return None

    async def _complete(self, field: Field, result: Any) -> Any:
        executor = self._core()
        completed = executor.complete_value(
            field.definition.type,
            self._details[field.name],
            self._info(field),
            self._path(field),
            result,
            None,
        )
        if executor.is_awaitable(completed):
            return await completed
        return completed

    async def _leftovers(self, field: Field, result: Any) -> dict[str, Any]:
        """Those fields of an object that no writer knows, executed by graphql-core."""
        executor = self._core()
        type_ = cast("GraphQLObjectType", get_nullable_type(field.definition.type))
        below = executor.collect_subfields(type_, self._details[field.name]).grouped_field_set
        some = {name: below[name] for name in field.left}
        executed = executor.execute_fields(type_, result, self._path(field), some, None)
        if executor.is_awaitable(executed):
            executed = await executed
        return cast("dict[str, Any]", executed)

    def _info(self, field: Field) -> GraphQLResolveInfo[Any]:
        executor = self._core()
        nodes = to_nodes(self._details[field.name])
        return executor.build_resolve_info(
            field.definition, nodes, self._way.root, self._path(field)
        )

    def _path(self, field: Field) -> Path:
        return Path(None, field.name, self._way.root.name)

    def _core(self) -> Executor[Any]:
        if self._executor is None:
            self._executor = executor = self._start()
            self._details = collect_fields(
                executor.schema,
                executor.fragments,
                executor.variable_values,
                self._way.root,
                executor.operation,
                executor.hide_suggestions,
            ).grouped_field_set
        return self._executor


def _written(field: Field, result: Any) -> Any:
    """What a field answers, or UNWRITTEN where graphql-core has to complete its result."""
    if field.write is None:
        return UNWRITTEN
    try:
        return field.write(result)
    except Exception:  # noqa: BLE001 - whatever it is, graphql-core will find and tell it
        return UNWRITTEN
