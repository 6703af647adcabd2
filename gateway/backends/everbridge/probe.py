"""What is wrong when Everbridge does not let the gateway in, and with the names in its settings."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.entries import CatalogName
from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from gateway.backends.everbridge.organization import Organization
    from gateway.catalogs import Catalogs
    from gateway.upstream import Exchange

_UNKNOWN_ORGANIZATION = re.compile(r"\bOrg\b.*\binvalid\b", re.IGNORECASE)
"""Everbridge says `Org 123 is invalid.`, with 401 (contract: everbridge section 2.3)."""


def explained(problem: Problem, organization_id: str) -> Problem:
    """A refusal of the credentials with the settings to look at; any other problem as it is. Pure.

    Everbridge answers 401 for an unknown organization as well; only its text tells it apart.
    """
    if problem.code is not ProblemCode.UNAUTHORIZED:
        return problem
    said = problem.backend_message or problem.message
    if _UNKNOWN_ORGANIZATION.search(said):
        message = (
            f"Everbridge knows no organization {organization_id}, or it is not one of these "
            "credentials: check GATEWAY_EVERBRIDGE_ORGANIZATION_ID."
        )
    else:
        message = (
            "Everbridge refuses the credentials: check GATEWAY_EVERBRIDGE_USERNAME and "
            "GATEWAY_EVERBRIDGE_PASSWORD, or GATEWAY_EVERBRIDGE_CLIENT_ID and "
            "GATEWAY_EVERBRIDGE_CLIENT_SECRET, and that they may use the API."
        )
    return replace(problem, message=f"{message} It says: {said}")


async def unknown_names(
    organization: Organization, catalogs: Catalogs, exchange: Exchange
) -> list[Problem]:
    """A problem for each setting that names no path or record type, or several.

    Raises BackendFailure when a list cannot be read.
    """
    named = [
        ("EVERBRIDGE_EMAIL_PATH", CatalogName.PATHS, organization.email_path),
        ("EVERBRIDGE_PHONE_PATH", CatalogName.PATHS, organization.phone_path),
        ("EVERBRIDGE_RECORD_TYPE", CatalogName.RECORD_TYPES, organization.record_type),
    ]
    problems = []
    for setting, name, text in named:
        if text is None:
            continue
        catalog = await catalogs.read(name, exchange)
        count = len(catalog.matches(text))
        if count == 1:
            continue
        like = catalog.like(text)
        hint = f" Did you mean {' or '.join(map(repr, like))}?" if like and not count else ""
        problems.append(
            Problem(
                backend=Backend.EVERBRIDGE,
                code=ProblemCode.NAME_AMBIGUOUS if count else ProblemCode.NAME_NOT_FOUND,
                message=f"GATEWAY_{setting} is {text!r}, and Everbridge has {count or 'none'} of "
                f"that name among its {name.value}.{hint}",
                suggestions=like,
            )
        )
    return problems
