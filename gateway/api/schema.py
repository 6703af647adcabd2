"""The GraphQL schema: what is looked at before an operation runs, and what becomes of errors in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import strawberry
from graphql import GraphQLError, get_operation_ast
from strawberry.execution import optimized_is_awaitable
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.types.graphql import OperationType

from gateway.api.context import Context
from gateway.api.documents import Documents, check_operation
from gateway.api.errors import mask_faults
from gateway.api.exact_ids import read_ids_exactly
from gateway.api.lead_mutation import UpsertLeadPayload
from gateway.api.lead_types import Lead
from gateway.api.limits import check_variables
from gateway.api.mutations import Mutation, UpsertContactPayload
from gateway.api.operation_queries import Subscription
from gateway.api.prepared import Preparer, Running
from gateway.api.queries import Query
from gateway.api.scalars import SCALARS
from gateway.api.scopes import guard
from gateway.api.time_limit import time_left, too_long
from gateway.api.watched import Ran, counted
from gateway.results import BackendCall, ImportJob

if TYPE_CHECKING:
    from graphql import DocumentNode
    from strawberry.schema.schema import StreamResult
    from strawberry.types import ExecutionContext

    from gateway.api.prepared import Call


NO_STREAM = frozenset({OperationType.QUERY, OperationType.MUTATION})


class Prepared(SchemaExtension):
    """Hands Strawberry the document that the schema has prepared, and ends what takes too long."""

    def on_parse(self) -> Iterator[None]:
        """The document, parsed before."""
        self.execution_context.graphql_document = self._context.prepared.whole()
        yield

    def on_validate(self) -> Iterator[None]:
        """What validation found, before."""
        self.execution_context.pre_execution_errors = list(self._context.prepared.errors)
        yield

    async def on_execute(self) -> AsyncIterator[None]:
        """Execution, within its time; of a subscription, the time until it has begun."""
        try:
            with time_left(self._context):
                yield
        except TimeoutError:
            raise too_long(self._context) from None

    @property
    def _context(self) -> Context:
        context: Context = self.execution_context.context
        return context


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Says nothing of what it knows instead of a wrong name, in production."""

    @classmethod
    def build(  # type: ignore[override]
        cls,
        schema: Any,
        document: Any,
        root_value: Any,
        context_value: Context,
        *more: Any,
        **named: Any,
    ) -> Any:
        """The executor of one operation, or the errors of its variables."""
        named["hide_suggestions"] = context_value.limits.production
        return super().build(schema, document, root_value, context_value, *more, **named)


class Schema(strawberry.Schema):
    """A schema that looks at an operation before it runs it, and keeps its own faults to its log."""

    def __init__(
        self,
        query: type,
        mutation: type | None = None,
        subscription: type | None = None,
        config: StrawberryConfig | None = None,
    ) -> None:
        super().__init__(
            query,
            mutation,
            subscription,
            extensions=[Prepared],
            execution_context_class=Executor,
            config=config or StrawberryConfig(scalar_map=SCALARS),
        )
        read_ids_exactly()
        self.documents = Documents(self._schema)
        self._preparer = Preparer(self._schema, self.schema_converter)

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """Run a query or a mutation; a subscription is for `stream` alone."""
        with Ran(context_value, operation_name) as ran:
            # The awaitable of whichever runs it: one step less to go through at each of its waits.
            result = await self._execution(
                query,
                variable_values,
                context_value,
                root_value,
                operation_name,
                allowed_operation_types,
                operation_extensions,
            )
            ran.note(result)
            return result

    def _execution(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None,
        context_value: Any,
        root_value: Any,
        operation_name: str | None,
        allowed_operation_types: Iterable[OperationType] | None,
        operation_extensions: dict[str, Any] | None,
    ) -> Awaitable[ExecutionResult]:
        errors = self._prepare(query, variable_values, operation_name, context_value)
        if errors:
            return _refused(errors)
        allowed = allowed_operation_types or NO_STREAM
        call = self._call(variable_values or {}, operation_name, context_value, allowed)
        if call is not None:
            start = partial(
                self._executor, variable_values, operation_name, context_value, operation_extensions
            )
            return _run(Running(call, context_value, self.config.info_class, start), context_value)
        return super().execute(
            query,
            variable_values,
            context_value,
            root_value,
            operation_name,
            NO_STREAM & set(allowed),
            operation_extensions,
        )

    def _call(
        self,
        variables: dict[str, Any],
        name: str | None,
        context: Context,
        allowed: Iterable[OperationType],
    ) -> Call | None:
        """The operation as a prepared one; None where it is Strawberry's to run."""
        prepared = context.prepared
        if prepared.document is None or prepared.errors or self.extensions != (Prepared,):
            return None
        if not context.account.settings.prepared_operations:
            return None
        if name not in prepared.operations:
            made = self._preparer.prepare(prepared.document, name, prepared.lifted.slots)
            prepared.operations[name] = made
        operation = prepared.operations[name]
        # Its type is a query's or a mutation's: no other is prepared.
        if operation is None or operation.type not in allowed:
            return None
        return operation.call(variables, prepared.literals)

    def _executor(
        self,
        variables: dict[str, Any] | None,
        name: str | None,
        context: Context,
        extensions: dict[str, Any] | None,
    ) -> Any:
        """graphql-core's executor of an operation, made as Strawberry would."""
        build: Any = self.execution_context_class.build
        made = build(
            self._schema,
            context.prepared.whole(),
            None,
            context,
            raw_variable_values=variables,
            operation_name=name,
            is_awaitable=optimized_is_awaitable,
            operation_extensions=extensions,
        )
        if isinstance(made, list):
            raise made[0]
        return made

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        operation_extensions: dict[str, Any] | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
    ) -> StreamResult:
        """Run an operation of any kind that answers step by step.

        Raises InvalidOperationTypeError before anything is answered.
        """
        context: Context = context_value.next_operation()
        answers = await self._stream_from(
            query,
            variable_values,
            context,
            root_value,
            operation_name,
            operation_extensions,
            allowed_operation_types,
        )
        return counted(answers, context, operation_name)

    async def _stream_from(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None,
        context: Context,
        root_value: Any,
        operation_name: str | None,
        operation_extensions: dict[str, Any] | None,
        allowed_operation_types: Iterable[OperationType] | None,
    ) -> StreamResult:
        errors = self._prepare(query, variable_values, operation_name, context)
        if errors:
            return _only(PreExecutionError(data=None, errors=errors))
        if allowed_operation_types is not None:
            _check_type(context.prepared.document, operation_name, allowed_operation_types)
        return await super().stream(
            query,
            variable_values,
            context,
            root_value,
            operation_name,
            operation_extensions,
            allowed_operation_types,
        )

    def _prepare(
        self,
        query: str | None,
        variables: dict[str, Any] | None,
        name: str | None,
        context: Context,
    ) -> list[GraphQLError]:
        """What keeps an operation from being looked at any closer; most often nothing."""
        if not query:
            return [GraphQLError("There is no query.")]
        refusal = context.trusted.refusal(query)
        if refusal is not None:
            return [refusal]
        lift = context.account.settings.prepared_operations
        context.prepared = self.documents.prepare(query, context.limits, lift=lift)
        if context.prepared.document is None:
            return list(context.prepared.errors)
        found = None
        if name not in context.prepared.operations:  # those were found before
            found = check_operation(context.prepared.document, name)
        if found is None and variables:
            found = check_variables(variables, context.limits)
        return [] if found is None else [found]

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log faults of ours and put masked errors into their places.

        What a caller did wrong is told to the caller alone. Strawberry calls this on every way that
        an error can take, WebSockets included, before the list goes out.
        """
        mask_faults(errors, execution_context.context.request_id if execution_context else "")


def _check_type(
    document: DocumentNode | None, name: str | None, allowed: Iterable[OperationType]
) -> None:
    operation = document and get_operation_ast(document, name)
    if operation and OperationType(operation.operation.value) not in allowed:
        raise InvalidOperationTypeError(OperationType(operation.operation.value))


async def _refused(errors: list[GraphQLError]) -> ExecutionResult:
    return PreExecutionError(data=None, errors=errors)


async def _run(running: Running, context: Context) -> ExecutionResult:
    """What Strawberry's own execution does around graphql-core's."""
    result: ExecutionResult
    try:
        with time_left(context):
            data, errors = await running.run()
        result = ExecutionResult(data=data, errors=errors)
    except TimeoutError:
        result = PreExecutionError(data=None, errors=[too_long(context)])
    except Exception as error:  # noqa: BLE001 - it is told to the caller, or masked and logged
        if not isinstance(error, GraphQLError):
            error = GraphQLError(str(error), original_error=error)
        result = PreExecutionError(data=None, errors=[error])
    if result.errors:
        mask_faults(result.errors, context.request_id)
    return result


async def _only(result: PreExecutionError) -> StreamResult:
    yield result


guard(
    (
        *(Query, Mutation, Subscription, UpsertContactPayload, UpsertLeadPayload),
        *(Lead, ImportJob, BackendCall),
    )
)
schema = Schema(query=Query, mutation=Mutation, subscription=Subscription)
