"""The backends' own switches, set as a person would over HTTP."""

from __future__ import annotations

import httpx

from gateway.sandbox.app import create_sandbox


async def test_a_value_that_a_backend_does_not_offer_is_refused_in_words() -> None:
    sandbox = create_sandbox()
    transport = httpx.ASGITransport(app=sandbox.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        answer = await http.post(
            "/_sandbox/switches",
            json={"backend": "ivvy", "name": "match_case", "value": "sometimes"},
        )
    assert answer.status_code == 400
    assert "exact" in answer.text
    assert sandbox.ivvy.switches["match_case"] == "ignore"
