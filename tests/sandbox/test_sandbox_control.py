from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.routing import Router

from gateway.sandbox.clock import SystemClock
from gateway.sandbox.frame import Frame, Mounted

if TYPE_CHECKING:
    from tests.sandbox.conftest import MakeSmall, Small


async def test_switches_are_listed_and_set(small: Small) -> None:
    client = small.client()
    listed = (await client.get("/_sandbox/switches")).json()
    assert listed == {"first": small.first.switches, "second": small.second.switches}
    asked = {"backend": "second", "name": "loud", "value": True}
    answer = await client.post("/_sandbox/switches", json=asked)
    assert answer.json() == small.second.switches
    assert small.second.switches["loud"] is True
    assert small.first.switches["loud"] is False


async def test_switch_of_seconds_takes_whole_numbers_too(small: Small) -> None:
    asked = {"backend": "first", "name": "seconds", "value": 2}
    assert (await small.client().post("/_sandbox/switches", json=asked)).status_code == 200
    assert small.first.switches["seconds"] == 2


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"backend": "third", "name": "loud", "value": 1}, "backend must be one of"),
        ({"backend": 1, "name": "loud", "value": 1}, "backend must be one of"),
        ({"backend": "first", "name": "quiet", "value": 1}, "unknown switch; known are loud"),
        ({"backend": "first", "name": "loud", "value": 1}, "loud takes values of the kind bool"),
        ({"backend": "first", "name": "cap", "value": True}, "cap takes values of the kind int"),
        ({"backend": "first", "name": "seconds", "value": True}, "of the kind float"),
        ({"backend": "first", "name": "form", "value": 1}, "of the kind str"),
        ({"backend": "first", "name": "form"}, "an object of backend, name and value"),
        (7, "an object of backend, name and value"),
    ],
)
async def test_switch_that_makes_no_sense_is_refused(small: Small, asked: Any, said: str) -> None:
    before = dict(small.first.switches)
    answer = await small.client().post("/_sandbox/switches", json=asked)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert small.first.switches == before


async def test_reset_puts_state_switches_faults_and_calls_back(small: Small) -> None:
    client = small.client()
    await client.get("/first/a")
    small.first.switches["loud"] = True
    small.frame.faults.add({"backend": "first", "status": 500})
    assert (await client.post("/_sandbox/reset")).status_code == 204
    assert small.first.reached == 0
    assert small.first.switches["loud"] is False
    assert (await client.get("/_sandbox/faults")).json() == []
    assert (await client.get("/_sandbox/calls")).json() == []


async def test_manual_clock_is_advanced(small: Small) -> None:
    client = small.client()
    before = (await client.get("/_sandbox/clock")).json()
    after = (await client.post("/_sandbox/clock", json={"advanceSeconds": 3600})).json()
    passed = datetime.fromisoformat(after["now"]) - datetime.fromisoformat(before["now"])
    assert 3600 <= passed.total_seconds() < 3660
    assert before["canAdvance"] is True


@pytest.mark.parametrize("asked", [{}, {"advanceSeconds": -1}, {"advanceSeconds": "1"}, [1], None])
async def test_advance_that_makes_no_sense_is_refused(small: Small, asked: Any) -> None:
    answer = await small.client().post("/_sandbox/clock", json=asked)
    assert answer.status_code == 400
    assert "advanceSeconds" in answer.json()["error"]


async def test_system_clock_cannot_be_advanced(small: Small) -> None:
    mounted = [Mounted(at="/first", backend=small.first, app=small.first.app)]
    frame = Frame(mounted, clock=SystemClock())
    client = small.client(frame.app)
    assert (await client.get("/_sandbox/clock")).json()["canAdvance"] is False
    assert (await client.post("/_sandbox/clock", json={"advanceSeconds": 1})).status_code == 409


async def test_unknown_call_is_404_and_unknown_method_405(small: Small) -> None:
    client = small.client()
    assert (await client.get("/_sandbox/nothing")).status_code == 404
    assert (await client.put("/_sandbox/reset")).status_code == 405
    assert (await client.get("/elsewhere")).status_code == 404


async def test_answers_stream_through(small: Small) -> None:
    assert (await small.client().get("/first/stream")).text == "one,two,three"


async def test_routes_can_be_mounted_under_a_longer_address(small: Small) -> None:
    async def outer(scope: Any, receive: Any, send: Any) -> None:
        scope = {**scope, "root_path": "/deep", "path": "/deep" + scope["path"]}
        await Router(routes=small.frame.routes)(scope, receive, send)

    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=outer), base_url="http://x")
    assert (await client.get("/first/things")).status_code == 200
    assert small.frame.calls.shown()[0]["path"] == "/things"


async def test_caller_that_leaves_during_the_upload_reaches_nobody(small: Small) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "PUT",
        "path": "/first/things",
        "query_string": b"",
        "headers": [],
        "root_path": "",
    }
    await small.frame.app(scope, receive, send)
    assert (sent, small.first.reached, len(small.frame.calls)) == ([], 0, 0)


async def test_each_sandbox_has_its_own_faults_and_calls(make_small: MakeSmall) -> None:
    one, other = make_small(), make_small()
    one.frame.faults.add({"backend": "first", "status": 500})
    assert (await other.client().get("/first/a")).status_code == 200
    assert len(one.frame.calls) == 0
