"""A backend with the plainest of dialects, for tests of what stands above every dialect."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from gateway.calls import Call, Reply, Safety
from gateway.model import Backend
from gateway.results import Problem, ProblemCode
from gateway.upstream import Exchange, Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


CODES = {
    401: ProblemCode.UNAUTHORIZED,
    403: ProblemCode.FORBIDDEN,
    404: ProblemCode.NOT_FOUND,
    429: ProblemCode.RATE_LIMITED,
    503: ProblemCode.UNAVAILABLE,
}


@dataclass
class PlainDialect:
    """Statuses mean what they say, and every answer is a JSON object."""

    backend: Backend = Backend.IVVY
    base_url: str = "http://plain"
    headers: dict[str, str] = field(default_factory=dict)
    renewals: list[bool] = field(default_factory=list)
    """What each try was told of renewing."""
    before_each: Callable[[], object] | None = None
    """Runs when a try is authorized."""
    judged_by: Callable[[Call, Reply], Problem | None] | None = None
    """Judges instead of the statuses."""

    async def authorize(
        self,
        call: Call,  # noqa: ARG002
        content: bytes,  # noqa: ARG002
        *,
        renew: bool,
        sender: Sender,  # noqa: ARG002
        exchange: Exchange,  # noqa: ARG002
    ) -> Mapping[str, str]:
        self.renewals.append(renew)
        if self.before_each is not None:
            self.before_each()
        return {"Authorization": f"Bearer {sum(self.renewals)}", **self.headers}

    def route(self, call: Call) -> str:
        return call.path

    def batch_size(self, call: Call) -> int | None:  # noqa: ARG002
        return None

    def judge(self, call: Call, reply: Reply) -> Problem | None:
        if self.judged_by is not None:
            return self.judged_by(call, reply)
        if 200 <= reply.status < 300:
            if isinstance(reply.body, dict) or reply.status == 204:
                return None
            return self._problem(ProblemCode.BACKEND_ERROR, f"unreadable: {reply.excerpt}")
        ours = ProblemCode.BACKEND_ERROR if reply.status >= 500 else ProblemCode.INVALID
        return self._problem(CODES.get(reply.status, ours), f"answered {reply.status}")

    def _problem(self, code: ProblemCode, message: str) -> Problem:
        return Problem(backend=self.backend, code=code, message=message)


def within(seconds: float = 30.0) -> Exchange:
    """An exchange that ends in so many seconds."""
    return Exchange(deadline=time.monotonic() + seconds, request_id="r-1")


def a_call(safety: Safety, **values: Any) -> Call:
    """A call of a kind, on some path."""
    method = "GET" if safety is Safety.READ else "POST"
    return Call(**{"method": method, "path": "/things", "safety": safety, **values})


Step = httpx.Response | Exception


@dataclass
class Scripted:
    """A transport that gives its answers in order, the last one for ever."""

    steps: list[Step]
    requests: list[httpx.Request] = field(default_factory=list)
    dialect: PlainDialect = field(default_factory=PlainDialect)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.steps[min(len(self.requests), len(self.steps)) - 1]
        if isinstance(step, Exception):
            raise step
        return httpx.Response(step.status_code, headers=step.headers, content=step.content)

    @property
    def tries(self) -> int:
        return len(self.requests)

    def sender(self, **settings: Any) -> Sender:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return Sender(self.dialect, client, **settings)

    async def send(self, call: Call, exchange: Exchange | None = None) -> Reply:
        return await self.sender().send(call, exchange or within())


def answering(*steps: Step | int) -> Scripted:
    return Scripted(
        [httpx.Response(step, json={}) if isinstance(step, int) else step for step in steps]
    )
