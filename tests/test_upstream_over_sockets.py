"""What is known of a call when real connections are refused, dropped, slow or cut."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from gateway.calls import Call, Safety
from gateway.errors import BackendFailure, MaybeWrittenError, NotWrittenError, RefusedError
from gateway.model import Backend
from gateway.results import ProblemCode
from gateway.sending import tries
from gateway.upstream import Sender
from gateway.wire.network import NetworkWire
from tests.plain_backend import PlainDialect, within

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from gateway.sandbox.app import Sandbox

LISTS = "/v3/marketing/lists"
CONTACTS = "/v3/marketing/contacts"
READ = Call(method="GET", path=LISTS)
REPEATABLE = Call(
    method="PUT",
    path=CONTACTS,
    body={"contacts": [{"email": "new@example.com"}]},
    safety=Safety.REPEATABLE,
)
ONCE = Call(method="POST", path=LISTS, body={"name": "Once"}, safety=Safety.ONCE)


@pytest.fixture(autouse=True)
def _no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "BACKOFF_BASE", 0.0)


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The app's address on a free port, served in a thread."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        config = uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            log_config=None,
            timeout_graceful_shutdown=0,  # answers that nobody waits for end with the test
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()


@dataclass
class Wire:
    """A sender on a real connection to the sandbox's SendGrid."""

    sender: Sender
    sandbox: Sandbox

    def fault(self, **fault: Any) -> None:
        self.sandbox.faults.add({"backend": "sendgrid", **fault})

    def received(self) -> list[str]:
        return [f"{call['method']} {call['path']}" for call in self.sandbox.calls.shown()]

    def lists(self, name: str) -> int:
        """How many lists of that name SendGrid holds."""
        held = self.sandbox.sendgrid.dump()["lists"]
        return sum(row["name"] == name for row in held)

    async def fails(self, call: Call) -> BackendFailure:
        with pytest.raises(BackendFailure) as raised:
            await self.sender.send(call, within())
        return raised.value


@contextmanager
def _dialect(address: str) -> Iterator[PlainDialect]:
    dialect = PlainDialect(backend=Backend.SENDGRID, base_url=address)
    dialect.authorize = lambda *_a, **_k: _key()  # type: ignore[method-assign]
    yield dialect


async def _key() -> dict[str, str]:
    return {"Authorization": "Bearer SG.sandbox.key"}


@pytest.fixture
async def wire(sandbox: Sandbox) -> AsyncIterator[Wire]:
    with served(sandbox.app) as address, _dialect(f"{address}/sendgrid") as dialect:
        async with aclosing(NetworkWire()) as client:
            yield Wire(Sender(dialect, client, try_timeout=5.0), sandbox)


@pytest.mark.parametrize("call", [READ, REPEATABLE, ONCE])
async def test_a_refused_connection_is_surely_not_sent_and_tried_again(call: Call) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with aclosing(NetworkWire()) as client:
            with _dialect(address) as dialect:
                exchange = within()
                with pytest.raises(NotWrittenError) as raised:
                    await Sender(dialect, client).send(call, exchange)
    assert raised.value.problem.code is ProblemCode.UNAVAILABLE
    assert [record.attempts for record in exchange.calls] == ([] if call is READ else [4])


async def test_an_address_that_no_server_takes_is_refused_and_not_sent(wire: Wire) -> None:
    for path in (f"{LISTS}/{'x' * 70_000}", f"{LISTS}/\r\nHost: elsewhere"):
        failure = await wire.fails(Call(method="GET", path=path))
        assert type(failure) is RefusedError
    assert wire.received() == []


async def test_an_address_leaves_letter_by_letter(wire: Wire) -> None:
    call = Call(method="GET", path=LISTS, query=(("page_token", "a+b/c=%20~é"),))
    await wire.fails(call)
    [received] = wire.sandbox.calls.shown()
    assert received["query"] == {"page_token": "a+b/c=%20~é"}


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_a_write_for_once_that_was_dropped_is_unknown_and_sent_once(
    wire: Wire, drop: str
) -> None:
    wire.fault(drop=drop, times=9)
    failure = await wire.fails(ONCE)
    assert type(failure) is MaybeWrittenError
    assert failure.problem.code is ProblemCode.UNAVAILABLE
    assert not failure.problem.retryable, "it may have been done, and would be done twice"
    assert "ServerDisconnectedError" in failure.problem.message
    assert wire.received() == [f"POST {LISTS}"]
    assert wire.lists("Once") == (1 if drop == "after" else 0)


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_a_write_for_once_dropped_on_a_used_connection_is_sent_once(
    wire: Wire, drop: str
) -> None:
    await wire.sender.send(READ, within())
    wire.fault(drop=drop, times=9)
    assert type(await wire.fails(ONCE)) is MaybeWrittenError
    assert wire.received() == [f"GET {LISTS}", f"POST {LISTS}"]


@pytest.mark.parametrize("drop", ["before", "after"])
@pytest.mark.parametrize("call", [READ, REPEATABLE])
async def test_a_dropped_call_that_may_be_repeated_succeeds_later(
    wire: Wire, call: Call, drop: str
) -> None:
    wire.fault(drop=drop, times=2)
    reply = await wire.sender.send(call, within())
    assert reply.status in {200, 202}
    assert len(wire.received()) == 3


@pytest.mark.parametrize("drop", ["before", "after"])
@pytest.mark.parametrize("call", [READ, REPEATABLE])
async def test_a_call_dropped_on_a_used_connection_leaves_as_often_as_is_counted(
    wire: Wire, call: Call, drop: str
) -> None:
    await wire.sender.send(READ, within())
    wire.fault(drop=drop, times=9)
    exchange = within()
    with pytest.raises(BackendFailure):
        await wire.sender.send(call, exchange)
    assert wire.received() == [f"GET {LISTS}"] + [f"{call.method} {call.path}"] * 4
    assert [record.attempts for record in exchange.calls] == ([] if call is READ else [4])


@pytest.mark.parametrize(
    ("call", "failure"), [(READ, NotWrittenError), (REPEATABLE, MaybeWrittenError)]
)
async def test_a_backend_that_always_drops_ends_as_what_is_known(
    wire: Wire, call: Call, failure: type[BackendFailure]
) -> None:
    wire.fault(drop="after", times=99)
    found = await wire.fails(call)
    assert (type(found), found.problem.retryable) == (failure, True)


@pytest.mark.parametrize(("call", "failure"), [(READ, NotWrittenError), (ONCE, MaybeWrittenError)])
async def test_a_slow_answer_is_a_timeout(
    wire: Wire, call: Call, failure: type[BackendFailure]
) -> None:
    wire.fault(delayMs=60_000, times=9)
    wire.sender._try_timeout = 0.05
    found = await wire.fails(call)
    assert type(found) is failure
    assert found.problem.code is ProblemCode.TIMEOUT
    wire.sandbox.faults.clear()
    wire.sender._try_timeout = 5.0
    assert (await wire.sender.send(READ, within())).status == 200


@pytest.mark.parametrize(("call", "failure"), [(READ, NotWrittenError), (ONCE, MaybeWrittenError)])
async def test_an_answer_that_trickles_in_ends_with_the_try(
    call: Call, failure: type[BackendFailure]
) -> None:
    async def trickle(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"1000000"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            while True:
                await send({"type": "http.response.body", "body": b" ", "more_body": True})
                await asyncio.sleep(0.005)
        except OSError:
            return

    with _trickling(trickle) as address, _dialect(address) as dialect:
        async with aclosing(NetworkWire()) as client:
            with pytest.raises(failure) as raised:
                await Sender(dialect, client, try_timeout=0.05).send(call, within())
    assert raised.value.problem.code is ProblemCode.TIMEOUT


@contextmanager
def _trickling(app: Any) -> Iterator[str]:
    async def until_gone(scope: Any, receive: Any, send: Any) -> None:
        async def gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        sending = asyncio.create_task(app(scope, receive, send))
        await gone()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    with served(until_gone) as address:
        yield address


async def test_a_truncated_answer_to_a_write_is_unknown(wire: Wire) -> None:
    wire.fault(truncate=True, times=9)
    failure = await wire.fails(ONCE)
    assert type(failure) is MaybeWrittenError
    assert wire.received() == [f"POST {LISTS}"]


async def test_a_truncated_answer_to_a_read_is_asked_for_again(wire: Wire) -> None:
    wire.fault(truncate=True)
    assert (await wire.sender.send(READ, within())).status == 200


async def test_an_answer_that_is_no_http_counts_as_none(wire: Wire) -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _reader.readuntil(b"\r\n\r\n")
        writer.write(b"hello\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        wire.sender.dialect.base_url = f"http://127.0.0.1:{port}"
        assert type(await wire.fails(ONCE)) is MaybeWrittenError
        assert type(await wire.fails(READ)) is NotWrittenError


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("retry_after", ["0", "Wed, 21 Oct 2015 07:28:00 GMT"])
async def test_a_refusal_for_now_is_tried_again_when_the_backend_says(
    wire: Wire, status: int, retry_after: str
) -> None:
    wire.fault(status=status, headers={"Retry-After": retry_after}, body={}, times=2)
    assert (await wire.sender.send(ONCE, within())).status == 201
    assert wire.lists("Once") == 1


async def test_html_in_place_of_json_is_an_error_that_shows_it(wire: Wire) -> None:
    wire.fault(status=200, body="<html>Maintenance</html>", times=9)
    failure = await wire.fails(ONCE)
    assert type(failure) is MaybeWrittenError
    assert "<html>Maintenance</html>" in failure.problem.message


async def test_a_500_is_repeated_only_where_that_is_safe(wire: Wire) -> None:
    wire.fault(status=500, body={})
    assert type(await wire.fails(ONCE)) is MaybeWrittenError
    wire.fault(status=500, body={})
    assert (await wire.sender.send(REPEATABLE, within())).status == 202


async def test_a_redirect_is_not_followed(wire: Wire) -> None:
    wire.fault(status=307, headers={"Location": "http://127.0.0.1:9/"}, body={})
    assert (await wire.fails(ONCE)).problem.message == "answered 307"


async def test_a_caller_that_goes_away_leaves_the_connection_usable(wire: Wire) -> None:
    wire.fault(delayMs=60_000)
    asking = asyncio.create_task(wire.sender.send(READ, within()))
    while wire.sandbox.faults.left():  # noqa: ASYNC110 - the sandbox has a thread of its own
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (await wire.sender.send(READ, within())).status == 200
