"""GraphQL over HTTP: the view, on Strawberry's, and its routes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import orjson
import structlog
from cross_web import HTTPException
from graphql import GraphQLError
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLRequestData
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.graphql import OperationType

from gateway.api.admission import OPEN, RATE_HEADERS, admit, admitted
from gateway.api.bulk_body import is_bulk, may_be_bulk
from gateway.api.context import Context
from gateway.api.errors import FAILED, STATUS_OF_CODE, HttpRefusalError
from gateway.api.limits import Limits, check_text, exceeded
from gateway.api.middleware import REQUEST_ID, Cors, request_id
from gateway.api.negotiation import (
    EVENT_STREAM,
    GRAPHQL_RESPONSE,
    JSON,
    answer_type,
    check_content,
)
from gateway.api.schema import Schema
from gateway.api.schema import schema as own_schema
from gateway.api.trusted import TrustedDocuments
from gateway.api.websocket import ShortReasons, TransportHandler, limited
from gateway.callers.caller import NOBODY
from gateway.callers.credential import credential_in, credential_of

if TYPE_CHECKING:
    from cross_web import AsyncHTTPRequestAdapter
    from starlette.routing import BaseRoute
    from starlette.types import Message, Receive, Scope, Send
    from strawberry.http import GraphQLHTTPResponse
    from strawberry.http.base import BaseRequestProtocol
    from strawberry.types.unset import UnsetType

    from gateway.settings import Settings

log = structlog.get_logger()

COMPRESSED_FROM = 1_000
"""Bytes of an answer from which compressing it is worth the time."""

ORIGIN_SHOWN = 100
"""Characters of a refused WebSocket's Origin that are logged: it is whatever anybody has sent."""

GREETING_SECONDS = 10
"""Seconds in which the client of a WebSocket has to send connection_init."""


class GraphQLView(GraphQL[Context, None]):
    """Serves the schema over HTTP, server-sent events and graphql-transport-ws.

    Whatever it refuses it refuses as a GraphQL answer, of the media type that the client wants.
    """

    graphql_transport_ws_handler_class = TransportHandler
    websocket_adapter_class = ShortReasons

    def __init__(self, settings: Settings, schema: Schema) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL),
            connection_init_wait_timeout=timedelta(seconds=GREETING_SECONDS),
            max_subscriptions_per_connection=settings.max_subscriptions,
            allowed_origins=settings.cors_origins,
        )
        self._max_body = settings.max_body_bytes
        self._max_bulk_body = max(settings.max_bulk_body_bytes, settings.max_body_bytes)
        self._limits = Limits.of(settings)
        self._trusted = TrustedDocuments.of(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one WebSocket."""
        if scope["type"] == "websocket":
            await super().__call__(scope, limited(receive, send, self._max_body), send)
            return
        request = Request(scope, self._counted(receive))
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        let_in = OPEN
        try:
            self._check_size(request)
            let_in = await admit(request, request.app.state.account.door)
            response = await self.run(request)
        except (HTTPException, InvalidOperationTypeError) as error:
            refused = _refusal(error)
        except ClientDisconnect:
            raise
        except Exception:
            name = request_id(request)
            log.exception("request failed", request_id=name)
            told = {"code": "INTERNAL_ERROR", "requestId": name}
            refused = HttpRefusalError(500, FAILED, extensions=told)
        else:
            response.headers.update(let_in.headers)
            return response
        response = self._refused(request, refused)
        response.headers.update(let_in.headers)
        return response

    def _refused(self, request: Request, refused: HttpRefusalError) -> Response:
        try:
            media_type = answer_type(request.headers)
        except HttpRefusalError:
            media_type = JSON
        media_type = GRAPHQL_RESPONSE if media_type == GRAPHQL_RESPONSE else JSON
        content = orjson.dumps(refused.body)
        response = Response(content, refused.status_code, refused.headers)
        response.headers["Content-Type"] = f"{media_type}; charset=utf-8"
        return response

    def _counted(self, receive: Receive) -> Receive:
        total = 0

        async def receive_counted() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self._max_bulk_body:
                raise self._too_large("The body is larger", 413, bulk=True)
            return message

        return receive_counted

    def _check_size(self, request: Request) -> None:
        """Refuse by what the head says, before anything else is received."""
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._max_bulk_body:
            raise self._too_large(f"The body has {int(length):,} bytes", 413, bulk=True)
        if len(request.scope["query_string"]) > self._max_body:
            raise self._too_large("The address is longer", 414)

    def _check_bulk(self, body: bytes, text: str, operation_name: str | None) -> None:
        """Refuse a body over the limit of all operations but a bulk's."""
        if len(body) <= self._max_body:
            return
        excess = check_text(text, self._limits)
        if excess is not None:
            raise HttpRefusalError.over(413, excess)
        if not is_bulk(text, operation_name, self._limits.max_tokens):
            raise self._too_large(f"The body has {len(body):,} bytes", 413)

    def _too_large(self, what: str, status: int, *, bulk: bool = False) -> HttpRefusalError:
        name = "max_bulk_body_bytes" if bulk else "max_body_bytes"
        limit = self._max_bulk_body if bulk else self._max_body
        return HttpRefusalError.over(status, exceeded(what, name, limit))

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        """A new context for each request."""
        account, is_connection = request.app.state.account, isinstance(response, WebSocket)
        if not is_connection:
            let_in = admitted(request)
            caller, credential = let_in.caller, let_in.credential
        else:
            caller, credential = NOBODY, credential_of(request.headers)
        return Context.start(
            account,
            request_id=request_id(request),
            limits=self._limits,
            trusted=self._trusted,
            caller=caller,
            credential=credential,
            is_connection=is_connection,
        )

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """Who greets: by connection_init, else by the handshake's headers; raises to send away."""
        context.credential = credential_in(context.connection_params) or context.credential
        try:
            await context.check_admission()
        except GraphQLError as error:
            raise ConnectionRejectionError from error
        return await super().on_ws_connect(context)

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        """The answer's head, which knows the media type that the client wants."""
        response = await super().get_sub_response(request)
        response.media_type = answer_type(request.headers)
        return response

    def is_request_allowed(self, request: BaseRequestProtocol) -> bool:
        """GET and POST; raises HttpRefusalError with Allow for another method."""
        if not super().is_request_allowed(request):
            message = f"GraphQL is served by GET and POST, not by {request.method}."
            raise HttpRefusalError(405, message, headers={"Allow": "GET, POST"})
        return True

    def is_websocket_origin_allowed(self, request: WebSocket, origin: str) -> bool:
        """Whether a page of another origin may open a WebSocket; who may not is logged."""
        allowed = super().is_websocket_origin_allowed(request, origin)
        if not allowed:
            log.warning("origin refused", origin=origin[:ORIGIN_SHOWN])
        return allowed

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:  # noqa: ARG002 - Strawberry's signature
        """Never: the explorer has an address of its own."""
        return False

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        """The operation of a request, its text looked up where it is given by an id."""
        headers = cast("Request", request._request).headers  # type: ignore[attr-defined]  # noqa: SLF001 - the adapter keeps Starlette's request there
        data: object
        body = b""
        if request.method == "GET":
            data = self.parse_query_params(request.query_params)
        else:
            check_content(headers)
            body = await request.get_body()
            if len(body) > self._max_body and not may_be_bulk(body):
                raise self._too_large(f"The body has {len(body):,} bytes", 413)
            data = self.parse_json(body)
        if isinstance(data, list):
            raise HttpRefusalError(400, "Send one operation a request: batches are not supported.")
        if not isinstance(data, dict):
            raise HttpRefusalError(400, "The body must be a JSON object.")
        _check_parameters(data)
        try:
            text = self._trusted.find(data)
        except GraphQLError as error:
            raise HttpRefusalError.over(400, error) from None
        query = data.get("query") if text is None else text
        if not query:
            raise HttpRefusalError(400, "The request has neither a query nor a documentId.")
        self._check_bulk(body, query, data.get("operationName"))
        streams = answer_type(headers) == EVENT_STREAM
        return GraphQLRequestData(
            query=query,
            variables=data.get("variables"),
            operation_name=data.get("operationName") or None,
            extensions=data.get("extensions"),
            protocol="sse" if streams else "http",
        )

    def create_response(
        self,
        response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse],
        sub_response: Response,
    ) -> Response:
        """The answer, with the status that its media type wants for a request error."""
        answer = cast("GraphQLHTTPResponse", response_data)
        errors = cast("list[dict[str, Any]]", answer.get("errors") or [])
        is_request_error = (
            answer.get("data") is None
            and bool(errors)
            and not any("path" in error for error in errors)
        )
        if is_request_error:
            answer.pop("data", None)
        response = super().create_response(answer, sub_response)
        response.headers["Content-Type"] = f"{sub_response.media_type}; charset=utf-8"
        if is_request_error and sub_response.media_type == GRAPHQL_RESPONSE:
            code = errors[0].get("extensions", {}).get("code")
            response.status_code = STATUS_OF_CODE.get(code, 400)
        return response

    def encode_json(self, data: object) -> str:
        """JSON by orjson, several times as fast as the standard library's.

        Text, because graphql-transport-ws wants text frames.
        """
        return orjson.dumps(data).decode()

    def decode_json(self, data: str | bytes) -> Any:
        """JSON by orjson; it also refuses NaN and lone surrogates."""
        return orjson.loads(data)


def graphql_routes(settings: Settings, schema: Schema = own_schema) -> list[BaseRoute]:
    """The routes of /graphql; raises SettingsError where the trusted documents cannot be read."""
    view = GraphQLView(settings, schema)
    around = [Middleware(GZipMiddleware, minimum_size=COMPRESSED_FROM, compresslevel=5)]
    if settings.cors_origins:
        cors = Middleware(
            Cors,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "X-Api-Key", REQUEST_ID),
            expose_headers=(REQUEST_ID, "Retry-After", *RATE_HEADERS),
        )
        around.insert(0, cors)
    return [
        Route("/graphql", view, middleware=around),
        WebSocketRoute("/graphql", view),
    ]


def _check_parameters(data: dict[str, Any]) -> None:
    for name, kind, called in (
        ("query", str, "a string"),
        ("operationName", str, "a string"),
        ("variables", dict, "an object"),
        ("extensions", dict, "an object"),
    ):
        if not isinstance(data.get(name), kind | None):
            raise HttpRefusalError(400, f"{name} must be {called}, or null.")


def _refusal(error: HTTPException | InvalidOperationTypeError) -> HttpRefusalError:
    """What Strawberry refuses, as we answer it."""
    if isinstance(error, HttpRefusalError):
        return error
    if isinstance(error, InvalidOperationTypeError):
        return _type_refusal(error.operation_type)
    if isinstance(error.__cause__, InvalidOperationTypeError):
        return _type_refusal(error.__cause__.operation_type)
    return HttpRefusalError(error.status_code, error.reason)


def _type_refusal(type_: OperationType) -> HttpRefusalError:
    if type_ is OperationType.SUBSCRIPTION:
        return HttpRefusalError(
            406,
            f"A subscription is answered as {EVENT_STREAM} (by Accept), or over a WebSocket "
            "with graphql-transport-ws.",
        )
    message = "A mutation is sent by POST: GET only asks."
    return HttpRefusalError(405, message, headers={"Allow": "POST"})
