"""iVvy's dialect: the signature of each try, the calls that are used, and what answers mean."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gateway.backends.ivvy.answers import (
    ANSWERS,
    another,
    blamed_field,
    explain,
    group_refusal,
    unreadable,
)
from gateway.backends.ivvy.clock import with_offset
from gateway.backends.ivvy.signature import API_VERSION, content_md5, signature
from gateway.calls import Call, Safety
from gateway.model import Backend

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.calls import FromReply, Reply
    from gateway.results import Problem
    from gateway.upstream import Exchange, Sender

CONTENT_TYPE = "application/json"
"""Signed letter by letter, so it is sent exactly so."""
LENGTH_OF_DATE = len("2026-01-31 12:00:00")
"""Without the zone, which is UTC."""
PER_PAGE = 100
"""The largest page that iVvy is known to give; a larger number has no effect."""


def utc_now() -> datetime:
    """The current instant in UTC."""
    return datetime.now(UTC)


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    """An instant as IVVY-Date has it; remembered, because many calls are made in one second."""
    return datetime.fromtimestamp(second, UTC).isoformat(" ")[:LENGTH_OF_DATE]


class IvvyDialect:
    """Signs each try afresh, because a signature is good for five minutes only."""

    backend: Backend = Backend.IVVY

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        api_secret: str,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._api_secret = api_secret
        self._clock = clock

    async def authorize(
        self,
        call: Call,
        content: bytes,
        *,
        renew: bool,  # noqa: ARG002 - every try has a new time and signature anyway
        sender: Sender,  # noqa: ARG002 - no token has to be fetched
        exchange: Exchange,  # noqa: ARG002 - likewise
    ) -> Mapping[str, str]:
        """The headers of one try. What is signed starts at /api/1.0/, whatever the base URL has."""
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Content-MD5": content_md5(content),
            "IVVY-Date": _date(int(self._clock().timestamp())),
        }
        signed = signature(self._api_secret, content, call.target, headers)
        headers["X-Api-Authorization"] = f"IWS {self._api_key}:{signed}"
        return headers

    def judge(self, call: Call, reply: Reply) -> Problem | None:
        """What is wrong with an answer, by all the signals that iVvy gives.

        Either channel of failure counts: an error object, by its presence and not by the HTTP
        status, and success false. An answer with an id and no `success` is a success (ASSUMED: the
        vendor's examples of updates look so).
        """
        problem, action = explain(reply), action_of(call)
        if problem is not None:
            if action == SAVE_CONTACT:
                problem.field = blamed_field(problem)
            return with_offset(problem, reply, self._clock())
        if not ANSWERS[action](reply.body):
            return unreadable(reply)
        if action in GROUP_ACTIONS:
            return group_refusal(call.body["contacts"], call.body["group"], reply)
        if action in SAVES and "id" in call.body:
            return another(call.body["id"], reply)
        return None

    def route(self, call: Call) -> str:
        """The namespace and the action, which are ours; what is asked for stands in the body."""
        return f"{call.path}?action={action_of(call)}"

    def batch_size(self, call: Call) -> int | None:
        """The jobs of a batch."""
        jobs = call.body.get("jobs")
        return len(jobs) if isinstance(jobs, list) else None


# ---------------------------------------------------------------- the calls


def call(
    namespace: str,
    action: str,
    body: Mapping[str, Any],
    safety: Safety = Safety.READ,
    carries: tuple[str, ...] = (),
) -> Call:
    """A call of iVvy; reads are POST as well."""
    return Call(
        method="POST",
        path=f"/api/{API_VERSION}/{namespace}",
        query=(("action", action),),
        body=dict(body),
        safety=safety,
        carries=carries,
    )


def action_of(made: Call) -> str:
    """The action of a call that was made here."""
    return made.query[0][1]


def get_contact(contact_id: str) -> Call:
    """One contact with everything that iVvy shows."""
    return call("contact", "getContact", {"id": int(contact_id)})


def list_contacts(field: str, value: str, start: int) -> Call:
    """The contacts whose `field` equals `value`, without status, smsStatus and externalUrls."""
    return listing("contact", "getContactList", start, {field: value})


def listing(
    namespace: str, action: str, start: int, chosen: Mapping[str, Any] | None = None
) -> Call:
    """One page of a list; `start` counts records, not pages."""
    body: dict[str, Any] = {"perPage": PER_PAGE, "start": start}
    if chosen:
        body["filter"] = dict(chosen)
    return call(namespace, action, body)


def save_contact(body: Mapping[str, Any]) -> Call:
    """Create or update a contact. Only a create that must not match a stored contact is unsafe.

    ASSUMED: a create with updateIfExists, sent twice, finds at the second time what the first one
    made, by first name, last name and e-mail.
    """
    repeatable = "id" in body or body.get("updateIfExists") is True
    safety = Safety.REPEATABLE if repeatable else Safety.ONCE
    return call("contact", SAVE_CONTACT, body, safety)


def save_lead(body: Mapping[str, Any]) -> Call:
    """Create or update a lead, with its contact and company where they stand in it as objects.

    A create cannot be repeated: iVvy has no key that would tell the second one from the first.
    """
    parts = [body[key] for key in ("contact", "company") if key in body]
    repeatable = "id" in body and all(
        "id" in part or part.get("updateIfExists") is True for part in parts
    )
    safety = Safety.REPEATABLE if repeatable else Safety.ONCE
    return call("contact", SAVE_LEAD, body, safety)


def list_leads(chosen: Mapping[str, Any], start: int) -> Call:
    """The leads that a filter lets through, without customFields and industryId.

    ASSUMED: leads can be filtered by the fields of their rows; no filter is documented for them,
    and there is no call that reads one lead.
    """
    return listing("crm", "getLeadList", start, chosen)


def get_company(company_id: str) -> Call:
    """One company with everything that iVvy shows."""
    return call("contact", "getCompany", {"id": int(company_id)})


SAVE_CONTACT, SAVE_LEAD = "addOrUpdateContact", "addOrUpdateLead"
SAVES = frozenset({SAVE_CONTACT, SAVE_LEAD})
ADD_TO_GROUP = "addContactsToSubscriptionGroup"
REMOVE_FROM_GROUP = "removeContactsFromSubscriptionGroup"
GROUP_ACTIONS = frozenset({ADD_TO_GROUP, REMOVE_FROM_GROUP})


def change_group(action: str, contact: int | FromReply, group: str) -> Call:
    """One contact joins or leaves one group; its other groups stay."""
    body = {"contacts": [contact], "group": int(group)}
    carries = ("addGroupsName" if action == ADD_TO_GROUP else "removeGroupsName",)
    return call("contact", action, body, Safety.REPEATABLE, carries)
