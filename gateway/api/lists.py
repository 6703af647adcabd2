"""A backend's lists of names, for whatever query shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.api.refusals import failed, refusal
from gateway.errors import BackendFailure
from gateway.model import title
from gateway.results import ProblemCode

if TYPE_CHECKING:
    from gateway.account import Account
    from gateway.api.context import Context
    from gateway.backends.adapter import Adapter
    from gateway.entries import CatalogName, Entry
    from gateway.model import Backend


def configured(account: Account, backend: Backend) -> Adapter:
    """The backend's adapter; raises a GraphQL error where it is not configured."""
    adapter = account.adapters.get(backend)
    if adapter is None:
        raise refusal(
            ProblemCode.NOT_CONFIGURED, f"The gateway has no credentials for {title(backend)}."
        )
    return adapter


async def entries(context: Context, backend: Backend, name: CatalogName) -> list[Entry]:
    """A backend's list of names; empty where the backend has no such list.

    Raises a GraphQL error when it is not configured, or its list cannot be read.
    """
    catalogs = configured(context.account, backend).catalogs
    if not catalogs.holds(name):
        return []
    try:
        return list((await context.loaders.catalog(catalogs, name)).entries)
    except BackendFailure as failure:
        raise failed(failure.problem) from failure
