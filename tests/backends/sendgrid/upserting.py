"""The whole story of a write, with SendGrid as its only target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.names import Loaders
from gateway.upsert import upsert
from tests.backends.sendgrid.sending import write_of

if TYPE_CHECKING:
    from gateway.model import ContactInput
    from gateway.results import BackendResult
    from tests.backends.sendgrid.conftest import Account


async def upserted(account: Account, given: ContactInput) -> BackendResult:
    """The result of one upsert; those of one account share their locks."""
    exchange = account.exchange()
    receipt = await upsert(
        write_of(given), [], [account.adapter], Loaders(exchange), account.writer,
        deadline=exchange.deadline,
    )  # fmt: skip
    [result] = receipt.results
    return result
