"""Whether the names in Everbridge's settings are names that the organization has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.entries import CatalogName
from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from gateway.backends.everbridge.organization import Organization
    from gateway.catalogs import Catalogs
    from gateway.upstream import Exchange


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
