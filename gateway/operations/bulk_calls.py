"""Every upsertContacts goes through here: many contacts, stored in one commit, delivered later."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import structlog

from gateway.operations.acceptance import NotAcceptedError
from gateway.operations.bulk_checks import BulkChecks
from gateway.operations.bulk_items import has_failed, new_item, problems_of, runs_again
from gateway.operations.keyed import HeldKey, KeyRefusedError, utc_now
from gateway.operations.payloads import CONTACTS, Shared, operation_of
from gateway.results import Problem, ProblemCode
from gateway.store.errors import StoreError
from gateway.targets import choose

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from gateway.backends.adapter import Adapter
    from gateway.model import Backend
    from gateway.operations.acceptance import Acceptance
    from gateway.operations.asked import Asked
    from gateway.operations.bulk_checks import Checked
    from gateway.operations.contact_calls import Request
    from gateway.operations.keyed import KeyedCalls
    from gateway.operations.order import Order
    from gateway.store.operation_records import Item, NewOperation, Operation
    from gateway.targets import Choice
    from gateway.upsert import Writer

log = structlog.get_logger()
T = TypeVar("T")


@dataclass(kw_only=True)
class BulkWritten:
    """What became of a bulk's call."""

    errors: list[Problem]
    operation_id: str | None = None
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class BulkCalls:
    """The calls that write many contacts."""

    adapters: Mapping[Backend, Adapter]
    writer: Writer
    keyed: KeyedCalls
    acceptance: Acceptance
    order: Order
    default_country: str | None
    most: int
    """Inputs of one call."""

    async def upsert(self, asked: Asked, request: Request) -> BulkWritten:
        """Check all inputs, store the good ones, and tell what is wrong with the others."""
        choice = choose(asked.targets, self.adapters)
        wrong = [*asked.key_problems(), *choice.problems, *self._size_problems(asked.input)]
        if wrong:
            return BulkWritten(errors=wrong)
        call = _Call(asked=asked, request=request, choice=choice)
        if asked.key is None:
            return call.audited(await self._accept(call, None, {}))
        await asyncio.to_thread(lambda: asked.input_hash)  # thousands of inputs take their time
        # A call with a key goes on to its end, so that its operation is known under the key.
        return await asyncio.shield(self.writer.start(self._audited(call)))

    def _size_problems(self, inputs: Sequence[object]) -> list[Problem]:
        if not inputs:
            return [_wrong(ProblemCode.INVALID, "inputs is empty: give at least one contact.")]
        if len(inputs) > self.most:
            return [
                _wrong(
                    ProblemCode.TOO_MANY,
                    f"inputs has {len(inputs)} contacts, and one call takes {self.most}: send the "
                    "rest in further calls.",
                )
            ]
        return []

    async def _audited(self, call: _Call) -> BulkWritten:
        return call.audited(await self._run_keyed(call))

    async def _run_keyed(self, call: _Call) -> BulkWritten:
        try:
            async with self.keyed.hold(call.asked, call.request.deadline) as held:
                if isinstance(held, HeldKey):
                    return await self._accept(call, held, {})
                operation = await self._read(held.operation_id)
                items = await self._items(operation)
                if not runs_again(operation, items):
                    return _followed(operation, items)
            async with self.keyed.hold_again(call.asked, call.request.deadline) as held:
                return await self._run_again(call, held, operation)
        except KeyRefusedError as error:
            return BulkWritten(errors=[error.problem])

    async def _run_again(self, call: _Call, held: HeldKey, operation: Operation) -> BulkWritten:
        """Deliver what of an operation has failed, as a new one; the key is let go in any case."""
        try:
            newest = await self._read(held.use.operation_id)
            items = await self._items(newest)
            if newest.id == operation.id:
                before = {item.position: item for item in items}
                written = await self._accept(call, held, before)
                if written.operation_id is not None:
                    return written
                if written.errors[0].field[:1] != ["inputs"]:
                    return written  # it could not be stored
        finally:
            await held.let_go()  # does nothing where the new operation has the key
        return _followed(newest, items)

    async def _accept(
        self, call: _Call, held: HeldKey | None, before: Mapping[int, Item]
    ) -> BulkWritten:
        """Store the good inputs for delivery.

        `before` are the items of the operation that an earlier call under the key has made: what
        has succeeded there is not delivered again.
        """
        good = {place for place, item in before.items() if not has_failed(item)}
        checks = BulkChecks(
            asked=call.asked,
            adapters=call.choice.adapters,
            loaders=call.request.loaders,
            deadline=call.request.deadline,
            request_id=call.request.request_id,
            default_country=self.default_country,
            plan_wait=self.writer.plan_wait,
            order=self.order,
        )
        checked = await checks.run(but=good)
        errors = [problem for one in checked.values() for problem in one.problems]
        if call.asked.dry:
            return BulkWritten(errors=errors)
        if not good and all(one.problems for one in checked.values()):
            if held is not None and not before:
                await held.drop()
            return BulkWritten(errors=errors)
        operation = await asyncio.to_thread(self._operation, call, checked, before)
        try:
            await self.acceptance.store(operation, held.use if held else None)
        except NotAcceptedError as error:
            return BulkWritten(errors=[error.problem])
        return BulkWritten(errors=errors, operation_id=operation.id)

    def _operation(
        self, call: _Call, checked: Mapping[int, Checked], before: Mapping[int, Item]
    ) -> NewOperation:
        backends = [adapter.backend for adapter in call.choice.adapters]
        shared = Shared(
            mode=call.asked.mode,
            if_missing=call.asked.if_missing,
            targets_named=call.asked.targets is not None,
            backends=backends,
            country=self.default_country,
            request_id=call.request.request_id,
            accepted_at=utc_now().isoformat(),
        )
        items = [
            new_item(given, checked.get(place), before.get(place))
            for place, given in enumerate(call.asked.input)
        ]
        return operation_of(items, call.asked, CONTACTS, shared)

    async def _read(self, operation_id: str | None) -> Operation:
        operation = await _told(self.acceptance.operations.read_operation(operation_id or ""))
        if operation is None:
            raise KeyRefusedError(_not_readable(), rejected=False)
        return operation

    async def _items(self, operation: Operation) -> list[Item]:
        """All of its items where any of them has failed, else none."""
        if not operation.failed:
            return []
        return await _told(
            self.acceptance.operations.read_items(operation.id, first=operation.total)
        )


@dataclass(frozen=True, kw_only=True)
class _Call:
    """One call on its way."""

    asked: Asked
    request: Request
    choice: Choice

    def audited(self, written: BulkWritten) -> BulkWritten:
        """What became of it, told to the audit; the operation's steps tell of their records."""
        trail = self.request.trail(self.asked)
        if trail is not None and written.operation_id is not None:
            trail.stored(written.operation_id, replayed=written.replayed)
        return written


def _followed(operation: Operation, items: Sequence[Item]) -> BulkWritten:
    """The payload of the call that was made before."""
    return BulkWritten(
        errors=[problem for item in items for problem in problems_of(item)],
        operation_id=operation.id,
        replayed=True,
    )


async def _told(asking: Awaitable[T]) -> T:
    """What the store tells of an operation; raises KeyRefusedError where it cannot."""
    try:
        return await asking
    except StoreError as error:
        log.exception("operation not read")
        raise KeyRefusedError(_not_readable(), rejected=False) from error


def _wrong(code: ProblemCode, message: str) -> Problem:
    return Problem(code=code, message=message, field=["inputs"])


def _not_readable() -> Problem:
    return Problem(
        code=ProblemCode.UNAVAILABLE,
        message="The gateway's store cannot tell now what became of this idempotencyKey: repeat "
        "the call for its payload.",
        field=["idempotencyKey"],
        retryable=True,
    )
