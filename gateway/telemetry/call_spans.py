"""The span of one try of a call to a backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.telemetry.spans import NOTHING, call_span, is_kept

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from gateway.calls import Call
    from gateway.telemetry.call_meter import Described
    from gateway.telemetry.spans import Span


def span_of_try(described: Described, call: Call, attempt: int) -> AbstractContextManager[Span]:
    """The span of a try, of which `attempt` is the number, from 1."""
    if not is_kept():
        return NOTHING
    route = described.route(call)
    return call_span(
        f"{call.method} {route}",
        {
            "gateway.backend": described.backend.value,
            "http.request.method": call.method,
            "http.request.resend_count": attempt - 1,
            "url.template": route,
        },
    )
