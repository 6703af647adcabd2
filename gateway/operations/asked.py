"""A call of a mutation as its caller made it, and what makes two calls the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson

from gateway.model import Backend, Delivery, MissingPolicy, WriteMode
from gateway.results import Problem, ProblemCode
from gateway.stored_values import to_stored

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_KEY = 255


@dataclass(kw_only=True)
class Asked:
    """What a caller asked for. Never changed; not frozen, because each call would pay for that."""

    mutation: str
    input: Any
    """One of the Strawberry inputs."""
    targets: Sequence[Backend] | None = None
    """None for every backend that is configured."""
    mode: WriteMode = WriteMode.PATCH
    if_missing: MissingPolicy = MissingPolicy.CREATE
    delivery: Delivery = Delivery.DIRECT
    dry: bool = False
    key: str | None = None
    caller: str
    """The id of a `Caller`: idempotency keys and operations are its own."""

    @property
    def durable(self) -> bool:
        """Whether it is to be stored and delivered later."""
        return self.delivery is Delivery.DURABLE and not self.dry

    @cached_property
    def input_hash(self) -> str:
        """The same for two calls that ask for the same; an absent field is not a null one."""
        said = {
            "mutation": self.mutation,
            "input": to_stored(self.input),
            "targets": None if self.targets is None else sorted(map(to_stored, self.targets)),
            "mode": self.mode.value,
            "ifMissing": self.if_missing.value,
            "delivery": self.delivery.value,
        }
        return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def key_problems(self) -> list[Problem]:
        """What is wrong with the idempotency key."""
        if self.key is None:
            return []
        if self.dry:
            return [
                _wrong("A dry run writes nothing, so there is nothing to repeat: leave it out.")
            ]
        if not self.key.strip() or len(self.key) > LONGEST_KEY or not self.key.isprintable():
            return [_wrong(f"It must have 1 to {LONGEST_KEY} printable characters.")]
        return []


def _wrong(message: str) -> Problem:
    return Problem(
        code=ProblemCode.INVALID,
        message=f"idempotencyKey cannot be used. {message}",
        field=["idempotencyKey"],
    )
