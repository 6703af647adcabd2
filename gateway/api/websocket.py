"""Operations over WebSockets, by the graphql-transport-ws protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphql import GraphQLError
from starlette.status import WS_1009_MESSAGE_TOO_BIG
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
)

from gateway.api.context import Context
from gateway.api.limits import exceeded
from gateway.settings import variable

if TYPE_CHECKING:
    from starlette.types import Message as AsgiMessage
    from starlette.types import Receive, Send
    from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
        Message,
        SubscribeMessage,
    )


REASON_BYTES = 123
"""What a WebSocket's close frame holds besides its code: RFC 6455, section 5.5."""


class TransportHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """Strawberry's handler, with trusted documents, that survives messages of any shape."""

    async def handle_message(self, message: Message) -> None:
        """Close the connection for a message that the protocol does not know."""
        if _is_well_formed(message):
            await super().handle_message(message)
        else:
            await self.handle_invalid_message("The message is not one of graphql-transport-ws")

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Run an operation given by its text or by a trusted document's id."""
        limit = self.max_subscriptions_per_connection
        if limit is not None and len(self.operations) >= limit:
            error = exceeded("More operations run on this connection", "max_subscriptions", limit)
            await self._refuse(message, error)
            return
        if self.connection_acknowledged:
            try:
                await self.context.admit_operation()
            except GraphQLError as error:
                await self._refuse(message, error)
                return
        payload = cast("dict[str, Any]", message["payload"])
        try:
            text = self.context.trusted.find(payload)
        except GraphQLError as error:
            await self._refuse(message, error)
            return
        payload["query"] = payload.get("query") if text is None else text
        await super().handle_subscribe(message)

    async def _refuse(self, message: SubscribeMessage, error: GraphQLError) -> None:
        await self.send_message(
            {"id": message["id"], "type": "error", "payload": [error.formatted]}
        )


class ShortReasons(ASGIWebSocketAdapter):
    """Strawberry's socket; reasons of closing are cut to what fits, as callers' words are in some."""

    async def close(self, code: int, reason: str) -> None:
        """Close with the reason's first bytes."""
        await super().close(code, reason.encode()[:REASON_BYTES].decode(errors="ignore"))


def _is_well_formed(message: object) -> bool:
    match message:
        case {"type": "subscribe", "id": str(), "payload": dict() as payload}:
            return (
                isinstance(payload.get("query"), str | None)
                and isinstance(payload.get("variables"), dict | None)
                and isinstance(payload.get("operationName"), str | None)
                and isinstance(payload.get("extensions"), dict | None)
            )
        case {"type": "complete", "id": str()}:
            return True
        case {"type": "connection_init" | "ping" | "pong"}:
            return True
        case _:
            return False


def limited(receive: Receive, send: Send, limit: int) -> Receive:
    """`receive` that closes a WebSocket over a message of more than `limit` bytes."""

    async def receive_limited() -> AsgiMessage:
        message = await receive()
        if message["type"] == "websocket.receive":
            text, data = message.get("text"), message.get("bytes")
            # A text's characters are its least number of bytes; uvicorn counts them itself as well.
            size = len(text) if text is not None else len(data or b"")
            if size > limit:
                reason = f"A message has at most {limit:,} bytes ({variable('max_body_bytes')})"
                code = WS_1009_MESSAGE_TOO_BIG
                await send({"type": "websocket.close", "code": code, "reason": reason})
                return {"type": "websocket.disconnect", "code": code}
        return message

    return receive_limited
