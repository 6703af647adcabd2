"""Writes of several callers at once, said briefly."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.backends.sendgrid.client import put_contacts
from gateway.errors import BackendFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.calls import Call, Reply
    from gateway.results import BackendCall, Problem
    from gateway.upstream import Exchange
    from tests.backends.sendgrid.conftest import Account


@dataclass(kw_only=True)
class Sent:
    """What one caller got for its call, and what its receipt shows."""

    answer: Reply | BackendFailure
    exchange: Exchange

    @property
    def call(self) -> BackendCall:
        [call] = self.exchange.calls
        return call

    @property
    def shown(self) -> dict[str, Any]:
        """The one contact that the receipt shows."""
        body: Any = self.call.body
        [contact] = body["contacts"]
        return dict(contact)

    @property
    def job(self) -> str:
        assert not isinstance(self.answer, BackendFailure), self.answer
        return str(self.answer.body["job_id"])

    @property
    def failure(self) -> BackendFailure:
        assert isinstance(self.answer, BackendFailure), self.answer
        return self.answer

    @property
    def problem(self) -> Problem:
        return self.failure.problem


def person(name: str, **fields: Any) -> dict[str, Any]:
    """A contact as it is sent."""
    return {"email": f"{name}@example.com", **fields}


def upsert(name: str, *list_ids: str, **fields: Any) -> Call:
    """A plan's upsert of one contact."""
    return put_contacts([person(name, **fields)], list_ids)


async def send(account: Account, call: Call, exchange: Exchange | None = None) -> Sent:
    """One caller's call, and what came of it."""
    exchange = exchange or account.exchange()
    try:
        answer: Reply | BackendFailure = await account.adapter.send(call, exchange)
    except BackendFailure as failure:
        answer = failure
    return Sent(answer=answer, exchange=exchange)


async def send_all(
    account: Account, calls: Sequence[Call], exchanges: Sequence[Exchange] = ()
) -> list[Sent]:
    """What came of the calls of several callers, which come at the same moment."""
    own = exchanges or [account.exchange() for _ in calls]
    return await asyncio.gather(
        *(send(account, call, one) for call, one in zip(calls, own, strict=True))
    )


def names(contacts: Sequence[dict[str, Any]]) -> list[str]:
    """The persons of a call."""
    return [contact["email"].partition("@")[0] for contact in contacts]
