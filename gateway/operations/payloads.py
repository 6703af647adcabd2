"""What is stored of a durable write, and the write that it means when it is delivered.

The caller's own input is kept, not what this version of the code makes of it: names are resolved,
records found and calls planned at delivery, by the version that delivers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from gateway.checks import check_contact
from gateway.lead_checks import check_lead
from gateway.lead_model import LeadInput
from gateway.model import Backend, ContactInput, MissingPolicy, WriteMode
from gateway.results import UpsertStatus
from gateway.store.operation_records import BULK_CONTACT, NewItem, NewOperation, NewStep
from gateway.stored_values import from_stored, to_stored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.lead_write import LeadWrite
    from gateway.operations.asked import Asked
    from gateway.results import Problem
    from gateway.store.operation_records import ClaimedStep, Step
    from gateway.write import ContactWrite

PAYLOAD_VERSION = 1
"""A version that this code does not know is left to the one that does."""

CONTACT, LEAD, CONTACTS = "CONTACT", "LEAD", "CONTACTS"
"""Kinds of operations."""
STEP_NAMES = frozenset({CONTACT, LEAD, BULK_CONTACT})
"""Steps by name: those of CONTACT and LEAD are called as their operations are."""


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What all items of an operation have in common."""

    mode: WriteMode
    if_missing: MissingPolicy
    targets_named: bool
    backends: list[Backend]
    """All targets: they tell each other keys and names."""
    country: str | None
    """What read national phone numbers when it was accepted."""
    request_id: str
    accepted_at: str

    @property
    def accepted(self) -> datetime:
        """When it was accepted."""
        return datetime.fromisoformat(self.accepted_at)


def shared_of(stored: Mapping[str, Any]) -> Shared:
    """An operation's payload."""
    return from_stored(Shared, stored)


def kept_step(step: Step) -> NewStep:
    """A step of an earlier operation, as it stands in one that goes on from there."""
    return NewStep(
        backend=step.backend,
        name=step.name,
        record_key=step.record_key,
        outcome=step.outcome,
        result=step.result,
    )


def new_operation(
    asked: Asked,
    kind: str,
    shared: Shared,
    records: Mapping[Backend, str],
    kept: Sequence[Step] = (),
) -> NewOperation:
    """The operation of one input; `records` has the record's key for each target to write.

    `kept` are the steps that an earlier call under the key has done.
    """
    external_id = asked.input.external_id
    item = NewItem(
        external_id=external_id.value if external_id else None,
        status=UpsertStatus.PENDING.value,
        payload={"input": to_stored(asked.input)},
        steps=[
            *map(kept_step, kept),
            *(
                NewStep(backend=backend.value, name=kind, record_key=key)
                for backend, key in records.items()
            ),
        ],
    )
    return operation_of([item], asked, kind, shared)


def operation_of(items: Sequence[NewItem], asked: Asked, kind: str, shared: Shared) -> NewOperation:
    """The operation of some inputs, as it is stored."""
    return NewOperation(
        id=uuid4().hex,
        caller=asked.caller,
        kind=kind,
        payload=to_stored(shared),
        payload_version=PAYLOAD_VERSION,
        items=items,
    )


def contact_write(
    claimed: ClaimedStep, shared: Shared | None = None
) -> tuple[ContactWrite, list[Problem]]:
    """The contact of a step, and what is wrong with it by the rules of today."""
    shared = shared or shared_of(claimed.shared)
    return check_contact(
        from_stored(ContactInput, claimed.payload["input"]),
        mode=shared.mode,
        if_missing=shared.if_missing,
        targets_named=shared.targets_named,
        targets=shared.backends,
        default_country=shared.country,
    )


def lead_write(claimed: ClaimedStep) -> tuple[LeadWrite, list[Problem]]:
    """The lead of a step, and what is wrong with it by the rules of today."""
    shared = shared_of(claimed.shared)
    return check_lead(
        from_stored(LeadInput, claimed.payload["input"]),
        mode=shared.mode,
        if_missing=shared.if_missing,
        default_country=shared.country,
    )
