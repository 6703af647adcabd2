"""How the simulated iVvy says no: two channels, as the vendor has (contract: ivvy sections 3.1, 3.2).

AnswerError
├── ApiError       an error object: errorCode, message, specificCode, additionalMessages
└── RefusedError   HTTP 200 with success false and a message
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Failures for which the vendor publishes no specific code. They lie outside 23000 to 24999, so that
# nobody takes them for the vendor's (contract: section 9, check order).
UNKNOWN_CALL = 90404
WRONG_METHOD = 90405
NOT_AUTHENTICATED = 90401
WRONG_MD5 = 90402
WRONG_SIGNATURE = 90403
NOT_JSON = 90400
TOO_MANY_REQUESTS = 90429
BUSINESS_RULE = 90422
UNKNOWN_GROUP = 90423
UNKNOWN_NOTE_TARGET = 90424
UNKNOWN_FILTER = 90425

STALE = 23005
DOES_NOT_VALIDATE = 23016
IS_REQUIRED = 23017


class AnswerError(Exception):
    """A call ends here; the subclass says through which channel."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ApiError(AnswerError):
    """Answered with the error object; `error_code` is the HTTP status as well."""

    def __init__(
        self,
        error_code: int,
        specific_code: int,
        message: str,
        additional: Sequence[str] | None = None,
    ) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.specific_code = specific_code
        self.additional = None if additional is None else list(additional)

    def to_json(self, *, codes_as_strings: bool) -> dict[str, object]:
        """Give the error object; `additionalMessages` only where the vendor's examples have it."""
        codes: tuple[int | str, int | str] = (self.error_code, self.specific_code)
        if codes_as_strings:
            codes = (str(self.error_code), str(self.specific_code))
        answer: dict[str, object] = {
            "errorCode": codes[0],
            "message": self.message,
            "specificCode": codes[1],
        }
        if self.additional is not None:
            answer["additionalMessages"] = self.additional
        return answer


class RefusedError(AnswerError):
    """Answered with HTTP 200 and `success: false`.

    ASSUMED: business rules of contacts and companies fail this way, because it is the only failure
    that their pages document; switch `business_errors`.
    """


def does_not_validate(parameter: str, reason: str) -> ApiError:
    """Wrong type or format of the first bad parameter (documented: 400, 23016)."""
    return ApiError(400, DOES_NOT_VALIDATE, f"'{parameter}' does not validate", [reason])


def is_required(parameter: str) -> ApiError:
    """Report a missing parameter (documented: 400, 23017, no additional messages)."""
    return ApiError(400, IS_REQUIRED, f"'{parameter}' is required")


def explain(error: AnswerError) -> list[str]:
    """Every sentence that an error carries, for a caller that passes it on inside its own."""
    extra = error.additional if isinstance(error, ApiError) else None
    return [error.message, *(extra or [])]
