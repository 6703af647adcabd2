"""A small backend kept in memory, and its adapter: the story of a write with nothing else in it."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from gateway.backends.adapter import Answer, Found, Key, KeyKind, Plan, Stored
from gateway.calls import Call, Reply, Safety
from gateway.catalogs import Catalogs
from gateway.entries import CatalogName, Entry
from gateway.fields import IMPOSSIBLE, Field, required, to_backend
from gateway.matching import borrowed_key, keys_of, match
from gateway.memberships import memberships, wanted_groups
from gateway.model import Backend, ContactInput
from gateway.results import ImportJob, Outcome, Problem
from gateway.upstream import Sender
from gateway.write import ContactWrite
from tests.plain_backend import PlainDialect

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence

    from gateway.names import Resolution, Wanted
    from gateway.upstream import Exchange

GROUPS_BY_ID = {
    Backend.IVVY: "ivvy.group_ids",
    Backend.EVERBRIDGE: "everbridge.group_ids",
    Backend.SENDGRID: "sendgrid.list_ids",
}
FIELDS = (
    Field(name="external_id", at="externalId", clear=IMPOSSIBLE),
    Field(name="email", at="email", clear=IMPOSSIBLE),
    Field(name="first_name", at="firstName", clear=IMPOSSIBLE),
    Field(name="groups_name", at="groups", clear=IMPOSSIBLE, by_function=True),
    Field(name="add_groups_name", at="groups", clear=IMPOSSIBLE, by_function=True),
)


@dataclass
class Memory:
    """What the backend holds and was asked."""

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    fails_with: dict[str, int] = field(default_factory=dict)
    """Statuses that answer a method."""
    silent: dict[str, asyncio.Event] = field(default_factory=dict)
    """What a method, or GROUPS, waits for before it answers."""
    before: dict[str, Callable[[], object]] = field(default_factory=dict)
    """What happens when a method arrives."""
    after_write: Callable[[], object] | None = None

    def hold(self, record_id: str, **values: Any) -> None:
        self.records[record_id] = {"id": record_id, **values}

    def writes(self) -> list[str]:
        return [call for call in self.received if not call.startswith("GET")]

    def reads(self) -> int:
        return len(self.received) - len(self.writes())

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        method = request.method
        self.received.append(f"{method} {request.url.path}")
        if method in self.before:
            self.before.pop(method)()
        if method in self.silent:
            await self.silent[method].wait()
        if method in self.fails_with:
            return httpx.Response(self.fails_with[method], json={})
        if method == "GET":
            key, value = next(iter(request.url.params.items()))
            rows = [row for row in self.records.values() if row.get(key) == value]
            return httpx.Response(200, json={"rows": rows})
        record_id = request.url.path.rpartition("/")[2]
        if method == "POST":
            record_id = next(
                key for number in itertools.count(1) if (key := f"n{number}") not in self.records
            )
        row = self.records.setdefault(record_id, {"id": record_id})
        row.update(json.loads(request.content))
        if self.after_write is not None:
            self.after_write()
        return httpx.Response(200, json=row)


@dataclass
class MemoryAdapter:
    """An adapter whose backend is found by id, externalId and e-mail and needs a firstName."""

    backend: Backend
    memory: Memory = field(default_factory=Memory)
    fresh: float = 30.0
    borrows: bool = False
    """Whether it looks at its siblings when the input has no key."""
    checked: list[Problem] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    """Steps that have a fault of ours."""
    after_plan: Callable[[], object] | None = None
    """What happens once, behind the first plan."""
    contact_fields: Sequence[Field] = FIELDS
    key_kinds: Sequence[KeyKind] = (KeyKind.EXTERNAL_ID, KeyKind.EMAIL)
    native_custom_fields = "ivvy.custom_fields"
    native_ids: Mapping[str, CatalogName] = field(default_factory=dict)

    def __post_init__(self) -> None:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.memory))
        self.sender = Sender(PlainDialect(backend=self.backend), client)
        self.catalogs = Catalogs(self.backend, {CatalogName.GROUPS: self._fetch_groups}, ttl=1000)

    async def _fetch_groups(self, _exchange: Exchange) -> list[Entry]:
        if "GROUPS" in self.memory.silent:
            await self.memory.silent["GROUPS"].wait()
        return [Entry(id=f"g-{name}", name=name) for name in self.memory.groups]

    def _may_break(self, step: str) -> None:
        if step in self.broken:
            raise LookupError(f"a fault of ours in {step}")

    def check(self, write: ContactWrite) -> list[Problem]:  # noqa: ARG002
        self._may_break("check")
        return list(self.checked)

    def needs_siblings(self, write: ContactWrite) -> bool:
        self._may_break("needs_siblings")
        return self.borrows and not write.mentions("email")

    def _kinds(self) -> Sequence[KeyKind]:
        return (KeyKind.EMAIL,) if self.borrows else self.key_kinds

    async def find(
        self, write: ContactWrite, siblings: Mapping[Backend, Found], exchange: Exchange
    ) -> Found:
        self._may_break("find")

        async def look_up(key: Key) -> list[Stored]:
            read_at = time.monotonic()
            call = Call(method="GET", path="/records", query=((key.kind.value, key.value),))
            reply = await self.sender.send(call, exchange)
            return [
                Stored(
                    id=row["id"],
                    external_id=row.get("externalId"),
                    email=row.get("email"),
                    raw=row,
                    read_at=read_at,
                )
                for row in reply.body["rows"]
            ]

        keys = keys_of(write, "ivvy.id", self._kinds(), siblings)
        if not keys:
            return Found(keyless=True, looked_at=time.monotonic())
        return await match(self.backend, keys, look_up)

    def wanted(self, write: ContactWrite) -> list[Wanted]:
        self._may_break("wanted")
        return wanted_groups(write, GROUPS_BY_ID[self.backend])

    def plan(
        self,
        write: ContactWrite,
        found: Found,
        resolution: Resolution,
        siblings: Mapping[Backend, Found],
    ) -> Plan:
        self._may_break("plan")
        stored = found.stored
        laid = to_backend(FIELDS, write, self.backend, stored.raw if stored else None)
        groups = memberships(write, resolution, self.backend, GROUPS_BY_ID[self.backend])
        current = stored.raw.get("groups", []) if stored else []
        if groups.joining(current):
            laid.values["groups"] = [*current, *groups.joining(current)]
            laid.changed += groups.changed(current)
        problems = [*laid.problems, *groups.problems]
        after, self.after_plan = self.after_plan, None
        if after is not None:
            after()
        if stored is None:
            needs = [] if "no requirements" in self.broken else ["first_name"]
            if self.borrows:
                borrowed = borrowed_key(write, KeyKind.EMAIL, siblings)
                if borrowed is not None:
                    laid.values["email"] = borrowed.value
                else:
                    needs.append("email")
            problems += required(needs, write, self.backend, "the backend wants it.")
        return Plan(
            outcome=self._outcome(stored, laid.values),
            calls=self._calls(stored, laid.values),
            id=stored.id if stored else None,
            matched_by=found.matched_by,
            changed=tuple(laid.changed),
            ignored=(*laid.ignored, *groups.ignored),
            problems=tuple(problems),
        )

    @staticmethod
    def _outcome(stored: Stored | None, values: dict[str, Any]) -> Outcome:
        if stored is None:
            return Outcome.CREATED
        return Outcome.UPDATED if values else Outcome.UNCHANGED

    @staticmethod
    def _calls(stored: Stored | None, values: dict[str, Any]) -> tuple[Call, ...]:
        if stored is None:
            return (Call(method="POST", path="/records", body=values, safety=Safety.ONCE),)
        if not values:
            return ()
        path = f"/records/{stored.id}"
        return (Call(method="PUT", path=path, body=values, safety=Safety.REPEATABLE),)

    def lock_keys(self, write: ContactWrite, found: Found) -> list[str]:
        if found.stored is not None:
            return [f"id {found.stored.id}"]
        given = write.given("external_id")
        return [] if given is None else [f"externalId {given.value}"]

    def fresh_for(self, found: Found) -> float:  # noqa: ARG002
        return self.fresh

    async def send(self, call: Call, exchange: Exchange) -> Reply:
        return await self.sender.send(call, exchange)

    def read_answer(self, call: Call, reply: Reply) -> Answer:  # noqa: ARG002
        self._may_break("read_answer")
        return Answer(id=reply.body["id"])

    async def job(self, job_id: str, exchange: Exchange) -> ImportJob | None:  # noqa: ARG002
        return None


def write_of(**values: Any) -> ContactWrite:
    """A write of a contact; e-mail as text, other values as `Some`."""
    email = values.get("email")
    settings = {key: values.pop(key) for key in ("if_missing", "mode", "invalid") if key in values}
    return ContactWrite(input=ContactInput(**values), email=email, **settings)
