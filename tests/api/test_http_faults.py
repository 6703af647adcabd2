"""A fault that nothing else answers is a 500 under the request's id, and the server's to log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.api.http import GraphQLView

if TYPE_CHECKING:
    from tests.harness import Gateway


@pytest.mark.parametrize("path", ["/graphql", "/metrics"])
async def test_a_fault_is_answered_under_its_requests_id(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(GraphQLView, "__call__", fail)
    monkeypatch.setattr("gateway.status.backlog.KnownBacklog.read", fail)
    with pytest.raises(RuntimeError):
        await gateway.http.get(path)
    transport = httpx.ASGITransport(app=gateway.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        answer = await http.get(path, headers={"X-Request-Id": "abc"})
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert answer.headers["X-Request-Id"] == "abc"
    monkeypatch.undo()
    told = (await gateway.http.get("/metrics")).text
    assert f'route="{path}",status="500"}} 2.0' in told
