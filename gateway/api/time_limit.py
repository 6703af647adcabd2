"""How long one operation may run."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from graphql import GraphQLError

from gateway.settings import variable

if TYPE_CHECKING:
    from gateway.api.context import Context


def time_left(context: Context) -> asyncio.Timeout:
    """Ends with TimeoutError what goes on in it for longer than the operation may take."""
    seconds = context.account.settings.operation_timeout_seconds
    return asyncio.timeout(seconds - (time.monotonic() - context.started))


def too_long(context: Context) -> GraphQLError:
    """The error of an operation that was ended so."""
    seconds = context.account.settings.operation_timeout_seconds
    return GraphQLError(
        f"The operation took longer than {seconds:g} seconds "
        f"({variable('operation_timeout_seconds')}) and was ended. What it wrote until then stays "
        "written.",
        extensions={"code": "TIMED_OUT"},
    )
