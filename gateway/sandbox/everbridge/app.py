"""The two HTTP apps: `/rest` with its routes, and the token service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from gateway.sandbox.everbridge.call import Call, Row
from gateway.sandbox.everbridge.errors import EverbridgeError, organization_invalid, type_mismatch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.requests import Request

    from gateway.sandbox.clock import Clock
    from gateway.sandbox.everbridge.credentials import Credentials
    from gateway.sandbox.everbridge.quota import Quota
    from gateway.sandbox.everbridge.store import Store

_PATCH_MEDIA_TYPE = "application/json-patch+json"


def rest_app(
    rows: Sequence[Row],
    *,
    store: Store,
    credentials: Credentials,
    quota: Quota,
    switches: Mapping[str, Any],
) -> Starlette:
    """The app behind `/rest`; each call is authenticated, placed, counted, then answered."""

    def endpoint(row: Row) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            credentials.check(request.headers.get("authorization"), request.method)
            _check_organization(request, store)
            quota.count(request.method)
            body = _read_body(request, await request.body())
            return _json(200, row.answer(Call(request=request, body=body, switches=switches)))

        return answer

    async def refuse(_request: Request, error: Exception) -> Response:
        # A path or method that is no call comes from Starlette; it gets the same shape.
        refusal = (
            EverbridgeError(error.status_code, error.detail)
            if isinstance(error, HTTPException)
            else cast("EverbridgeError", error)
        )
        in_404 = bool(switches["body_status_401_in_404"])
        return _json(refusal.status, refusal.body(status_401_in_404=in_404))

    return Starlette(
        routes=[Route(row.path, endpoint(row), methods=[row.method]) for row in rows],
        exception_handlers={EverbridgeError: refuse, HTTPException: refuse},
    )


def token_app(credentials: Credentials, clock: Clock) -> Starlette:
    """The app behind `/authorization/v1`: `POST /tokens` with a form body."""

    async def tokens(request: Request) -> Response:
        form = (await request.body()).decode(errors="replace")
        answer = credentials.mint(form, request.headers.get("roleId"))
        if answer is not None:
            return _json(200, answer)
        refusal = {
            "timestamp": clock.now().isoformat(timespec="milliseconds"),
            "status": "401",  # a string here, unlike everywhere else
            "error": "Unauthorized",
            "message": "",
            "path": "/cas/oidc/token",
        }
        return _json(401, refusal)

    return Starlette(routes=[Route("/tokens", tokens, methods=["POST"])])


def _check_organization(request: Request, store: Store) -> None:
    organization = request.path_params.get("organization")
    known = {str(each["id"]) for each in store.organizations}
    if organization is not None and organization not in known:
        raise organization_invalid(organization)


def _read_body(request: Request, raw: bytes) -> object:
    """The JSON body, None when there is none. ASSUMED: another media type gets 415."""
    if not raw:
        return None
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    wanted = _PATCH_MEDIA_TYPE if request.method == "PATCH" else "application/json"
    if media_type != wanted:
        raise EverbridgeError(415, "Unsupported Media Type")
    try:
        body: object = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise type_mismatch() from None
    return body


def _json(status: int, body: Mapping[str, Any]) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
