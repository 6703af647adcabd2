"""The connections to the backends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from httpx_aiohttp import AiohttpTransport

if TYPE_CHECKING:
    from aiohttp import ClientSession


class OneTryTransport(AiohttpTransport):
    """aiohttp's connections, on which a request leaves once.

    By itself aiohttp sends GET, PUT and DELETE a second time when a connection that it had kept is
    dropped, after the backend may have had the whole call. What may be repeated is for the sender
    to decide, and its `attempts` are to be true.
    """

    def get_client(self) -> ClientSession:
        """The session, made with the first request."""
        session = super().get_client()
        # aiohttp has no public setting; its own test client uses this one.
        session._retry_connection = False  # noqa: SLF001
        return session
