"""What a lead's write comes to: its receipt, with what became of its contact and company. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.results import HAS_IT, Outcome
from gateway.upsert import Receipt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.backends.adapter import Plan
    from gateway.backends.leads import LeadPlan
    from gateway.results import BackendResult, Problem


@dataclass(kw_only=True)
class Related:
    """What became of the contact or the company of a lead."""

    outcome: Outcome
    id: str | None
    matched_by: str | None
    changed: list[str]
    ignored: list[str]


@dataclass(kw_only=True)
class LeadReceipt(Receipt):
    """What became of a lead's write."""

    contact: Related | None = None
    company: Related | None = None


def receipt_of(
    result: BackendResult,
    planned: LeadPlan | None,
    contact_id: str | None,
    input_problems: Sequence[Problem],
    *,
    rejected: bool,
) -> LeadReceipt:
    """The receipt of a lead that came to `result`; `contact_id` is that of a contact that was made."""
    receipt = LeadReceipt(
        results=[result], errors=[*input_problems, *result.errors], rejected=rejected
    )
    if planned is not None:
        receipt.contact = _related("contact", planned.contact, result, contact_id)
        receipt.company = _related("company", planned.company, result, None)
        if receipt.contact is not None and result.outcome is Outcome.PARTIAL:
            receipt.contact.outcome = Outcome.PARTIAL  # what comes after the lead is its groups
    return receipt


def _related(
    name: str, plan: Plan | None, result: BackendResult, made: str | None
) -> Related | None:
    """What became of a record whose write is part of the lead's."""
    if plan is None:
        return None
    done = result.outcome in HAS_IT or result.outcome is Outcome.PARTIAL
    shown = done or result.outcome is Outcome.PLANNED
    told = result.changed_fields
    return Related(
        outcome=plan.outcome if done else result.outcome,
        id=plan.id or made,
        matched_by=plan.matched_by,
        changed=[field for field in plan.changed if shown and f"{name}.{field}" in told],
        ignored=list(plan.ignored),
    )
