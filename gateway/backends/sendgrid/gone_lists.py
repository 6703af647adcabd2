"""Whether a refused removal speaks of a list that SendGrid has no more: then nobody is on it.

Its 404 means the list or a contact (contract: sendgrid section 7), in words that are no promise, so
SendGrid is asked for the list: once, however many contacts of a bulk were to leave it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.backends.sendgrid.client import get_list, list_left
from gateway.errors import BackendFailure, RefusedError
from gateway.results import ProblemCode
from gateway.upstream import Exchange

if TYPE_CHECKING:
    from gateway.calls import Call
    from gateway.upstream import Sender


class GoneLists:
    """Asks for the lists of refused removals."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._asking: dict[str, asyncio.Task[bool]] = {}

    async def caused(self, call: Call, refusal: RefusedError, exchange: Exchange) -> bool:
        """Whether a call was refused because it is about leaving a list that is no more.

        False also where SendGrid does not say so in time.
        """
        if call.method != "DELETE" or refusal.problem.code is not ProblemCode.NOT_FOUND:
            return False
        list_id = list_left(call)
        asking = self._asking.get(list_id)
        if asking is None:
            alone = Exchange(deadline=exchange.deadline, request_id=exchange.request_id)
            asking = asyncio.create_task(self._is_gone(list_id, alone))
            self._asking[list_id] = asking
            asking.add_done_callback(lambda _task: self._asking.pop(list_id))
        done, _ = await asyncio.wait({asking}, timeout=max(0.0, exchange.left))
        return bool(done) and asking.result()

    async def _is_gone(self, list_id: str, exchange: Exchange) -> bool:
        try:
            await self._sender.send(get_list(list_id), exchange)
        except RefusedError as refusal:
            return refusal.problem.code is ProblemCode.NOT_FOUND
        except BackendFailure:
            pass
        return False
