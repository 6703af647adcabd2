"""What is wrong when iVvy does not let the gateway in, in words that name the settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.backends.ivvy.answers import STALE
from gateway.results import ProblemCode

if TYPE_CHECKING:
    from gateway.results import Problem


def explained(problem: Problem) -> Problem:
    """A refusal of the credentials with the settings to look at; any other problem as it is. Pure."""
    if problem.code is not ProblemCode.UNAUTHORIZED or problem.backend_code == STALE:
        return problem
    return replace(
        problem,
        message="iVvy refuses the key, or the signature that is made with the secret: check "
        "GATEWAY_IVVY_API_KEY and GATEWAY_IVVY_API_SECRET, and that GATEWAY_IVVY_BASE_URL is the "
        f"region of the key. It says: {problem.backend_message or problem.message}",
    )
