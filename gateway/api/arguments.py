"""Arguments that several mutations take."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.model import Backend, Delivery, WriteMode

REPLAYED = (
    "True when nothing was sent, because the idempotency key gave back an earlier call's payload."
)

Targets = Annotated[
    list[Backend] | None,
    strawberry.argument(
        description="Backends to write to; default: every configured backend that stores contacts."
    ),
]

Mode = Annotated[WriteMode, strawberry.argument(description="What absent fields mean.")]

DryRun = Annotated[
    bool,
    strawberry.argument(
        description="Resolve, validate and translate, but write nothing: the calls come back in "
        "`results.calls`."
    ),
]

IdempotencyKey = Annotated[
    str | None,
    strawberry.argument(
        description="Repeating a call with the same key and the same input repeats what has not "
        "succeeded and nothing else."
    ),
]

DeliveryArgument = Annotated[
    Delivery, strawberry.argument(description="Now, while the caller waits, or stored and later.")
]


def given_key(key: str | None) -> str | None:
    """The key that a caller has given; None for none. An empty one is a mistake of the caller's."""
    return None if key is strawberry.UNSET else key


def given_targets(targets: list[Backend] | None) -> list[Backend] | None:
    """The targets that a caller has named; None for all. An empty list is a mistake of the caller's."""
    return targets or ([] if targets == [] else None)
