"""What SendGrid's refusals say: five shapes of errors, read into one problem.

There is no stable error code, only text (contract: sendgrid section 3), so nothing here depends on
a message beyond naming the input field that it seems to be about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gateway.errors import NotWrittenError
from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from gateway.calls import Call, Reply

CODES: dict[int, ProblemCode] = {
    HTTPStatus.UNAUTHORIZED: ProblemCode.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN: ProblemCode.FORBIDDEN,
    HTTPStatus.NOT_FOUND: ProblemCode.NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT: ProblemCode.UNAVAILABLE,
    HTTPStatus.TOO_MANY_REQUESTS: ProblemCode.RATE_LIMITED,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: ProblemCode.FORBIDDEN,
    HTTPStatus.SERVICE_UNAVAILABLE: ProblemCode.UNAVAILABLE,
}

REMEDIES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "check the API key that the gateway is configured with.",
    HTTPStatus.FORBIDDEN: "the API key needs the Marketing permission, on an account with the new "
    "Marketing Campaigns; many bad requests can also bring a block for a while.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is larger than SendGrid takes.",
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: "the account's data are kept in another region; set "
    "the base URL of that region.",
}

INPUT_PATHS: dict[str, tuple[str, ...]] = {
    "email": ("email",),
    "external_id": ("externalId",),
    "phone_number_id": ("sendgrid", "phoneNumberId"),
    "anonymous_id": ("sendgrid", "anonymousId"),
    "first_name": ("firstName",),
    "last_name": ("lastName",),
    "phone_number": ("phone",),
    "alternate_emails": ("alternateEmails",),
    "address_line_1": ("addresses", "0", "line1"),
    "address_line_2": ("addresses", "0", "line2"),
    "city": ("addresses", "0", "city"),
    "state_province_region": ("addresses", "0", "region"),
    "postal_code": ("addresses", "0", "postalCode"),
    "country": ("countryCode",),
    "custom_fields": ("customFields",),
    "list_ids": ("groupsName",),
}
"""Where in the input the vendor's fields come from."""

_BLAMED = re.compile(r"(?:contacts\[\d+\]\.)?(\w+)")
_EPOCH = 1_000_000_000
"""X-RateLimit-Reset below this is a delay in seconds, else a Unix time. ASSUMED from recorded and
documented values (contract: sendgrid section 2)."""
_LONGEST_WAIT = 120.0


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One of the errors in an answer."""

    message: str
    field: str | None = None
    code: str | None = None


def refusals(body: Any) -> list[Refusal]:
    """The errors of an answer, whichever shape it has; none where it has another."""
    items = body.get("errors", body) if isinstance(body, dict) else body
    found = items if isinstance(items, list) else [items]
    return [
        Refusal(
            message=item["message"],
            field=_text(item.get("field")) or _text(item.get("parameter")),
            code=_text(item.get("error_id")),
        )
        for item in found
        if isinstance(item, dict) and isinstance(item.get("message"), str)
    ]


def explain(call: Call, reply: Reply) -> Problem:
    """The problem of an answer that says no."""
    code = CODES.get(reply.status)
    redirects = HTTPStatus.MULTIPLE_CHOICES <= reply.status < HTTPStatus.BAD_REQUEST
    if redirects or (code is ProblemCode.NOT_FOUND and is_page(reply)):
        return _elsewhere(reply)
    if code is None:
        refused = HTTPStatus.BAD_REQUEST <= reply.status < HTTPStatus.INTERNAL_SERVER_ERROR
        code = ProblemCode.INVALID if refused else ProblemCode.BACKEND_ERROR
    found = refusals(reply.body)
    said = "; ".join(refusal.message for refusal in found)
    remedy = REMEDIES.get(reply.status)
    message = f"SendGrid answered {reply.status}: {said or reply.excerpt or 'an empty body'}"
    return Problem(
        backend=Backend.SENDGRID,
        code=code,
        message=f"{message}; {remedy}" if remedy else message,
        field=_blamed(call, found, code),
        backend_code=next((refusal.code for refusal in found if refusal.code), None),
        backend_message=said or None,
        retry_after_seconds=reset_after(reply) if code is ProblemCode.RATE_LIMITED else None,
    )


def is_page(reply: Reply) -> bool:
    """Whether an answer has a text that is no JSON: SendGrid's own 404 is JSON, or has no body."""
    return reply.body is None and bool(reply.text.strip())


def _elsewhere(reply: Reply) -> Problem:
    """The problem of an answer that comes from another address than SendGrid's."""
    return Problem(
        backend=Backend.SENDGRID,
        code=ProblemCode.UNAVAILABLE,
        message=f"What answered with HTTP {reply.status} is not SendGrid's API; is its base URL right? "
        f"{reply.excerpt or 'empty'}",
        retryable=True,
    )


def unexpected(reply: Reply) -> Problem:
    """The problem of an answer that is not what the call is documented to give."""
    return Problem(
        backend=Backend.SENDGRID,
        code=ProblemCode.BACKEND_ERROR,
        message=f"SendGrid answered {reply.status} with what cannot be read: "
        f"{reply.excerpt or 'an empty body'}",
        retryable=True,
    )


def unreadable(reply: Reply) -> NotWrittenError:
    """The error of a read whose answer lacks what is needed."""
    return NotWrittenError(unexpected(reply))


def reset_after(reply: Reply) -> float | None:
    """Seconds until the rate limit's window ends, 0 to 120; None when the answer does not say.

    The header has two forms. A Unix time is measured against the answer's own Date, so that the
    gateway's clock does not matter.
    """
    try:
        reset = float(reply.headers["x-ratelimit-reset"])
        if reset >= _EPOCH:
            reset -= parsedate_to_datetime(reply.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return None
    return min(_LONGEST_WAIT, max(0.0, reset))


def _blamed(call: Call, found: list[Refusal], code: ProblemCode) -> list[str]:
    """The input field that the first error which names one is about, as far as can be told."""
    if code is ProblemCode.NOT_FOUND and call.method == "PUT":
        return list(INPUT_PATHS["list_ids"])  # nothing else in an upsert is looked up by its id
    if code is not ProblemCode.INVALID:
        return []
    for refusal in found:
        text = refusal.message.lower()
        if "custom field" in text:
            return list(INPUT_PATHS["custom_fields"])
        named = _BLAMED.fullmatch(refusal.field or "")
        name = named.group(1) if named else ""
        if name in {"identifier", "emails", "identifiers"}:
            # An identifier is blamed by place only; the message quotes which one it is.
            kinds = ("phone_number_id", "external_id", "anonymous_id", "email")
            name = next((kind for kind in kinds if text.startswith(kind)), "email")
        if name in INPUT_PATHS:
            return list(INPUT_PATHS[name])
    if call.path.endswith("/search/emails"):
        return list(INPUT_PATHS["email"])
    return []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
