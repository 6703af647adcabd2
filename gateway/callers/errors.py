"""Why a request is not let in."""

from __future__ import annotations

from gateway.errors import GatewayError


class UnauthenticatedError(GatewayError):
    """The request does not say, or not well enough, who sends it."""

    def __init__(self, message: str, *, given: bool = True) -> None:
        super().__init__(message)
        self.given = given
        """Whether it came with a key or token, which was no good."""


class CannotTellError(GatewayError):
    """Nobody can tell now whether the key or token is good: the caller may try again later."""


class TooManyError(GatewayError):
    """The caller has used up its rate; `seconds` until there is room for one more."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds
