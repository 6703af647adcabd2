"""What a resolver may use, made new for each request."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING

import strawberry
from aiodataloader import DataLoader

from gateway.api.documents import NOTHING, Prepared
from gateway.api.refusals import cannot_tell, too_many, unauthenticated
from gateway.callers.errors import CannotTellError, TooManyError, UnauthenticatedError
from gateway.lookup import read_contacts
from gateway.model import Backend
from gateway.names import Loaders
from gateway.operations.contact_calls import Request
from gateway.upstream import Exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.account import Account
    from gateway.api.limits import Limits
    from gateway.api.trusted import TrustedDocuments
    from gateway.callers.caller import Caller
    from gateway.callers.credential import Credential
    from gateway.lookup import ContactKeys, NobodyAskedError
    from gateway.records import Contact

    ContactLoader = DataLoader[ContactKeys, Contact | Exception | None]


@dataclass(kw_only=True)
class Context:
    """One request's account, time and loaders."""

    account: Account
    request_id: str
    limits: Limits
    trusted: TrustedDocuments
    started: float
    """On the clock of `time.monotonic`."""
    caller: Caller
    """NOBODY on a WebSocket that has not been greeted yet."""
    credential: Credential | None = None
    """What told who the caller is."""
    connection_params: dict[str, object] = field(default_factory=dict)
    """What the client of a WebSocket has greeted with; Strawberry puts it here."""
    is_connection: bool = False
    """Whether this is a WebSocket's, of which each operation gets a context of its own."""
    prepared: Prepared = NOTHING
    """The operation's document; the schema looks at it before it runs the operation."""
    _operations: Iterator[int] = field(default_factory=partial(itertools.count, 1))
    _loaders: Loaders | None = field(default=None, init=False)

    @classmethod
    def start(
        cls,
        account: Account,
        *,
        request_id: str,
        limits: Limits,
        trusted: TrustedDocuments,
        caller: Caller,
        credential: Credential | None = None,
        is_connection: bool = False,
    ) -> Context:
        """The context of a request that begins now."""
        return cls(
            account=account,
            request_id=request_id,
            limits=limits,
            trusted=trusted,
            started=time.monotonic(),
            caller=caller,
            credential=credential,
            is_connection=is_connection,
        )

    def next_operation(self) -> Context:
        """The context of an operation that begins now; a connection's has an id and time of its own."""
        if not self.is_connection:
            return self
        return dataclasses.replace(
            self,
            request_id=f"{self.request_id}-{next(self._operations)}",
            started=time.monotonic(),
            is_connection=False,
        )

    async def check_admission(self) -> None:
        """Raise a GraphQL error once the caller's key or token is no longer good.

        For what goes on for long: a WebSocket, a subscription.
        """
        try:
            self.caller = await self.account.door.admit(self.credential)
        except UnauthenticatedError as error:
            raise unauthenticated(error) from None
        except CannotTellError as error:
            raise cannot_tell(error) from error

    async def admit_operation(self) -> None:
        """Look at the caller again and count an operation; raises a GraphQL error."""
        await self.check_admission()
        try:
            self.account.door.count(self.caller)
        except TooManyError as error:
            raise too_many(error) from None

    @property
    def deadline(self) -> float:
        """When calls to backends end, on the clock of `time.monotonic`."""
        return self.started + self.account.settings.request_timeout_seconds

    @property
    def loaders(self) -> Loaders:
        """Dataloaders of this request; made within it, because they belong to its event loop."""
        # No cached_property: that one takes a lock, and each write comes here.
        if self._loaders is None:
            self._loaders = Loaders(self.exchange())
        return self._loaders

    @cached_property
    def contacts(self) -> ContactLoader:
        """Contacts that are asked for together, read together; each is read once in a request."""
        account, exchange = self.account, self.exchange()  # this context would make it a circle

        async def load(wanted: list[ContactKeys]) -> list[Contact | Exception | None]:
            return [*await _read(wanted, account, exchange)]

        return DataLoader(load)

    async def read_contacts(
        self, wanted: Sequence[ContactKeys]
    ) -> list[Contact | NobodyAskedError | None]:
        """Contacts as the backends hold them now, read anew."""
        return await _read(wanted, self.account, self.exchange())

    def request(self) -> Request:
        """This request, for a call that writes."""
        return Request(
            loaders=self.loaders,
            deadline=self.deadline,
            request_id=self.request_id,
            caller=self.caller,
        )

    def exchange(self) -> Exchange:
        """Calls of this request that belong to no target."""
        return Exchange(deadline=self.deadline, request_id=self.request_id)


async def _read(
    wanted: Sequence[ContactKeys], account: Account, exchange: Exchange
) -> list[Contact | NobodyAskedError | None]:
    return await read_contacts(
        wanted,
        [account.adapters[backend] for backend in Backend if backend in account.adapters],
        exchange,
        wait=account.settings.plan_wait_seconds,
    )


Info = strawberry.Info[Context, None]
