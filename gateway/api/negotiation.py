"""Media types of requests and answers, by the GraphQL over HTTP specification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.api.errors import HttpRefusalError
from gateway.api.head import remembered

if TYPE_CHECKING:
    from gateway.api.head import Head, RawHeaders

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"

ANY = ("application/*", "*/*")
_OFFERED = {
    # What a client names outweighs what it merely takes; where it weighs alike, the first of these.
    EVENT_STREAM: (EVENT_STREAM,),
    GRAPHQL_RESPONSE: (GRAPHQL_RESPONSE,),
    JSON: (JSON, *ANY),
}


def answer_type(headers: RawHeaders) -> str:
    """The media type of the answer; raises HttpRefusalError (406) where the client takes none of ours."""
    return _answer_type(b",".join([value for name, value in headers if name == b"accept"]))


@remembered
def _answer_type(value: bytes) -> str:
    accept = value.decode("latin-1")
    if not accept.strip():
        return JSON
    weights = _weights(accept)
    best, best_weight = None, 0.0
    for offered, names in _OFFERED.items():
        weight = next((weights[name] for name in names if name in weights), 0.0)
        if weight > best_weight:
            best, best_weight = offered, weight
    if best is None and GRAPHQL_RESPONSE not in weights and any(map(weights.get, ANY)):
        best = GRAPHQL_RESPONSE  # of all that is taken, application/json alone is refused
    if best is None:
        kinds = ", ".join(reversed(_OFFERED))
        raise HttpRefusalError(
            406, f"The answer comes as one of {kinds}; Accept allows none of them."
        )
    return best


def _weights(accept: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                weight = _weight(parameter.removeprefix("q="))
            elif parameter.startswith("charset=") and not _is_utf8(parameter):
                weight = 0.0
        weights[name] = max(weight, weights.get(name, 0.0))
    return weights


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def check_content(head: Head) -> None:
    """Raise HttpRefusalError (415) for a body that is not plain JSON in UTF-8.

    This is also what keeps foreign pages out: a browser asks first (preflight) before it lets a page
    of another origin send this content type.
    """
    if not _is_json(head.get(b"content-type", b"")):
        raise HttpRefusalError(
            415,
            f"The body must be {JSON} in UTF-8; its Content-Type says otherwise.",
            headers={"Accept-Post": JSON},
        )
    if head.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise HttpRefusalError(
            415, "The body must not be compressed.", headers={"Accept-Encoding": "identity"}
        )


@remembered
def _is_json(content_type: bytes) -> bool:
    media_type, *parameters = (
        part.strip() for part in content_type.decode("latin-1").lower().split(";")
    )
    charsets = [part for part in parameters if part.startswith("charset=")]
    return media_type == JSON and all(_is_utf8(part) for part in charsets)


def _is_utf8(parameter: str) -> bool:
    return parameter.removeprefix("charset=").strip('"') in {"utf-8", "utf8"}
