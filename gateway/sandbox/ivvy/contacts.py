"""Contacts: addOrUpdateContact's rules and what the two read calls show (contract: sections 5.1, 5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.ivvy import customfields, externalurls, filters, groups
from gateway.sandbox.ivvy.errors import ApiError, RefusedError
from gateway.sandbox.ivvy.paging import page
from gateway.sandbox.ivvy.parameters import (
    NULL_COUNTS,
    Parameter,
    boolean,
    email,
    objects,
    one_of,
    read,
    text,
    whole_number,
    whole_numbers,
)
from gateway.sandbox.ivvy.store import fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sandbox.ivvy.store import Row, Store

NOT_FOUND: Final = 24096
CONSENT_BY_API: Final = 5


def _group_ids(value: Any) -> list[int]:
    given = objects(value)
    if any("groupId" not in item for item in given):
        raise ValueError("Each group needs a groupId")
    return list(dict.fromkeys(whole_number(item["groupId"]) for item in given))


# In the order of the vendor's page. Email status 4 (Registering) is read only since 2022-10-20, and
# "No Marketing" is 5 for email but 4 for SMS (contract: section 5.7).
PARAMETERS: Final = (
    Parameter(name="id", convert=whole_number),
    Parameter(name="externalId", convert=text),
    Parameter(name="firstName", convert=text, required="create"),
    Parameter(name="lastName", convert=text, required="create"),
    Parameter(name="email", convert=email, required="create"),
    Parameter(name="phone", convert=text),
    Parameter(name="groups", convert=_group_ids, null="groups_null"),
    Parameter(name="customFields", convert=customfields.given_values("value")),
    Parameter(name="companies", convert=whole_numbers, null="companies_null"),
    Parameter(name="status", convert=one_of(1, 2, 3, 5)),
    Parameter(name="smsStatus", convert=one_of(1, 2, 3, 4)),
    Parameter(name="updateIfExists", convert=boolean),
    Parameter(name="externalUrls", convert=externalurls.entries, null=NULL_COUNTS),
    Parameter(name="privacyConsent", convert=boolean),
)
_SCALARS: Final = ("firstName", "lastName", "email", "phone", "status", "smsStatus")
_IDENTITY: Final = ("firstName", "lastName", "email")

FILTERABLE: Final = filters.Filterable(
    fields=frozenset(
        ("id", "firstName", "lastName", "email", "phone", "externalId", "modifiedDate")
    )
    | {"isAnonymised"},
    documented=frozenset(("externalId", "firstName")),
    special={**filters.MODIFIED, "companyId": filters.holds_id("companies")},
)


def blank(stamp: str) -> Row:
    """Give a new contact without any value. ASSUMED: both subscription statuses start at 1."""
    return {
        "externalId": None,
        "firstName": None,
        "lastName": None,
        "email": None,
        "phone": None,
        "status": 1,
        "smsStatus": 1,
        "customFields": {},
        "groups": [],
        "companies": [],
        "externalUrls": [],
        "privacyConsentData": None,
        "eventInvitations": [],
        "eventRegistrations": [],
        "isAnonymised": False,
        "venueIds": [],
        "venueGroupIds": [],
        "createdDate": stamp,
        "modifiedDate": stamp,
    }


def save(store: Store, params: Mapping[str, Any]) -> tuple[Row, bool]:
    """Add or update one contact; gives the row and whether it is new.

    Raises ApiError for a bad parameter and RefusedError for a broken rule.
    """
    creating = params.get("id") is None
    given = read(params, PARAMETERS, store.switches, creating=creating)
    stored = _existing(store, given) if creating else store.get("contacts", given["id"])
    if stored is None and not creating:
        # ASSUMED: what an unknown id does is not described.
        raise RefusedError(f"Contact {given['id']} does not exist")
    row = _laid_over(store, stored or blank(store.stamp()), given)
    if stored is None:
        customfields.check_required(
            store, "contactFields", row["customFields"], "custom_fields_required"
        )
        return store.add("contacts", row), True
    return store.put("contacts", row), False


def _existing(store: Store, given: Row) -> Row | None:
    """Give the contact that a create without id updates instead, by the triple of its identity."""
    updates = given.get("updateIfExists", False)
    policy = "update" if updates else store.switches["duplicate_contact"]
    exact = store.switches["match_case"] == "exact"
    matches = [
        row
        for row in store.tables["contacts"].candidates("email", given["email"]) or []
        if not row.get("deleted")
        and all(
            row[key] == given[key] if exact else fold(row[key]) == fold(given[key])
            for key in _IDENTITY
        )
    ]
    if not matches or policy == "create":
        return None
    if policy == "refuse":
        # ASSUMED: refused, because iVvy takes the three for a contact's identity; switch
        # `duplicate_contact`.
        raise RefusedError("A contact with this first name, last name and email already exists")
    return one_match(store, matches, "contact")


def one_match(store: Store, matches: list[Row], kind: str) -> Row:
    """Choose among the matches of updateIfExists. ASSUMED: the oldest; switch `several_matches`."""
    rule = store.switches["several_matches"]
    if len(matches) > 1 and rule == "refuse":
        raise RefusedError(f"More than one {kind} matches")
    return matches[-1] if rule == "last" else matches[0]


def _laid_over(store: Store, stored: Row, given: Row) -> Row:
    row = {**stored, "modifiedDate": store.stamp()}
    empty = blank("")
    for key in _SCALARS:
        if key in given:
            row[key] = empty[key] if given[key] is None else given[key]
    if "externalId" in given:
        # It reads null when there is none (contract: section 5.3).
        row["externalId"] = given["externalId"] or None
    if "groups" in given:
        row["groups"] = _groups(store, stored, given["groups"] or [])
    if "companies" in given:
        row["companies"] = _companies(store, stored, given["companies"] or [])
    if given.get("customFields") is not None:
        row["customFields"] = customfields.laid_over(
            store, "contactFields", stored["customFields"], given["customFields"]
        )
    if "externalUrls" in given:
        row["externalUrls"] = externalurls.laid_over(
            store, stored["externalUrls"], given["externalUrls"]
        )
    if given.get("privacyConsent") is True:
        # ASSUMED: a consent by API has source 5; the enumeration calls it "API".
        consent = {"source": CONSENT_BY_API, "dateTime": f"{store.stamp()} UTC"}
        row["privacyConsentData"] = consent
    elif "privacyConsent" in given and store.switches["privacy_consent_false"] == "clear":
        row["privacyConsentData"] = None
    return row


def _groups(store: Store, stored: Row, group_ids: list[int]) -> list[Row]:
    """Replace the whole set (documented). ASSUMED: an empty list clears it; `groups_empty`."""
    if not group_ids and store.switches["groups_empty"] == "keep":
        return list(stored["groups"])
    for group_id in group_ids:
        if store.get("groups", group_id) is None:
            raise RefusedError(f"Subscription group {group_id} does not exist")
    return groups.membership(store, stored["groups"], group_ids)


def _companies(store: Store, stored: Row, company_ids: list[int]) -> list[int]:
    # ASSUMED: a sent list replaces the stored one; switch `companies_on_update`.
    for company_id in company_ids:
        if store.get("companies", company_id) is None:
            raise RefusedError(f"Company {company_id} does not exist")
    if store.switches["companies_on_update"] == "merge":
        return list(dict.fromkeys([*stored["companies"], *company_ids]))
    return company_ids


def listed(store: Store, row: Row) -> Row:
    """Give a contact as getContactList shows it: without status, smsStatus, externalUrls, events."""
    keys = ("id", "externalId", "firstName", "lastName", "email", "phone")
    companies = [store.get("companies", key) for key in row["companies"]]
    return {
        **{key: row[key] for key in keys},
        "customFields": customfields.shown(store, "contactFields", row["customFields"]),
        "groups": [{"contactId": row["id"], **entry} for entry in row["groups"]],
        "companies": [company["id"] for company in companies if company],
        "companiesData": [
            {"id": company["id"], "businessName": company["businessName"]}
            for company in companies
            if company
        ],
        "modifiedDate": f"{row['modifiedDate']} UTC",
        "isAnonymised": row["isAnonymised"],
        "privacyConsentData": row["privacyConsentData"],
    }


def get_contact(store: Store, params: Mapping[str, Any]) -> Row:
    """Answer getContact: a bare object, or 24096."""
    table = (
        Parameter(name="id", convert=whole_number, required="always"),
        Parameter(name="useEventSortOrder", convert=boolean),
    )
    given = read(params, table, store.switches)
    row = store.get("contacts", given["id"])
    if row is None:
        raise ApiError(400, NOT_FOUND, "Contact not found")
    events = {key: list(row[key]) for key in ("eventInvitations", "eventRegistrations")}
    if given.get("useEventSortOrder"):
        for rows in events.values():
            rows.sort(key=lambda event: str(event["eventStartDateTime"]))
    more = {key: row[key] for key in ("status", "smsStatus", "externalUrls")}
    return {**listed(store, row), **more, **events}


def get_contact_list(store: Store, params: Mapping[str, Any]) -> Row:
    """Answer getContactList."""
    return page(store, "contacts", params, lambda row: listed(store, row), FILTERABLE)


def add_or_update_contact(store: Store, params: Mapping[str, Any]) -> Row:
    """Answer addOrUpdateContact; the documented sample is `{"id":33884}` for both.

    ASSUMED: no `success` beside the id; switch `write_answer`.
    """
    row, _ = save(store, params)
    return written(row["id"], success=store.switches["write_answer"] == "success")


def written(key: int, *, success: bool = True) -> Row:
    """Give the answer of a write: `{success, id}`, or the bare id."""
    return {"success": True, "id": key} if success else {"id": key}


def get_custom_field_definition(store: Store, _params: Mapping[str, Any]) -> list[Row]:
    """Answer getCustomFieldDefinition."""
    return customfields.definitions(store, "contactFields")
