"""The GraphQL schema, and what becomes of errors in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry
import structlog
from strawberry.extensions import MaskErrors, ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from gateway.api.mutations import Mutation
from gateway.api.queries import Query
from gateway.errors import BackendFailure

if TYPE_CHECKING:
    from graphql import GraphQLError
    from strawberry.types import ExecutionContext

log = structlog.get_logger()


def _is_our_fault(error: GraphQLError) -> bool:
    """Whether an error is a fault of ours, whose text is for the log and not for the caller."""
    original = error.original_error
    while original is not None and getattr(original, "original_error", None) is not None:
        original = original.original_error  # type: ignore[attr-defined]
    return original is not None and not isinstance(original, BackendFailure)


class Schema(strawberry.Schema):
    """The schema; it logs our own faults and nothing else."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log faults of ours; what a caller did wrong is told to the caller alone."""
        request_id = execution_context.context.request_id if execution_context else None
        for error in errors:
            if _is_our_fault(error):
                log.error(
                    "resolver failed",
                    request_id=request_id,
                    path=error.path,
                    exc_info=error.original_error,
                )


schema = Schema(
    query=Query,
    mutation=Mutation,
    config=StrawberryConfig(),
    extensions=[
        ParserCache,
        ValidationCache,
        lambda: MaskErrors(
            should_mask_error=_is_our_fault,
            error_message="The gateway failed; its log tells why, by the request's id.",
        ),
    ],
)
