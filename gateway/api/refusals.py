"""GraphQL errors of reads: what a caller asked wrongly, and lists that a backend did not give.

They carry a code of `ProblemCode` in their extensions, and their text is for the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from graphql import GraphQLError

from gateway.results import ProblemCode
from gateway.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from gateway.callers.errors import CannotTellError, TooManyError, UnauthenticatedError
    from gateway.lookup import NobodyAskedError
    from gateway.results import Problem


T = TypeVar("T")


def refusal(code: ProblemCode, message: str, **more: Any) -> GraphQLError:
    """An error with a code."""
    return GraphQLError(message, extensions={"code": code.value, **more})


def wrong(message: str) -> GraphQLError:
    """The error of an argument that cannot be used."""
    return refusal(ProblemCode.INVALID, message)


def failed(problem: Problem) -> GraphQLError:
    """The error of a backend that did not give what was asked of it."""
    return refusal(problem.code, problem.message, retryable=problem.retryable, **_whose(problem))


def unauthenticated(error: UnauthenticatedError) -> GraphQLError:
    """The error of whoever is not let in."""
    return GraphQLError(str(error), extensions={"code": "UNAUTHENTICATED"})


def cannot_tell(error: CannotTellError) -> GraphQLError:
    """The error of a caller of whom nobody can tell now who it is."""
    return refusal(ProblemCode.UNAVAILABLE, str(error), retryable=True)


def too_many(error: TooManyError) -> GraphQLError:
    """The error of a caller who calls too often."""
    told = {"code": "TOO_MANY_REQUESTS", "retryAfterSeconds": round(error.seconds, 3)}
    return GraphQLError(str(error), extensions=told)


def nobody_asked(error: NobodyAskedError, by: str) -> GraphQLError:
    """The error of a contact of which no backend could be asked."""
    if not error.problems:
        return refusal(
            ProblemCode.NOT_CONFIGURED,
            f"No configured backend can be asked for a contact by its {by}.",
        )
    told = " ".join(problem.message for problem in error.problems)
    return refusal(
        error.problems[0].code,
        f"No backend could be asked for the contact. {told}",
        retryable=any(problem.retryable for problem in error.problems),
        problems=[
            {"code": problem.code.value, "message": problem.message, **_whose(problem)}
            for problem in error.problems
        ],
    )


async def told(asking: Awaitable[T]) -> T:
    """What the store says; raises a GraphQL error when it cannot."""
    try:
        return await asking
    except StoreError as error:
        raise refusal(
            ProblemCode.UNAVAILABLE, "The gateway's store cannot be used now.", retryable=True
        ) from error


def _whose(problem: Problem) -> dict[str, str]:
    return {"backend": problem.backend.value} if problem.backend else {}
