"""SendGrid's HTTP interface: the routes, and the gate that every call passes first."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route, compile_path

from gateway.sandbox.sendgrid import (
    contact_calls,
    field_calls,
    jobs,
    list_calls,
    lookup_calls,
)
from gateway.sandbox.sendgrid.asked import Asked
from gateway.sandbox.sendgrid.errors import RefusalError, refused, too_large

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from gateway.sandbox.clock import Clock
    from gateway.sandbox.sendgrid.limits import Limits
    from gateway.sandbox.sendgrid.store import Store

API_KEY = "SG.sandbox.key"
RESTRICTED_API_KEY = "SG.sandbox.mail-only"
"""A key that is known but lacks the Marketing permission: 403."""

PREFIX = "/v3/marketing"

CALLS: tuple[tuple[str, str, Callable[[Asked], Response]], ...] = (
    ("PUT", "/contacts", contact_calls.put_contacts),
    ("GET", "/contacts", lookup_calls.get_contacts),
    ("DELETE", "/contacts", contact_calls.delete_contacts),
    ("GET", "/contacts/count", lookup_calls.get_count),
    ("POST", "/contacts/search", lookup_calls.search),
    ("POST", "/contacts/search/emails", lookup_calls.search_emails),
    ("POST", "/contacts/search/identifiers/{type}", lookup_calls.search_identifiers),
    ("POST", "/contacts/batch", lookup_calls.get_batch),
    ("GET", "/contacts/imports/{id}", contact_calls.get_import),
    ("GET", "/contacts/{id}", lookup_calls.get_contact),
    ("DELETE", "/contacts/{id}/identifiers", contact_calls.delete_identifier),
    ("GET", "/lists", list_calls.get_lists),
    ("POST", "/lists", list_calls.post_list),
    ("GET", "/lists/{id}", list_calls.get_list),
    ("PATCH", "/lists/{id}", list_calls.patch_list),
    ("DELETE", "/lists/{id}", list_calls.delete_list),
    ("GET", "/lists/{id}/contacts/count", list_calls.get_list_count),
    ("DELETE", "/lists/{id}/contacts", list_calls.delete_list_contacts),
    ("GET", "/field_definitions", field_calls.get_fields),
    ("POST", "/field_definitions", field_calls.post_field),
    ("PATCH", "/field_definitions/{id}", field_calls.patch_field),
    ("DELETE", "/field_definitions/{id}", field_calls.delete_field),
)
_PATTERNS = tuple(compile_path(PREFIX + path)[0] for _, path, _ in CALLS)
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def make_app(store: Store, limits: Limits, clock: Clock, switches: Mapping[str, Any]) -> Starlette:
    """Give the app that serves `store`; `switches` is read anew at every call."""

    def serve(
        act: Callable[[Asked], Response], endpoint: tuple[str, str] | None, *, open_to_all: bool
    ) -> Callable[[Request], Awaitable[Response]]:
        async def serve_one(request: Request) -> Response:
            now = clock.now()
            body = await request.body()
            headers: Mapping[str, str] = {}
            try:
                if not open_to_all:
                    _admit(request, body, switches)
                if endpoint is not None:
                    headers, refusal = limits.take(endpoint, now, switches)
                    if refusal is not None:
                        raise refusal
                jobs.settle(store, now, switches)
                asked = Asked(request=request, body=body, store=store, switches=switches, now=now)
                response = act(asked)
            except RefusalError as refusal:
                response = Response(refusal.body, refusal.status, media_type=refusal.content_type)
            response.headers.update(headers)
            return response

        return serve_one

    routes = [
        Route(PREFIX + path, serve(act, (method, path), open_to_all=False), methods=[method])
        for method, path, act in CALLS
    ]
    errors = serve(contact_calls.get_job_errors, None, open_to_all=True)
    routes.append(Route("/job-errors/{id}", errors, methods=["GET"]))
    rest = serve(_refuse_unknown, None, open_to_all=False)
    routes.append(Route("/{path:path}", rest, methods=_METHODS))
    return Starlette(routes=routes)


def _admit(request: Request, body: bytes, switches: Mapping[str, Any]) -> None:
    """Refuse what never reaches a call. The proxy in front looks at the size before the key."""
    if len(body) > int(switches["max_body_bytes"]):
        raise too_large(str(switches["too_large_form"]))
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise refused(401, "authorization required")
    if secrets.compare_digest(key.encode(), RESTRICTED_API_KEY.encode()) or switches["blocked"]:
        raise refused(403, "access forbidden")
    if not secrets.compare_digest(key.encode(), API_KEY.encode()):
        raise refused(401, "The provided authorization grant is invalid, expired, or revoked")
    if switches["require_accept"] and "accept" not in request.headers:
        raise refused(406, "an Accept header is required")


def _refuse_unknown(asked: Asked) -> Response:
    path = "/" + asked.part("path")
    if path.startswith("/v3/contactdb/"):
        # The legacy product, which accounts made after the new one cannot use.
        raise refused(403, "access forbidden")
    known = any(pattern.match(path) for pattern in _PATTERNS)
    raise refused(405, "method not allowed") if known else refused(404, "not found")
