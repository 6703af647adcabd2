"""Errors on their way to the caller: which are shown, which are masked, which status they get."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from cross_web import HTTPException
from graphql import GraphQLError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from gateway.errors import BackendFailure

if TYPE_CHECKING:
    from collections.abc import Mapping

log = structlog.get_logger()

FAILED = "The gateway failed; its log tells why, by the request's id."

STATUS_OF_CODE = {
    "INTERNAL_ERROR": 500,
    "TIMED_OUT": 504,
    "DOCUMENT_NOT_TRUSTED": 403,
}
"""Statuses of request errors, as application/graphql-response+json shows them; else 400."""

_NOT_OURS = (BackendFailure, InvalidOperationTypeError, CannotGetOperationTypeError)


def is_our_fault(error: GraphQLError) -> bool:
    """Whether an error is a fault of ours, whose text is for the log and not for the caller."""
    innermost: BaseException | None = error.original_error
    said_by_graphql = isinstance(innermost, GraphQLError)
    while isinstance(innermost, GraphQLError):
        innermost = innermost.original_error
    if innermost is None or isinstance(innermost, _NOT_OURS):
        return False
    # A scalar says by these that it cannot read a value; graphql-core then names the variable, or
    # validation the literal, which is no place in an answer.
    in_validation = bool(error.nodes) and error.path is None
    refused = isinstance(innermost, ValueError | TypeError | ArithmeticError)
    return not (refused and (said_by_graphql or in_validation))


def mask_faults(errors: list[GraphQLError], request_id: str) -> None:
    """Log faults of ours, and put masked errors into their places."""
    for place, error in enumerate(errors):
        if is_our_fault(error):
            log.error(
                "resolver failed",
                request_id=request_id,
                path=error.path,
                exc_info=error.original_error,
            )
            errors[place] = masked(error, request_id)


def masked(error: GraphQLError, request_id: str) -> GraphQLError:
    """What the caller is told of a fault of ours: where it was, and by what the log names it."""
    return GraphQLError(
        FAILED,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={"code": "INTERNAL_ERROR", "requestId": request_id},
    )


class HttpRefusalError(HTTPException):
    """A request that HTTP refuses; raised within the view, answered as a GraphQL error."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, message)
        self.headers = dict(headers or {})
        self.extensions = {"code": HTTPStatus(status).name, **(extensions or {})}

    @classmethod
    def over(
        cls, status: int, error: GraphQLError, *, headers: Mapping[str, str] | None = None
    ) -> HttpRefusalError:
        """A refusal that says what an error says."""
        return cls(status, error.message, headers=headers, extensions=error.extensions)

    @property
    def body(self) -> dict[str, Any]:
        """The GraphQL answer: one error and no data."""
        return {"errors": [{"message": self.reason, "extensions": self.extensions}]}
