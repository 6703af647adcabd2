"""The adapter on a simulated SendGrid account, with a clock moved by hand."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from gateway.backends.sendgrid import adapter as adapter_module
from gateway.backends.sendgrid.adapter import SendGridAdapter
from gateway.backends.sendgrid.client import SendGridDialect, get_field_definitions
from gateway.delivery import deliver
from gateway.locking.locks import Locks
from gateway.names import Loaders, resolve
from gateway.sandbox.clock import ManualClock
from gateway.sandbox.sendgrid import API_KEY, SendGrid
from gateway.upsert import Writer
from gateway.upstream import Exchange, Sender
from tests.backends.sendgrid.sending import contact, write_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.backends.adapter import Found, Plan
    from gateway.backends.sendgrid.identifiers import Identifier
    from gateway.model import Backend
    from gateway.results import BackendResult
    from gateway.sending.gathering import Gathering
    from gateway.write import ContactWrite


class Recording(httpx.ASGITransport):
    """Calls the simulated account, and keeps method, path and body of each call."""

    def __init__(self, app: Any) -> None:
        super().__init__(app=app)
        self.calls: list[tuple[str, str]] = []
        self.bodies: list[Any] = []
        self.stub: Callable[[httpx.Request], httpx.Response | None] = lambda _request: None
        self.reached = asyncio.Event()
        """Set when a call has come."""
        self.open = asyncio.Event()
        """While this is not set, calls that have come are not answered."""
        self.open.set()
        self.gated = {"GET", "POST", "PUT", "DELETE"}
        """The methods of which this is true."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v3/marketing")
        self.calls.append((request.method, path))
        self.bodies.append(orjson.loads(request.content) if request.content else None)
        self.reached.set()
        if request.method in self.gated:
            await self.open.wait()
        return self.stub(request) or await super().handle_async_request(request)

    def sent(self, method: str = "PUT") -> list[Any]:
        """The bodies of the calls with this method."""
        calls = zip(self.calls, self.bodies, strict=True)
        return [body for (used, _), body in calls if used == method]

    def contacts(self) -> list[list[dict[str, Any]]]:
        """The contacts of each upsert."""
        return [body["contacts"] for body in self.sent()]


@dataclass
class Account:
    """A simulated account, an adapter on it, and a clock for both."""

    identifier: Identifier = "email"
    window: float = 0.0
    clock: ManualClock = field(default_factory=ManualClock)
    writer: Writer = field(default_factory=lambda: Writer(locks=Locks()))
    passed: float = 0.0
    """Seconds that a test has let pass."""

    def __post_init__(self) -> None:
        self.sendgrid = SendGrid(self.clock)
        self.wire = Recording(self.sendgrid.app)
        dialect = SendGridDialect(base_url="http://sandbox", api_key=API_KEY)
        self.adapter = SendGridAdapter(
            Sender(dialect, httpx.AsyncClient(transport=self.wire)),
            dialect,
            catalog_ttl=300.0,
            identifier=self.identifier,
            window=self.window,
        )

    @staticmethod
    def exchange(seconds: float = 20.0, gathering: Gathering | None = None) -> Exchange:
        return Exchange(deadline=time.monotonic() + seconds, gathering=gathering)

    async def find(
        self, write: ContactWrite, siblings: Mapping[Backend, Found] | None = None
    ) -> Found:
        return await self.adapter.find(write, siblings or {}, self.exchange())

    async def plan(
        self, write: ContactWrite, siblings: Mapping[Backend, Found] | None = None
    ) -> Plan:
        """The plan of a write, with names resolved and the contact looked for."""
        exchange = self.exchange()
        wanted = self.adapter.wanted(write)
        resolution = await resolve(wanted, self.adapter.catalogs, Loaders(exchange))
        found = await self.find(write, siblings)
        return self.adapter.plan(write, found, resolution, siblings or {})

    async def write(
        self,
        *,
        sendgrid: Mapping[str, Any] | None = None,
        siblings: Mapping[Backend, Found] | None = None,
        how: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> BackendResult:
        """Write one contact, which must have no problems."""
        write = write_of(contact(sendgrid=sendgrid, **fields), **(how or {}))
        assert self.adapter.check(write) == []
        plan = await self.plan(write, siblings)
        assert plan.problems == ()
        return await deliver(plan, self.adapter, self.exchange())

    def held(self, email: str) -> Any:
        """The contact that the account holds under this address, None when there is none."""
        return self.sendgrid.store.owner("email", email)

    def lists_of(self, email: str) -> set[str]:
        """The names of the lists that a contact is on."""
        return {self.sendgrid.store.lists[one].name for one in self.held(email).list_ids}

    def custom(self, email: str) -> dict[str, Any]:
        """A contact's custom fields, by name."""
        fields = self.sendgrid.store.fields
        return {fields[key].name: value for key, value in self.held(email).custom_fields.items()}

    async def settled(self) -> None:
        """Let a minute pass, which ends every job."""
        self.pass_time(60)
        await self.adapter.sender.send(get_field_definitions(), self.exchange())

    @property
    def now(self) -> float:
        """The adapter's time."""
        return time.monotonic() + self.passed

    def pass_time(self, seconds: float) -> None:
        """Move the account's clock and the gateway's."""
        self.clock.advance(seconds)
        self.passed += seconds


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account that is used with e-mails as identifiers."""
    return _moving_with_the_gateways_time(Account(), monkeypatch)


@pytest.fixture
def by_external_id(monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account that is used with external ids as identifiers."""
    return _moving_with_the_gateways_time(Account(identifier="external_id"), monkeypatch)


@pytest.fixture
def sharing(monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account whose upserts wait a little for each other."""
    return _moving_with_the_gateways_time(Account(window=0.02), monkeypatch)


class _Time:
    """The adapter's `time`, ahead of the real one by what the test let pass."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def monotonic(self) -> float:
        return self._account.now


def _moving_with_the_gateways_time(account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setattr(adapter_module, "time", _Time(account))
    return account
