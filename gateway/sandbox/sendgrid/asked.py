"""One request as the calls see it, after it has passed the gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

from gateway.sandbox.sendgrid import views
from gateway.sandbox.sendgrid.errors import invalid_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from starlette.requests import Request

    from gateway.sandbox.sendgrid.store import Contact, JobKind, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The request with its body read, the account's state, and the instant it came."""

    request: Request
    body: bytes
    store: Store
    switches: Mapping[str, Any]
    now: datetime

    def json(self) -> Any:
        """Give the parsed body, or raise the 400 for invalid JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise invalid_json() from error

    def member(self, name: str) -> Any:
        """Give one member of a JSON object body, None when it is absent."""
        body = self.json()
        if not isinstance(body, dict):
            raise invalid_json()
        return body.get(name)

    def texts(self, name: str) -> list[str]:
        """Give a member that must be a list of texts, or raise the 400 for invalid JSON."""
        given = self.member(name)
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise invalid_json()
        return given

    def part(self, name: str) -> str:
        """Give a variable part of the path."""
        return str(self.request.path_params[name])

    def query_ids(self, name: str) -> list[str]:
        """Give the ids of a comma-separated query parameter."""
        return [one for one in self.request.query_params.get(name, "").split(",") if one]

    @property
    def root(self) -> str:
        """The simulator's own address, in place of https://api.sendgrid.com."""
        url = self.request.url
        return f"{url.scheme}://{url.netloc}{self.request.scope.get('root_path', '')}"

    @property
    def base(self) -> str:
        """The address that links in `_metadata` start with, so that they can be followed here."""
        return f"{self.root}/v3/marketing"

    def show(self, contact: Contact, *, recent: bool = False) -> dict[str, Any]:
        """Give a contact's JSON; `recent` is the form of GET contacts."""
        keyed_by = str(self.switches["custom_fields_keyed_by"])
        return views.contact(contact, self.store, self.base, keyed_by=keyed_by, recent=recent)

    def queue(self, kind: JobKind, payload: dict[str, Any], requested: int) -> str:
        """Accept a write for later; gives the job's id."""
        return self.store.queue(kind, payload, requested, self.now)


def answer(content: Any, status: int = 200) -> Response:
    """Give a JSON answer."""
    return Response(orjson.dumps(content), status, media_type="application/json")
