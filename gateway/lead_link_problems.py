"""What callers are told about the externalIds of leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import title
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.backends.leads import Leads
    from gateway.store.link_records import Intent, Linked


def unknown(leads: Leads, intent: Intent, told: str, ids: list[str]) -> Problem:
    """The problem of an unanswered create; `told` is what looking for its lead brought."""
    name = title(leads.backend)
    return Problem(
        backend=leads.backend,
        code=ProblemCode.CONFLICT,
        message=(
            f"A lead was sent to {name} for externalId {intent.external_id!r} at "
            f"{intent.begun_at:%Y-%m-%d %H:%M:%S} UTC, and its answer did not come: it may or may "
            f"not be there, so no other is made.{told} Look in {name}, then give that lead's id in "
            "ivvy.id with this externalId; or, if it is not there, use another externalId."
        ),
        field=["externalId"],
        suggestions=ids,
        backend_message=intent.note,
    )


def running(leads: Leads, intent: Intent, now: datetime) -> Problem:
    """The problem of a create of somebody else's that may still be answered."""
    return Problem(
        backend=leads.backend,
        code=ProblemCode.CONFLICT,
        message=f"Another call is making the lead of externalId {intent.external_id!r}, or was "
        "ended while it did: repeat this one later.",
        field=["externalId"],
        retryable=True,
        retry_after_seconds=max(0.0, (intent.answer_by - now).total_seconds()),
    )


def other_lead(leads: Leads, native_id: str, link: Linked) -> Problem:
    """The problem of an id beside the externalId of another lead."""
    return Problem(
        backend=leads.backend,
        code=ProblemCode.CONFLICT,
        message=f"externalId {link.external_id!r} stands for lead {link.lead_id}, and ivvy.id is "
        f"{native_id!r}: give one of the two, or correct one.",
        field=["externalId"],
    )


def other_external_id(leads: Leads, native_id: str, external_id: str) -> Problem:
    """The problem of a second externalId for one lead."""
    return Problem(
        backend=leads.backend,
        code=ProblemCode.CONFLICT,
        message=f"Lead {native_id} is known by another externalId than {external_id!r}: a lead has "
        "one.",
        field=["externalId"],
    )


def dead_link(leads: Leads, link: Linked) -> Problem:
    """The problem of an externalId whose lead is gone."""
    return Problem(
        backend=leads.backend,
        code=ProblemCode.NOT_FOUND,
        message=f"externalId {link.external_id!r} stands for lead {link.lead_id} since "
        f"{link.linked_at:%Y-%m-%d}, and {title(leads.backend)} has no such lead any more: give the "
        "id of another lead in ivvy.id with this externalId, or use another externalId.",
        field=["externalId"],
    )


def somebody_else(external_id: str) -> Problem:
    """The problem of a create that somebody else has begun between our look and our intent."""
    return Problem(
        code=ProblemCode.CONFLICT,
        message=f"Another call has begun to make the lead of externalId {external_id!r}: repeat "
        "this one.",
        field=["externalId"],
        retryable=True,
    )


def not_linked(external_id: str, lead_id: str) -> Problem:
    """The warning of a lead that was made and could not be linked."""
    return Problem(
        code=ProblemCode.UNAVAILABLE,
        message=f"The gateway could not store that externalId {external_id!r} stands for lead "
        f"{lead_id}: the next call looks for it; ivvy.id with the externalId links it at once.",
        field=["externalId"],
    )


def not_storable() -> Problem:
    """The problem of an externalId that no database can hold."""
    return Problem(
        code=ProblemCode.INVALID,
        message="externalId holds a character that cannot be stored.",
        field=["externalId"],
    )


def store_is_down() -> Problem:
    """The problem of a lead while nobody can tell which one is meant."""
    return Problem(
        code=ProblemCode.UNAVAILABLE,
        message="The gateway's store, which knows the externalIds of leads, cannot be used now: "
        "nothing was sent.",
        field=["externalId"],
        retryable=True,
    )


def made_already(problem: Problem, lead_id: str) -> None:
    """Tell with a problem that the lead itself is made, and that the same call would make another."""
    problem.message = (
        f"{problem.message.rstrip('.')}. Lead {lead_id} is made. The same call would make another "
        "one: to go on, send it with that id in ivvy.id."
    )
    problem.retryable, problem.retry_after_seconds = False, None
