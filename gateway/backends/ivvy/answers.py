"""What iVvy's answers say: which are successes, and the problem that a failure comes to.

Two channels of failure: an error object (errorCode, message, specificCode, additionalMessages),
and HTTP 200 with success false (iVvy: "Exceptions"; contract: ivvy sections 3.1, 3.2).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gateway.backends.ivvy.ids import is_id, is_number
from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.calls import Reply

OK, REDIRECTS, CLIENT_ERRORS, NOT_FOUND, SERVER_ERRORS = 200, 300, 400, 404, 500

STALE = "23005"
"""The request's time was more than five minutes off."""

_NOT_FOUND = frozenset(
    {"24096", "24153", "24216", "24228", "24222", "24304", "24320", "24325", "24376", "24381"}
    | {"24434", "24441", "24105", "24115"}
)
"""specificCodes that mean an unknown id; the errorCode beside them is mostly not documented."""

_BY_ERROR_CODE: Mapping[str, ProblemCode] = {
    "400": ProblemCode.INVALID,
    "401": ProblemCode.UNAUTHORIZED,
    "403": ProblemCode.FORBIDDEN,
    "404": ProblemCode.NOT_FOUND,
    "405": ProblemCode.INVALID,
    "406": ProblemCode.INVALID,
    # A quota, or two writes that collided: iVvy answers a race with 429 as well, so waiting helps.
    "429": ProblemCode.RATE_LIMITED,
    # Unknown, and a request that failed: whether it took effect is not said.
    "460": ProblemCode.BACKEND_ERROR,
    "461": ProblemCode.BACKEND_ERROR,
    "462": ProblemCode.UNAUTHORIZED,
    "463": ProblemCode.UNAUTHORIZED,
    "503": ProblemCode.UNAVAILABLE,
}
"""By errorCode, which is the HTTP status as well; any other errorCode is BACKEND_ERROR."""


_REFUSED_PARAMETER = re.compile(r"'(\w+)' (?:does not validate|is required)\b.*", re.DOTALL)
"""What iVvy says with 23016 and 23017."""
_INPUT_FIELDS = {
    **{name: name for name in ("externalId", "email", "firstName", "lastName", "phone")},
    **{name: name for name in ("smsStatus", "externalUrls", "privacyConsent")},
    "status": "emailStatus",
}
"""The parameters of a contact that one input field alone fills."""


def blamed_field(problem: Problem) -> list[str]:
    """The field of a contact's input that iVvy refuses, where it names one."""
    named = _REFUSED_PARAMETER.fullmatch(problem.backend_message or "")
    field = _INPUT_FIELDS.get(named[1]) if named else None
    return [] if field is None else [field]


def explain(reply: Reply) -> Problem | None:
    """The problem that an answer reports; None where it reports none."""
    body = reply.body
    if isinstance(body, dict) and body.get("errorCode") is not None:
        return _error_object(reply, body)
    if not OK <= reply.status < REDIRECTS:
        return _bare_status(reply)
    if isinstance(body, dict) and body.get("success") in (False, "false"):
        said = str(body.get("message") or "")
        return _problem(
            ProblemCode.INVALID, f"iVvy refused it: {said or 'it gives no reason'}", None, said
        )
    return None


def _error_object(reply: Reply, body: Mapping[str, Any]) -> Problem:
    """The problem of an error object; its codes come as numbers or as text."""
    error, specific = str(body["errorCode"]), body.get("specificCode")
    specific = None if specific is None else str(specific)
    more = body.get("additionalMessages")
    texts = (body.get("message"), *(more if isinstance(more, list) else [more]))
    said = ". ".join(str(text).rstrip(".") for text in texts if text)
    if specific == STALE:
        return _problem(
            ProblemCode.UNAUTHORIZED,
            "iVvy found the request's time more than 5 minutes off: check this machine's clock.",
            specific,
            said,
        )
    code = _BY_ERROR_CODE.get(error, ProblemCode.BACKEND_ERROR)
    if specific in _NOT_FOUND:
        code = ProblemCode.NOT_FOUND
    return _problem(code, f"iVvy {_DOES[code]}: {said or reply.excerpt}", specific or error, said)


_DOES: Mapping[ProblemCode, str] = {
    ProblemCode.INVALID: "refused it",
    ProblemCode.NOT_FOUND: "has no such record",
    ProblemCode.UNAUTHORIZED: "refused the gateway's credentials",
    ProblemCode.FORBIDDEN: "denies the gateway's key this call",
    ProblemCode.RATE_LIMITED: "takes no more calls now, or two writes collided",
    ProblemCode.UNAVAILABLE: "cannot serve now",
    ProblemCode.BACKEND_ERROR: "failed",
}


def _bare_status(reply: Reply) -> Problem:
    """The problem of an HTTP status without iVvy's error object."""
    shown = f"HTTP {reply.status}: {reply.excerpt or 'no body'}"
    if reply.status == NOT_FOUND and isinstance(reply.body, dict):
        return _problem(ProblemCode.NOT_FOUND, f"iVvy has no such record: {shown}", "404")
    if reply.status < CLIENT_ERRORS or reply.status == NOT_FOUND:
        # iVvy's own failures carry an error object; a page or a redirect comes from elsewhere.
        return _problem(
            ProblemCode.UNAVAILABLE,
            f"No iVvy answers at the configured address, is the base URL right? {shown}",
        )
    code = _BY_ERROR_CODE.get(str(reply.status))
    if code is None:
        refused = reply.status < SERVER_ERRORS
        code = ProblemCode.INVALID if refused else ProblemCode.BACKEND_ERROR
    return _problem(code, f"iVvy {_DOES[code]}: {shown}", str(reply.status))


def unreadable(reply: Reply) -> Problem:
    """The problem of an answer that reports success and is not what the call should bring."""
    return _problem(
        ProblemCode.BACKEND_ERROR,
        f"iVvy answered what it should not (HTTP {reply.status}): {reply.excerpt or 'no body'}",
    )


def not_asked(what: str, refusal: Problem) -> Problem:
    """The problem of a look-up that was refused: it says nothing of whether the record exists."""
    return Problem(
        backend=Backend.IVVY,
        code=ProblemCode.BACKEND_ERROR,
        message=f"iVvy could not be asked for {what}: {refusal.message}",
        backend_code=refusal.backend_code,
        backend_message=refusal.backend_message,
        retryable=True,
    )


def another(record: Any, reply: Reply) -> Problem | None:
    """The problem of an update that is answered with the id of another record than `record`.

    Whether iVvy has changed the one, the other or neither is not to be seen from it.
    """
    answered = str(reply.body["id"])
    if answered == str(record):
        return None
    return _problem(
        ProblemCode.BACKEND_ERROR,
        f"iVvy was asked to change record {record} and answered with the id {answered}: which one it "
        "has changed, if any, is not known. Look at both there.",
    )


def group_refusal(contacts: Sequence[Any], group: int, reply: Reply) -> Problem | None:
    """The problem of a group call that did not take in or let go one of its contacts.

    Each contact has its own outcome, under HTTP 200 (iVvy: "Add Contacts To Subscription Group").
    """
    outcomes = {str(row["contactId"]): row.get("status") for row in reply.body}
    for contact in map(str, contacts):
        if contact not in outcomes:
            return unreadable(reply)
        if outcomes[contact] not in (True, "true"):
            return _problem(
                ProblemCode.INVALID,
                f"iVvy did not change contact {contact}'s membership of group {group}, and gives "
                "no reason: check that the contact and the group exist.",
            )
    return None


def _problem(
    code: ProblemCode, message: str, backend_code: str | None = None, said: str | None = None
) -> Problem:
    return Problem(
        backend=Backend.IVVY,
        code=code,
        message=message,
        backend_code=backend_code,
        backend_message=said or None,
    )


# ---------------------------------------------------------------- what a success looks like


REF = "ref"
"""The one key that is no number: the caller chooses it."""

_PARTS: Mapping[str, str] = {
    "groups": "groupId",
    "customFields": "fieldId",
    "externalUrls": REF,
    "companiesData": "id",
    "subtypes": "id",
    "reasons": "id",
}
"""The lists inside a record, by the key that each of their rows has."""


_LEAD_IDS = (
    "typeId",
    "subtypeId",
    "stageId",
    "stageReasonId",
    "sourceId",
    "qualityId",
    "channelId",
)
_LEAD_PARTIES = ("contact", "company", "ownerUser")


def _has_id(body: Any) -> bool:
    return isinstance(body, dict) and is_number(body.get("id")) and is_id(str(body["id"]))


def _record(body: Any) -> bool:
    return _has_id(body) and _sound(body)


def _sound(record: Mapping[str, Any]) -> bool:
    """Whether what should be a list in a record is one, or null, which is an empty one."""
    companies = record.get("companies")
    return (companies in (None, "") or isinstance(companies, list)) and all(
        _keyed(record[part], key) for part, key in _PARTS.items() if record.get(part)
    )


def _keyed(rows: Any, key: str) -> bool:
    return isinstance(rows, list) and all(
        isinstance(row, dict)
        and (row.get(key) is not None if key == REF else is_number(row.get(key)))
        for row in rows
    )


def _array_of(key: str) -> Callable[[Any], bool]:
    return lambda body: _keyed(body, key)


def _collection(body: Any) -> bool:
    if not isinstance(body, dict):
        return False
    rows = body.get("results")
    if rows is None:
        meta = body.get("meta")
        return isinstance(meta, dict) and str(meta.get("totalResults")) == "0"
    return _keyed(rows, "id") and all(map(_sound, rows))


def _leads(body: Any) -> bool:
    return _collection(body) and all(map(_points_well, body.get("results") or []))


def _points_well(lead: Mapping[str, Any]) -> bool:
    """Whether what should be an id in a lead is one, or none."""
    parties = (lead.get(name) for name in _LEAD_PARTIES)
    held = [party.get("id") for party in parties if isinstance(party, dict)]
    held += [lead.get(name) for name in _LEAD_IDS]
    return all(one in (None, "") or is_number(one) for one in held)


def _accepted(body: Any) -> bool:
    return isinstance(body, dict) and bool(body.get("asyncId"))


def _progress(body: Any) -> bool:
    try:
        return isinstance(body, dict) and float(body["progress"]) >= 0
    except (KeyError, TypeError, ValueError):
        return False


def _batch_results(body: Any) -> bool:
    rows = body.get("results") if isinstance(body, dict) else None
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


ANSWERS: Mapping[str, Callable[[Any], bool]] = {
    "getContact": _record,
    "getCompany": _record,
    "addOrUpdateContact": _has_id,
    "addOrUpdateLead": _has_id,
    "run": _accepted,
    "progress": _progress,
    "results": _batch_results,
    "addContactsToSubscriptionGroup": _array_of("contactId"),
    "removeContactsFromSubscriptionGroup": _array_of("contactId"),
    "getSubscriptionGroupList": _array_of("id"),
    "getCustomFieldDefinition": _array_of("fieldId"),
    "getCompanyCustomFieldDefinition": _array_of("fieldId"),
    "getLeadList": _leads,
    **dict.fromkeys(
        (
            *("getContactList", "getCompanyList"),
            *("getLeadTypeList", "getLeadStageList", "getLeadSourceList"),
            *("getLeadQualityList", "getLeadChannelList", "getIndustryList", "getUserList"),
        ),
        _collection,
    ),
}
"""What a call's success looks like, by its action: no envelope is common to all."""
