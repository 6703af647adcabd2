"""The status page: one document without a script, drawn anew each time it is asked for."""

from __future__ import annotations

from datetime import timedelta
from html import escape
from importlib.metadata import version
from typing import TYPE_CHECKING

from gateway.api.catalog_types import Health
from gateway.model import Backend, title
from gateway.sending.breaker import BreakerState
from gateway.sending.traffic import quantile
from gateway.status.charts import bars, lines
from gateway.store.operation_records import OperationStatus, StepState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.api.catalog_types import BackendStatus
    from gateway.backends.adapter import Adapter
    from gateway.sending.traffic import Minute
    from gateway.status.standing import Standing

OLD = timedelta(minutes=15)
LOOKS = {Health.UP: "good", Health.DEGRADED: "warn", Health.DOWN: "bad"}
NOT_KNOWN = '<p class="bad">Not known.</p>'
STATES = {
    StepState.QUEUED: "to be delivered",
    StepState.FOLLOWING: "sent, its job is followed",
    StepState.NEEDS_ATTENTION: "waits for a person",
}


def rendered(standing: Standing, *, every: int | None) -> str:
    """The page; `every` so many seconds it asks for itself again."""
    again = f'<meta http-equiv="refresh" content="{every}">' if every else ""
    pace = (
        f'Comes again every {every} s. <a href="/status">Stop</a>'
        if every
        else '<a href="/status">Look again</a>, or <a href="/status?every=30">every 30 s</a>'
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{again}<title>{_headline(standing)} – contact-gateway</title>"
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="/status/page.css"></head><body>'
        f"<header><h1>contact-gateway</h1>{_readiness(standing)}"
        f'<p class="quiet">version {escape(version("contact-gateway"))}, at '
        f"{standing.at:%Y-%m-%d %H:%M:%S} UTC. {pace}</p></header><main>"
        f"{_tiles(standing)}<h2>Backends</h2>"
        f"{''.join(_backend(status, adapter) for status, adapter in standing.backends)}"
        f"<h2>Undelivered work</h2>{_queue(standing)}"
        f"<h2>Operations under way</h2>{_operations(standing)}</main></body></html>"
    )


def _headline(standing: Standing) -> str:
    down = [status for status, _ in standing.backends if status.health is Health.DOWN]
    if standing.not_ready:
        return "Not ready"
    return f"{len(down)} of the backends down" if down else "Ready"


def _readiness(standing: Standing) -> str:
    if standing.not_ready:
        return _badge(f"not ready: {standing.not_ready}", "bad")
    return _badge("ready", "good")


def _badge(text: str, look: str) -> str:
    return f'<span class="badge {look}">{escape(text)}</span>'


def _tiles(standing: Standing) -> str:
    backlog = standing.backlog
    if backlog is None:
        return '<p class="bad">The store cannot be used now: what it holds is not known.</p>'
    since = backlog.undelivered_since
    age = standing.at - since if since else None
    look = "warn" if age and age > OLD else ""
    tiles = [
        ("Oldest undelivered write", _age(age) if age is not None else "none", look),
        ("Operations under way", f"{backlog.operations:,}", ""),
        ("Steps due now", f"{backlog.due:,}", ""),
        (
            "Steps waiting for a person",
            f"{backlog.attention:,}",
            "warn" if backlog.attention else "",
        ),
    ]
    return (
        '<dl class="tiles">'
        + "".join(
            f'<div><dt>{name}</dt><dd class="{look}">{value}</dd></div>'
            for name, value, look in tiles
        )
        + "</dl>"
    )


# ---------------------------------------------------------------- backends


def _backend(status: BackendStatus, adapter: Adapter | None) -> str:
    name = escape(title(status.backend))
    if adapter is None:
        return f"<article><h3>{name} {_badge('not configured', 'quiet')}</h3></article>"
    hour, breaker = adapter.sender.traffic.hour(), adapter.sender.breaker
    calls, failed = sum(one.calls for one in hour), sum(one.failed for one in hour)
    badges = _badge(_health(status), LOOKS.get(status.health, "quiet"))
    if breaker.state is not BreakerState.CLOSED:
        badges += _badge(f"left alone for {breaker.closed_for:.0f} s", "bad")
    recent = adapter.sender.traffic.recent()
    told = [
        f"Last minute: {_counted(len(recent), sum(failure for _, failure in recent))}.",
        f"Last hour: {_counted(calls, failed)}"
        + (
            f"; half within {_ms(quantile(hour, 0.5))}, 95 % within {_ms(quantile(hour, 0.95))}."
            if calls
            else "."
        ),
    ]
    return (
        f"<article><h3>{name} {badges}</h3>"
        f"{''.join(f'<p>{escape(line)}</p>' for line in told)}"
        f'<div class="plots">{_latency(name, hour)}{_calls(name, hour, calls, failed)}</div></article>'
    )


def _counted(calls: int, failed: int) -> str:
    return f"{calls:,} calls, {failed:,} failed"


def _health(status: BackendStatus) -> str:
    return "not asked lately" if status.health is Health.UNKNOWN else status.health.name.lower()


def _latency(name: str, hour: list[Minute]) -> str:
    def line(share: float) -> list[float | None]:
        found = [quantile([minute], share) for minute in hour]
        return [None if seconds is None else seconds * 1000 for seconds in found]

    plot = lines(
        f"{name}: milliseconds of a call over the last hour, median and 95th percentile",
        [("p95", line(0.95)), ("median", line(0.5))],
        "ms",
    )
    return (
        f"<figure>{plot}<figcaption>Milliseconds of a call: median (solid), 95th percentile (dashed)"
        "</figcaption></figure>"
    )


def _calls(name: str, hour: list[Minute], calls: int, failed: int) -> str:
    plot = bars(
        f"{name}: calls a minute over the last hour, {calls} in all, {failed} of them failed",
        [minute.calls for minute in hour],
        [minute.failed for minute in hour],
    )
    return (
        f"<figure>{plot}<figcaption>Calls a minute, failed ones at the foot</figcaption></figure>"
    )


# ---------------------------------------------------------------- tables


def _queue(standing: Standing) -> str:
    if standing.backlog is None:
        return NOT_KNOWN
    if not standing.backlog.steps:
        return '<p class="quiet">None.</p>'
    rows = [
        (
            title(Backend(one.backend)),
            STATES.get(one.state, one.state.value),
            f"{one.number:,}",
            _age(standing.at - one.oldest),
        )
        for one in standing.backlog.steps
    ]
    return _table("Steps by backend and state", ("Backend", "State", "Steps", "Oldest"), rows)


def _operations(standing: Standing) -> str:
    if standing.backlog is None:
        return NOT_KNOWN
    if not standing.operations:
        return '<p class="quiet">None.</p>'
    rows = [
        (
            one.id,
            one.kind.lower(),
            _status(one.status),
            one.caller,
            _age(standing.at - one.submitted_at),
            f"{one.completed:,} of {one.total:,}"
            + (f", {one.failed:,} failed" if one.failed else ""),
        )
        for one in standing.operations
    ]
    head = ("Operation", "Kind", "Status", "Caller", "Age", "Items done")
    return _table("Those that need a person first, then the newest", head, rows)


def _status(status: OperationStatus) -> str:
    return status.value.lower().replace("_", " ")


def _table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    lines_ = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{columns}</tr></thead><tbody>{lines_}</tbody></table></div>"
    )


def _age(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}"
    return f"{seconds} s"


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds * 1000:,.0f} ms"
