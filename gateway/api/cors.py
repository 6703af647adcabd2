"""Answers to pages of other origins."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from gateway.api.errors import HttpRefusalError
from gateway.api.negotiation import JSON

if TYPE_CHECKING:
    from starlette.datastructures import Headers


class Cors(CORSMiddleware):
    """Starlette's CORS with preflights answered by a status alone, or by a GraphQL error."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """204 where the page may send what it asks for, else 400 saying what is not allowed."""
        made = super().preflight_response(request_headers)
        headers = {
            name: value
            for name, value in made.headers.items()
            if name not in {"content-length", "content-type"}
        }
        if made.status_code == HTTPStatus.OK:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
        refused = HttpRefusalError(made.status_code, bytes(made.body).decode())
        content = orjson.dumps(refused.body)
        return Response(content, made.status_code, headers, media_type=JSON)
