"""What a resolver may use, made new for each request."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import strawberry

from gateway.names import Loaders
from gateway.upstream import Exchange

if TYPE_CHECKING:
    from gateway.account import Account


@dataclass(kw_only=True)
class Context:
    """One request's account, time and loaders."""

    account: Account
    request_id: str
    deadline: float
    """On the clock of `time.monotonic`."""

    @classmethod
    def start(cls, account: Account) -> Context:
        """The context of a request that begins now."""
        return cls(
            account=account,
            request_id=uuid.uuid4().hex,
            deadline=time.monotonic() + account.settings.request_timeout_seconds,
        )

    @cached_property
    def loaders(self) -> Loaders:
        """Dataloaders of this request; made within it, because they belong to its event loop."""
        return Loaders(self.exchange())

    def exchange(self) -> Exchange:
        """Calls of this request that belong to no target."""
        return Exchange(deadline=self.deadline, request_id=self.request_id)


Info = strawberry.Info[Context, None]
