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

Mode = Annotated[
    WriteMode,
    strawberry.argument(
        description=(
            "Whether fields that are left out stay as they are (PATCH) or are cleared (REPLACE)."
        )
    ),
]

DryRun = Annotated[
    bool,
    strawberry.argument(
        description=(
            "Check everything and write nothing; `results.calls` shows the calls that would "
            "be made."
        )
    ),
]

IdempotencyKey = Annotated[
    str | None,
    strawberry.argument(
        description=(
            "A text of the caller's choice. The same call with the same key again writes "
            "nothing twice: only what has not succeeded is run again."
        )
    ),
]

DeliveryArgument = Annotated[
    Delivery,
    strawberry.argument(
        description="Write now, while the caller waits, or store the write and deliver it afterwards."
    ),
]


def given_key(key: str | None) -> str | None:
    """The key that a caller has given; None for none. An empty one is a mistake of the caller's."""
    return None if key is strawberry.UNSET else key


def given_targets(targets: list[Backend] | None) -> list[Backend] | None:
    """The targets that a caller has named; None for all. An empty list is a mistake of the caller's."""
    return targets or ([] if targets == [] else None)
