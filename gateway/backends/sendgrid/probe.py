"""What is wrong when SendGrid does not let the gateway in, in words that name the settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.results import ProblemCode

if TYPE_CHECKING:
    from gateway.results import Problem

KEY = "GATEWAY_SENDGRID_API_KEY"


def explained(problem: Problem) -> Problem:
    """A refusal of the key with the setting to look at; any other problem as it is. Pure."""
    said = problem.backend_message or problem.message
    match problem.code:
        case ProblemCode.UNAUTHORIZED:
            message = f"SendGrid does not know the key: check {KEY}. It says: {said}"
        case ProblemCode.FORBIDDEN:
            message = (
                f"SendGrid knows the key and denies it this: the key in {KEY} needs the Marketing "
                "permission, on an account with the new Marketing Campaigns; many bad requests can "
                f"also bring a block for a while. It says: {said}"
            )
        case _:
            return problem
    return replace(problem, message=message)
