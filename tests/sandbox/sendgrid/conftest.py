"""A simulated SendGrid account with a client that holds its key and a clock moved by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.sandbox.clock import ManualClock
from gateway.sandbox.sendgrid import API_KEY, SendGrid
from gateway.sandbox.sendgrid.seed import seeded_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Account:
    """What a test does with the account, named as the vendor's calls are."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.sendgrid = SendGrid(self.clock)
        self.switches = self.sendgrid.switches
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.sendgrid.app),
            base_url="http://sandbox/v3/marketing",
            headers={"Authorization": f"Bearer {API_KEY}"},
        )

    async def put(self, *contacts: dict[str, Any], list_ids: list[str] | None = None) -> str:
        """PUT contacts, which must be accepted; gives the job's id."""
        body: dict[str, Any] = {"contacts": list(contacts)}
        if list_ids is not None:
            body["list_ids"] = list_ids
        answer = await self.client.put("/contacts", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job_id"])

    async def put_and_wait(self, *contacts: dict[str, Any], **more: Any) -> dict[str, Any]:
        """PUT contacts and give their job when it has ended."""
        job_id = await self.put(*contacts, **more)
        self.clock.advance(60)
        return await self.job(job_id)

    async def job(self, job_id: str) -> dict[str, Any]:
        answer = await self.client.get(f"/contacts/imports/{job_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def find(self, email: str) -> dict[str, Any] | None:
        """Give a contact by e-mail, None when it is unknown."""
        answer = await self.client.post("/contacts/search/emails", json={"emails": [email]})
        if answer.status_code == 404:
            return None
        contact: dict[str, Any] = answer.json()["result"][email.lower()]["contact"]
        return contact

    async def errors_of(self, job: dict[str, Any]) -> str:
        """Give the file of errors that a job points at."""
        answer = await httpx.AsyncClient(transport=httpx.ASGITransport(app=self.sendgrid.app)).get(
            job["results"]["errors_url"]
        )
        assert answer.status_code == 200
        return answer.text

    def field(self, name: str) -> str:
        """Give the id of a custom field."""
        return next(one.id for one in self.sendgrid.store.fields.values() if one.name == name)

    def list(self, name: str) -> str:
        """Give the id of a seeded list."""
        return seeded_id("list", name)


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    made = Account()
    async with made.client:
        yield made
