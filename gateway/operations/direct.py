"""What a direct call keeps to: the order of writes to its record, and its idempotency key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.callers.audit import Trail
    from gateway.operations.keyed import HeldKey
    from gateway.operations.order import Order
    from gateway.results import BackendResult
    from gateway.target import Part


@dataclass(kw_only=True)
class DirectJournal:
    """The journal of a call that is delivered while its caller waits."""

    order: Order
    key_of: Callable[[Part], str]
    """What a part's record is known by."""
    held: HeldKey | None = None
    trail: Trail | None = None
    """The audit of a call that writes; None for a dry run."""

    async def looking(self, part: Part) -> None:
        """Wait for the durable writes to the record that were accepted before."""
        if not self.order.is_empty():
            await self.order.my_turn(part.backend, self.key_of(part), part.exchange)

    async def sending(self, part: Part, *, repeatable: bool) -> None:
        """Note it under the key, where there is one."""
        if self.held is not None:
            await self.held.sending(part, repeatable=repeatable)

    async def answered(self, result: BackendResult, *, repeatable: bool) -> None:
        """Note it under the key, where there is one, and what follows may be sent again."""
        if self.held is not None and repeatable:
            await self.held.answered(result)

    async def ended(self, part: Part) -> None:
        """Tell the audit, and note it under the key, where there is one."""
        if self.held is not None and part.result is not None:
            self.held.look_back([part.result])
            self.held.look_back_at_part(part.result)
        if self.trail is not None and part.result is not None:
            self.trail.ended(part.result)
        if self.held is not None:
            await self.held.ended(part)
