"""`gateway check`: whether each backend lets the gateway in, and what it shows of itself.

Nothing is written. Asked for is a contact that does not exist, which shows the address, the
credentials and the permission to read contacts; then every list of names.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.account import opened
from gateway.entries import CatalogName
from gateway.errors import BackendFailure
from gateway.model import Backend, title
from gateway.results import ProblemCode
from gateway.settings import BACKEND_SETTINGS, TEMPORARY, variable
from gateway.upstream import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import httpx

    from gateway.account import Account
    from gateway.backends.adapter import Adapter
    from gateway.results import Problem
    from gateway.settings import Settings

UNREACHED = frozenset({ProblemCode.UNAVAILABLE, ProblemCode.TIMEOUT})


@dataclass(kw_only=True)
class Report:
    """What was seen of one backend."""

    backend: Backend
    address: str | None = None
    """None where the backend is not configured."""
    good: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report in plain words."""
        name = title(self.backend)
        if self.address is None:
            sets = (" and ".join(map(variable, names)) for names in BACKEND_SETTINGS[self.backend])
            return [f"{name}: not configured. To use it set {', or '.join(sets)}."]
        return [
            f"{name} at {self.address}",
            *(f"  ok     {text}" for text in self.good),
            *(f"  WRONG  {text}" for text in self.wrong),
        ]


async def check(
    settings: Settings, transports: Mapping[Backend, httpx.AsyncBaseTransport] | None = None
) -> list[Report]:
    """A report of each backend, in the order of the Backend enum."""
    # The store has no part in it, and a gateway that serves may hold the database's file.
    alone = settings.model_copy(update={"database_url": TEMPORARY})
    async with opened(alone, transports) as account:
        return list(
            await asyncio.gather(*(_checked(account, settings, backend) for backend in Backend))
        )


def passed(reports: Iterable[Report]) -> bool:
    """Whether at least one backend is configured, and nothing is wrong with any."""
    configured = [report for report in reports if report.address is not None]
    return bool(configured) and not any(report.wrong for report in configured)


def told(reports: Iterable[Report]) -> str:
    """All reports, and what they come to."""
    seen = list(reports)
    lines = [line for report in seen for line in report.lines()]
    if passed(seen):
        return "\n".join([*lines, "All is well. Permissions to write show only when writing."])
    if all(report.address is None for report in seen):
        return "\n".join([*lines, "No backend is configured."])
    return "\n".join([*lines, "Something is wrong: see the lines above."])


async def _checked(account: Account, settings: Settings, backend: Backend) -> Report:
    adapter = account.adapters.get(backend)
    if adapter is None:
        return Report(backend=backend)
    report = Report(backend=backend, address=adapter.sender.dialect.base_url)
    deadline = time.monotonic() + settings.request_timeout_seconds
    exchange = Exchange(deadline=deadline, request_id="gateway-check")
    started = time.monotonic()
    try:
        problems = await adapter.probe(exchange)
    except BackendFailure as failure:
        report.wrong.append(_in_words(failure.problem))
        return report
    milliseconds = round((time.monotonic() - started) * 1000)
    report.good.append(f"reached, credentials accepted, contacts may be read ({milliseconds} ms)")
    report.wrong += [problem.message for problem in problems]
    await _note_lists(adapter, exchange, report)
    return report


async def _note_lists(adapter: Adapter, exchange: Exchange, report: Report) -> None:
    """How many names each of the backend's lists has, or why it cannot be read."""
    sizes: dict[CatalogName, int] = {}

    async def read(name: CatalogName) -> None:
        try:
            sizes[name] = len((await adapter.catalogs.read(name, exchange)).entries)
        except BackendFailure as failure:
            report.wrong.append(f"{name.value} cannot be read: {_in_words(failure.problem)}")

    names = [name for name in CatalogName if adapter.catalogs.holds(name)]
    await asyncio.gather(*map(read, names))
    told_sizes = ", ".join(f"{name.value} {sizes[name]}" for name in names if name in sizes)
    report.good.append(f"lists that may be read: {told_sizes or 'none'}")


def _in_words(problem: Problem) -> str:
    """A problem; where the backend was not reached, with the setting of its address."""
    if problem.code not in UNREACHED or problem.backend is None:
        return problem.message
    address = variable(f"{problem.backend.value.lower()}_base_url")
    return f"{problem.message} Check {address}, and that this machine reaches that address."
