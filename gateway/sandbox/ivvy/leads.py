"""Leads: addOrUpdateLead with its conditional rules, and getLeadList (contract: sections 6.1, 6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.ivvy import customfields, filters
from gateway.sandbox.ivvy.companies import part
from gateway.sandbox.ivvy.contacts import written
from gateway.sandbox.ivvy.errors import AnswerError, ApiError, explain
from gateway.sandbox.ivvy.leadlinks import LeadLinks
from gateway.sandbox.ivvy.paging import page
from gateway.sandbox.ivvy.parameters import Parameter, mapping, read, text, whole_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sandbox.ivvy.store import Row, Store

EMPTY_REQUEST: Final = 24215
NOT_FOUND: Final = 24216
INVALID: Final = 24218
FOR_LEADS: Final = 2
ACTIVE: Final = 1

# Nothing is required here: the conditions span parameters, and all that are broken come together.
PARAMETERS: Final = (
    Parameter(name="id", convert=whole_number),
    Parameter(name="name", convert=text),
    Parameter(name="sourceId", convert=whole_number),
    Parameter(name="typeId", convert=whole_number),
    Parameter(name="subtypeId", convert=whole_number),
    Parameter(name="stageId", convert=whole_number),
    Parameter(name="stageReasonId", convert=whole_number),
    Parameter(name="companyId", convert=whole_number),
    Parameter(name="company", convert=mapping),
    Parameter(name="companyLeadContactId", convert=whole_number),
    Parameter(name="contactId", convert=whole_number),
    Parameter(name="contact", convert=mapping),
    Parameter(name="industryId", convert=whole_number),
    Parameter(name="qualityId", convert=whole_number),
    Parameter(name="channelId", convert=whole_number),
    Parameter(name="ownerUserId", convert=whole_number),
    Parameter(name="description", convert=text),
    Parameter(name="customFields", convert=customfields.given_values("fieldValue")),
)
LOOKUPS: Final[Mapping[str, str]] = {
    "sourceId": "leadSources",
    "typeId": "leadTypes",
    "stageId": "leadStages",
    "qualityId": "leadQualities",
    "channelId": "leadChannels",
    "industryId": "industries",
    "ownerUserId": "users",
}
_REQUIRED: Final = ("name", "sourceId", "typeId", "stageId")
_PLAIN: Final = ("name", "description", *LOOKUPS, "subtypeId", "stageReasonId")

FILTERABLE: Final = filters.Filterable(
    fields=frozenset(("id", "name", "description", "qualityId", "stageId", "stageName"))
    | {"typeId", "type", "subtypeId", "sourceId", "sourceName", "channelId", "modifiedDate"}
    | {"createdDate", "stageReasonId"},
    documented=frozenset({"id"}),
)


def blank(stamp: str) -> Row:
    """Give a new lead without any value."""
    return {
        **dict.fromkeys(_PLAIN),
        "companyId": None,
        "contactId": None,
        "customFields": {},
        "createdDate": stamp,
        "modifiedDate": stamp,
        "adminStatusChangedDate": stamp,
    }


def add_or_update_lead(store: Store, params: Mapping[str, Any]) -> Row:
    """Answer addOrUpdateLead.

    ASSUMED: all broken rules come together as one 24218, a missing required field among them; on
    update, what is stored counts for the conditions.
    """
    if not params:
        raise ApiError(400, EMPTY_REQUEST, "The request is empty")
    given = read(params, PARAMETERS, store.switches)
    creating = "id" not in given
    stored = blank(store.stamp()) if creating else store.get("leads", given["id"])
    if stored is None:
        raise ApiError(400, NOT_FOUND, "The lead does not exist")
    row = _laid_over(store, stored, given)
    links = LeadLinks(store, given, stored)
    row.update(links.settle(creating=creating))
    problems = [
        *(f"{name} is required" for name in _REQUIRED if row[name] in (None, "")),
        *_lookup_problems(store, given, stored),
        *_type_problems(store, row),
        *_stage_problems(store, row),
        *links.problems,
        *_industry_problems(store, row, of_company=links.of_company),
    ]
    try:
        values = given.get("customFields") or []
        row["customFields"] = customfields.laid_over(
            store, "leadFields", stored["customFields"], values
        )
        if creating:
            customfields.check_required(
                store, "leadFields", row["customFields"], "lead_fields_required"
            )
    except AnswerError as error:
        problems += explain(error)
    if problems:
        raise ApiError(400, INVALID, "The lead details are invalid", problems)
    saved = store.add("leads", row) if creating else store.put("leads", row)
    return written(saved["id"])


def _laid_over(store: Store, stored: Row, given: Row) -> Row:
    row = {**stored, "modifiedDate": store.stamp()}
    row.update({key: given[key] for key in _PLAIN if key in given})
    if store.switches["owner_change"] == "ignore":
        row["ownerUserId"] = stored["ownerUserId"]
    # ASSUMED: a sub type or reason does not outlive its type or stage.
    if row["typeId"] != stored["typeId"] and "subtypeId" not in given:
        row["subtypeId"] = None
    if row["stageId"] != stored["stageId"]:
        row["adminStatusChangedDate"] = store.stamp()
        if "stageReasonId" not in given:
            row["stageReasonId"] = None
    return row


def _lookup_problems(store: Store, given: Row, stored: Row) -> list[str]:
    """ASSUMED: an id that is in no lookup makes the lead invalid, and so does an inactive owner."""
    problems = []
    for key, table in LOOKUPS.items():
        if given.get(key) is not None and store.get(table, given[key]) is None:
            problems.append(f"{key} {given[key]} does not exist")
    owner = store.get("users", given.get("ownerUserId"))
    if owner is not None and owner["currentStatus"] != ACTIVE:
        problems.append(f"ownerUserId {owner['id']} is not active")
    changes = "ownerUserId" in given and given["ownerUserId"] != stored["ownerUserId"]
    if changes and store.switches["owner_change"] == "refuse":
        problems.append("The user of the api key may not change the owner")
    return problems


def _type_problems(store: Store, row: Row) -> list[str]:
    """Check that a type with sub types has one of them (required since 2026-02-02)."""
    kind = store.get("leadTypes", row["typeId"])
    subtypes = [entry["id"] for entry in kind["subtypes"]] if kind else []
    if row["subtypeId"] is None:
        return ["subtypeId is required, because the type has sub types"] if subtypes else []
    if kind is not None and row["subtypeId"] not in subtypes:
        return [f"subtypeId {row['subtypeId']} does not belong to the type"]
    return []


def _stage_problems(store: Store, row: Row) -> list[str]:
    """ASSUMED: an opportunity's stage and another stage's reason make the lead invalid."""
    stage = store.get("leadStages", row["stageId"])
    if stage is None:
        return []
    problems = []
    if stage["applyTo"] != FOR_LEADS:
        problems.append(f"stageId {stage['id']} does not apply to leads")
    reasons = [reason["id"] for reason in stage["reasons"]]
    if row["stageReasonId"] is not None and row["stageReasonId"] not in reasons:
        problems.append(f"stageReasonId {row['stageReasonId']} does not belong to the stage")
    return problems


def _industry_problems(store: Store, row: Row, *, of_company: bool) -> list[str]:
    # Required for a contact's lead. ASSUMED: not for a company's; `industry_for_company_leads`.
    if row["industryId"] is not None:
        return []
    if of_company and not store.switches["industry_for_company_leads"]:
        return []
    return ["industryId is required"]


def listed(store: Store, row: Row) -> Row:
    """Give a lead as getLeadList shows it: without customFields and industryId."""
    person = ("id", "firstName", "lastName", "email", "phone")
    business = ("id", "businessName", "businessNumber", "phone", "email")
    contact = part(store, "contacts", row["contactId"], person)
    if contact and store.switches["lead_phone_as_number"]:
        digits = "".join(filter(str.isdecimal, contact["phone"] or ""))
        contact["phone"] = int(digits) if digits else None
    quality, stage, kind, source, channel = (
        store.get(table, row[key]) or {}
        for key, table in (
            ("qualityId", "leadQualities"),
            ("stageId", "leadStages"),
            ("typeId", "leadTypes"),
            ("sourceId", "leadSources"),
            ("channelId", "leadChannels"),
        )
    )
    reasons = {entry["id"]: entry["reason"] for entry in stage.get("reasons", [])}
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "ownerUser": part(store, "users", row["ownerUserId"], person),
        "contact": contact,
        # ASSUMED: null for a contact's lead.
        "company": part(store, "companies", row["companyId"], business),
        "currentBookingId": None,
        "qualityId": row["qualityId"],
        "quality": quality.get("label"),
        "stageId": row["stageId"],
        "stageName": stage.get("name"),
        "stageReasonId": row["stageReasonId"],
        "stageReasonName": reasons.get(row["stageReasonId"]),
        "adminStatusChangedDate": f"{row['adminStatusChangedDate']} UTC",
        "typeId": row["typeId"],
        "type": kind.get("type"),
        "subtypeId": row["subtypeId"],
        "sourceId": row["sourceId"],
        "sourceName": source.get("name"),
        "channelId": row["channelId"],
        "channelName": channel.get("name"),
        "leadBccEmail": f"lead-{row['id']}@example.com",
        "closedDate": None,
        "lostToCompetition": False,
        "createdDate": f"{row['createdDate']} UTC",
        "modifiedDate": f"{row['modifiedDate']} UTC",
    }


def get_lead_list(store: Store, params: Mapping[str, Any]) -> Row:
    """Answer getLeadList. There is no getLead: one lead is read by `filter.id` (ASSUMED to work)."""
    return page(store, "leads", params, lambda row: listed(store, row), FILTERABLE)
