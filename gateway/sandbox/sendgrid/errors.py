"""SendGrid's ways of saying no, as one exception that carries the finished answer.

Contract: sendgrid section 3. The shapes differ from call to call; nothing but the text is stable.
"""

from __future__ import annotations

from typing import Any

import orjson


class RefusalError(Exception):
    """The call is refused with this status, body and content type."""

    def __init__(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        super().__init__(f"{status} {body.decode()}")
        self.status = status
        self.body = body
        self.content_type = content_type


def refused(status: int, message: str, field: str | None = None) -> RefusalError:
    """Give `{"errors": [{"message", "field"}]}`, the shape of most refusals; field may be null."""
    return refused_each(status, [{"field": field, "message": message}])


def refused_each(status: int, errors: list[dict[str, Any]]) -> RefusalError:
    """Give several errors in one answer."""
    return RefusalError(status, orjson.dumps({"errors": errors}))


def invalid_json() -> RefusalError:
    """Give the 400 for a body that is no JSON or has another shape than the call expects."""
    return RefusalError(400, orjson.dumps({"errors": [{"message": "invalid JSON"}]}))


def refused_bare(status: int, message: str, field: str | None = None) -> RefusalError:
    """Give an error without the `errors` wrapper: lookups by identifier, removal from a list."""
    body = {"message": message} if field is None else {"message": message, "field": field}
    return RefusalError(status, orjson.dumps(body))


def refused_object(status: int, message: str) -> RefusalError:
    """Give `errors` as an object: the 400 of a job's status."""
    return RefusalError(status, orjson.dumps({"errors": {"message": message}}))


def refused_array(status: int, message: str) -> RefusalError:
    """Give a bare array: the 404 of one list."""
    return RefusalError(status, orjson.dumps([{"message": message}]))


def refused_empty(status: int) -> RefusalError:
    """Give no body at all: the 404 of one contact."""
    return RefusalError(status, b"")


def too_large(form: str) -> RefusalError:
    """Give the refusal of a body above the limit, which comes from the proxy in front."""
    if form == "json":
        return refused(400, "request body is too large")
    page = (
        b"<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n"
        b"<body><center><h1>413 Request Entity Too Large</h1></center>"
        b"<hr><center>nginx</center></body>\r\n</html>\r\n"
    )
    return RefusalError(413, page, "text/html")
