"""How a request ends without an answer.

    WireError
    ├── NotSentError                    before its first byte left
    │   ├── CannotConnectError
    │   └── ConnectTimeoutError
    ├── ServerDisconnectedError         it left, wholly or in part; the backend may have it
    └── UnreadableAnswerError           it left, and what came back is no answer that can be used
    UnfitAddressError                   there is no such request

Built-in TimeoutError besides: the answer did not come in time.
"""

from __future__ import annotations


class WireError(Exception):
    """A request that has no answer."""


class NotSentError(WireError):
    """Nothing of the request has left."""


class CannotConnectError(NotSentError):
    """No connection came about: the name is unknown, the port closed, the certificate wrong."""


class ConnectTimeoutError(NotSentError):
    """No connection came about in time, or none of those to this backend was free."""


class ServerDisconnectedError(WireError):
    """The connection ended before the answer did."""


class UnreadableAnswerError(WireError):
    """What came back is no HTTP, too much, or packed in a way that nobody asked for."""


class UnfitAddressError(Exception):
    """An address that no request can have; nothing was sent."""
