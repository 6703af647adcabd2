"""Answers of SendGrid, as values and as an HTTP backend that gives them one by one."""

from __future__ import annotations

import time
from typing import Any

import httpx
import orjson

from gateway.backends.sendgrid.client import (
    SendGridDialect,
    put_contacts,
    remove_from_list,
    search_emails,
)
from gateway.calls import Reply
from gateway.upstream import Exchange, Sender

DIALECT = SendGridDialect(base_url="http://sandbox", api_key="SG.secret.key")
PUT = put_contacts([{"email": "a@example.com"}], ["list-1"])
DELETE = remove_from_list("list-1", ["c-1", "c-2"])
SEARCH = search_emails(["a@example.com"])


def reply(status: int, body: Any = None, **headers: str) -> Reply:
    """An answer with a JSON body, or with a text that is none."""
    text = body if isinstance(body, str) else ("" if body is None else orjson.dumps(body).decode())
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(
        status=status, headers=named, body=None if isinstance(body, str) else body, text=text
    )


def sender_of(*answers: httpx.Response | Exception) -> tuple[Sender, list[httpx.Request]]:
    """A sender whose backend gives these answers one after the other, and what it received."""
    received: list[httpx.Request] = []
    left = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        received.append(request)
        following = next(left)
        if isinstance(following, Exception):
            raise following
        return following

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Sender(DIALECT, client), received


def exchange(seconds: float = 20.0) -> Exchange:
    return Exchange(deadline=time.monotonic() + seconds)
