"""GraphQL over HTTP: the view, on Strawberry's, and its routes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import orjson
import structlog
from cross_web import HTTPException
from graphql import GraphQLError
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLRequestData, process_result
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.graphql import OperationType

from gateway.api.admission import OPEN, RATE_HEADERS, Admitted, admit, admitted
from gateway.api.answers import Answer, answered, drop_empty_data
from gateway.api.body import BodyLimits
from gateway.api.context import Context
from gateway.api.cors import Cors
from gateway.api.errors import FAILED, HttpRefusalError
from gateway.api.head import head_of
from gateway.api.limits import Limits
from gateway.api.negotiation import EVENT_STREAM, JSON, answer_type, check_content
from gateway.api.request_ids import REQUEST_ID, request_id
from gateway.api.schema import Schema
from gateway.api.schema import schema as own_schema
from gateway.api.time_limit import cut_off
from gateway.api.trusted import TrustedDocuments
from gateway.api.websocket import ShortReasons, TransportHandler, limited
from gateway.callers.caller import NOBODY
from gateway.callers.credential import credential_in, credential_of

if TYPE_CHECKING:
    from cross_web import AsyncHTTPRequestAdapter
    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send
    from strawberry.http import GraphQLHTTPResponse, GraphQLRequestProtocol
    from strawberry.http.base import BaseRequestProtocol
    from strawberry.types import ExecutionResult
    from strawberry.types.unset import UnsetType

    from gateway.account import Account
    from gateway.settings import Settings

log = structlog.get_logger()

GRAPHQL = "/graphql"
"""Where it is served."""

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
        self._limits = Limits.of(settings)
        self._body = BodyLimits(settings, self._limits)
        self._trusted = TrustedDocuments.of(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one WebSocket."""
        if scope["type"] == "websocket":
            await super().__call__(scope, limited(receive, send, self._body.most), send)
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        except asyncio.CancelledError:
            if not request.app.state.account.draining:
                raise
            response = _refused(request, HttpRefusalError.over(504, cut_off()), OPEN)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        let_in, head = OPEN, head_of(request.scope)
        try:
            self._body.check_head(request.scope, head)
            account: Account = request.app.state["account"]
            let_in = await admit(request, account.door)
            media_type = answer_type(request.scope["headers"])
            if request.scope["method"] == "POST" and media_type != EVENT_STREAM:
                return await self._answer_posted(request, account, let_in, media_type)
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
            # What GET gives may be about people, and a cache on the way does not know X-Api-Key.
            response.headers.setdefault("Cache-Control", "no-store")
            return response
        return _refused(request, refused, let_in)

    async def _answer_posted(
        self, request: Request, account: Account, let_in: Admitted, media_type: str
    ) -> Answer:
        """What nearly all ask for, an answer to a POST, without what Strawberry's view does for all."""
        asked = await self._posted(request, "http")
        context = self._context(request, account, let_in)  # its time begins when all is there
        try:
            result = await self.schema.execute(
                asked.query,
                variable_values=asked.variables,
                context_value=context,
                operation_name=asked.operation_name,
                operation_extensions=asked.extensions,
            )
        except CannotGetOperationTypeError as error:
            raise HTTPException(400, error.as_http_error_reason()) from error
        return answered(process_result(result), media_type, let_in.headers)

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        """A new context for each request."""
        account: Account = request.app.state.account
        if isinstance(response, WebSocket):
            let_in = Admitted(NOBODY, credential_of(request.headers), {})
            return self._context(request, account, let_in, is_connection=True)
        return self._context(request, account, admitted(request))

    def _context(
        self,
        request: Request | WebSocket,
        account: Account,
        let_in: Admitted,
        *,
        is_connection: bool = False,
    ) -> Context:
        return Context.start(
            account,
            request_id=request_id(request),
            limits=self._limits,
            trusted=self._trusted,
            caller=let_in.caller,
            credential=let_in.credential,
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
        response.media_type = answer_type(request.scope["headers"])
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
        """The operation of a request by GET, or of one that is answered step by step."""
        inner = cast("Request", request._request)  # type: ignore[attr-defined]  # noqa: SLF001 - the adapter keeps Starlette's request there
        streams = answer_type(inner.scope["headers"]) == EVENT_STREAM
        protocol: GraphQLRequestProtocol = "sse" if streams else "http"
        if request.method == "GET":
            try:
                data = self.parse_query_params(request.query_params)
            except HTTPException as error:
                raise HttpRefusalError(400, "variables and extensions must be JSON.") from error
            return self._operation(data, b"", protocol)
        return await self._posted(inner, protocol)

    async def _posted(
        self, request: Request, protocol: GraphQLRequestProtocol
    ) -> GraphQLRequestData:
        check_content(head_of(request.scope))
        body = await self._body.read(request.receive)
        return self._operation(self.parse_json(body), body, protocol)

    def _operation(
        self, data: object, body: bytes, protocol: GraphQLRequestProtocol
    ) -> GraphQLRequestData:
        """The operation that was sent, its text looked up where it is given by an id."""
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
        self._body.check_operation(body, query, data.get("operationName"))
        return GraphQLRequestData(
            query=query,
            variables=data.get("variables"),
            operation_name=data.get("operationName") or None,
            extensions=data.get("extensions"),
            protocol=protocol,
        )

    async def process_result(
        self, request: Request, result: ExecutionResult
    ) -> GraphQLHTTPResponse:
        """The answer, an event of a stream too: a request error has no `data` there either."""
        answer = await super().process_result(request, result)
        drop_empty_data(answer)
        return answer

    def create_response(
        self,
        response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse],
        sub_response: Response,
    ) -> Response:
        """The answer, as for a POST; batches are refused before."""
        media_type = sub_response.media_type or JSON
        return answered(cast("GraphQLHTTPResponse", response_data), media_type)

    def encode_json(self, data: object) -> str:
        """JSON by orjson, several times as fast as the standard library's.

        Text, because graphql-transport-ws wants text frames.
        """
        return orjson.dumps(data).decode()

    def decode_json(self, data: str | bytes) -> Any:
        """JSON by orjson; it also refuses NaN and lone surrogates."""
        return orjson.loads(data)


def graphql_app(settings: Settings, schema: Schema = own_schema) -> ASGIApp:
    """The app at /graphql; raises SettingsError where the trusted documents cannot be read."""
    view = GraphQLView(settings, schema)
    if not settings.cors_origins:
        return view
    return Cors(
        view,
        allow_origins=settings.cors_origins,
        allow_methods=("GET", "POST"),
        allow_headers=("Authorization", "X-Api-Key", REQUEST_ID, "traceparent", "tracestate"),
        expose_headers=(REQUEST_ID, "Retry-After", *RATE_HEADERS),
    )


def graphql_routes(app: ASGIApp) -> list[BaseRoute]:
    """The routes of /graphql."""
    return [Route(GRAPHQL, app), WebSocketRoute(GRAPHQL, app)]


_PARAMETERS = (
    ("query", str, "a string"),
    ("operationName", str, "a string"),
    ("variables", dict, "an object"),
    ("extensions", dict, "an object"),
)


def _check_parameters(data: dict[str, Any]) -> None:
    for name, kind, called in _PARAMETERS:
        given = data.get(name)
        if given is not None and not isinstance(given, kind):
            raise HttpRefusalError(400, f"{name} must be {called}, or null.")


def _refused(request: Request, refused: HttpRefusalError, let_in: Admitted) -> Answer:
    try:
        media_type = answer_type(request.scope["headers"])
    except HttpRefusalError:
        media_type = JSON
    headers = {**refused.headers, **let_in.headers}
    return Answer(refused.body, refused.status_code, media_type, headers)


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
