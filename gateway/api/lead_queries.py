"""The queries about leads."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.account import Account
from gateway.api.context import Info
from gateway.api.lead_types import Lead, LeadKey, LeadOptions
from gateway.api.refusals import failed, refusal, wrong
from gateway.backends.leads import Leads
from gateway.errors import BackendFailure
from gateway.lead_checks import LEADS_IN
from gateway.model import title
from gateway.results import Problem, ProblemCode


def not_configured() -> Problem:
    """The problem of a gateway without the system that holds leads."""
    return Problem(
        backend=LEADS_IN,
        code=ProblemCode.NOT_CONFIGURED,
        message="The gateway has no credentials for iVvy, the system that holds leads.",
    )


def holding_leads(account: Account) -> Leads:
    """The leads of the backend that holds leads; raises a GraphQL error where there is none."""
    if account.leads is None:
        raise refusal(ProblemCode.NOT_CONFIGURED, not_configured().message)
    return account.leads


async def read_lead(
    info: Info,
    by: Annotated[LeadKey, strawberry.argument(description="The key to find it by.")],
) -> Lead | None:
    """One lead, and nothing of what it points to that is not selected."""
    context = info.context
    leads, links = holding_leads(context.account), context.account.links
    for name, key in (("externalId", by.external_id), ("ivvyId", by.ivvy_id)):
        if key is not None and not str(key.value).strip():
            raise wrong(f"{name} is empty: give the key of the lead.")
    try:
        if by.external_id is not None:
            external_id: str | None = str(by.external_id.value)
            lead_id = await links.lead_of(str(external_id))
        else:
            lead_id = str(by.ivvy_id.value).strip() if by.ivvy_id else ""
            if not leads.can_be_id(lead_id):
                raise wrong(f"{lead_id!r} is no id of {title(leads.backend)}'s.")
            external_id = await links.external_id_of(lead_id)
        if lead_id is None:
            return None
        stored = await leads.read(lead_id, context.exchange())
    except BackendFailure as failure:
        raise failed(failure.problem) from failure
    return None if stored is None else Lead.of(leads.read_lead(stored), external_id)


def read_lead_options(info: Info) -> LeadOptions | None:
    """The lists, each of which is read when it is selected."""
    return LeadOptions(backend=holding_leads(info.context.account).backend)
