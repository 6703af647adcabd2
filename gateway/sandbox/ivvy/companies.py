"""Companies: addOrUpdateCompany's rules and the two read calls (contract: section 5.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.ivvy import contacts, customfields, externalurls, filters
from gateway.sandbox.ivvy.errors import ApiError, RefusedError
from gateway.sandbox.ivvy.paging import page
from gateway.sandbox.ivvy.parameters import (
    NULL_COUNTS,
    Parameter,
    address,
    boolean,
    email,
    mapping,
    number,
    one_of,
    read,
    text,
    whole_number,
)
from gateway.sandbox.ivvy.store import fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sandbox.ivvy.store import Row, Store

NOT_FOUND: Final = 24153

_TEXTS: Final = ("tradingName", "businessNumber", "phone", "otherPhone", "fax", "website")
_COMMISSIONS: Final = tuple(
    f"commission{kind}" for kind in ("Space", "Food", "Beverage", "AudioVisual", "Accommodation")
)
# The writing names of the commission keys are read back too: three spellings are documented, and
# this one is the notification's (contract: section 5.6).
_PLAIN: Final = (
    *("businessName", *_TEXTS, "email", "iataNumber", "address", "isAgent", "industryId"),
    *("primaryContactId", "primaryAccountManagerId", "secondaryAccountManagerId"),
    *_COMMISSIONS,
    *(f"{name}Type" for name in _COMMISSIONS),
)

PARAMETERS: Final = (
    Parameter(name="id", convert=whole_number),
    Parameter(name="businessName", convert=text, required="create"),
    Parameter(name="updateIfExists", convert=boolean),
    Parameter(name="externalId", convert=text),
    *(Parameter(name=name, convert=text) for name in _TEXTS),
    Parameter(name="email", convert=email),
    Parameter(name="iataNumber", convert=text),
    Parameter(name="address", convert=address),
    Parameter(name="primaryContactId", convert=whole_number),
    Parameter(name="primaryContact", convert=mapping),
    Parameter(name="primaryAccountManagerId", convert=whole_number),
    Parameter(name="secondaryAccountManagerId", convert=whole_number),
    Parameter(name="industryId", convert=whole_number),
    Parameter(name="isAgent", convert=one_of(0, 1)),
    *(Parameter(name=name, convert=number) for name in _COMMISSIONS),
    *(Parameter(name=f"{name}Type", convert=one_of(1, 2)) for name in _COMMISSIONS),
    Parameter(name="customFields", convert=customfields.given_values("value")),
    Parameter(name="externalUrls", convert=externalurls.entries, null=NULL_COUNTS),
)

FILTERABLE: Final = filters.Filterable(
    fields=frozenset(("id", "externalId", "businessName", *_TEXTS, "email", "iataNumber"))
    - {"otherPhone"}
    | {"modifiedDate", "isAgent", "parentCompanyId"},
    special=filters.MODIFIED,
)
# Which table a reference must be found in, for the sentence of the refusal.
_REFERENCES: Final[Mapping[str, tuple[str, str]]] = {
    "primaryContactId": ("contacts", "Contact"),
    "primaryAccountManagerId": ("users", "User"),
    "secondaryAccountManagerId": ("users", "User"),
    "industryId": ("industries", "Industry"),
}


def blank(stamp: str) -> Row:
    """Give a new company without any value."""
    return {
        "externalId": None,
        **dict.fromkeys(_PLAIN),
        "isAgent": 0,
        "address": {},
        "customFields": {},
        "externalUrls": [],
        "parentCompanyId": None,
        "venueIds": [],
        "venueGroupIds": [],
        "createdDate": stamp,
        "modifiedDate": stamp,
    }


def save(store: Store, params: Mapping[str, Any]) -> tuple[Row, bool]:
    """Add or update one company with its inline contact; gives the row and whether it is new.

    Raises ApiError for a bad parameter and RefusedError for a broken rule.
    """
    creating = params.get("id") is None
    given = read(params, PARAMETERS, store.switches, creating=creating)
    stored = _existing(store, given) if creating else store.get("companies", given["id"])
    if stored is None and not creating:
        # ASSUMED: as for contacts.
        raise RefusedError(f"Company {given['id']} does not exist")
    row = _laid_over(store, stored or blank(store.stamp()), given)
    if stored is None:
        customfields.check_required(
            store, "companyFields", row["customFields"], "custom_fields_required"
        )
        row = store.add("companies", row)
    else:
        store.put("companies", row)
    if given.get("primaryContact"):
        row = _with_inline_contact(store, row, given["primaryContact"])
    return row, stored is None


def _existing(store: Store, given: Row) -> Row | None:
    """Give the company that a create without id updates instead: the one of that businessName."""
    updates = given.get("updateIfExists", False)
    exact = store.switches["match_case"] == "exact"
    matches = [
        row
        for row in store.tables["companies"].candidates("businessName", given["businessName"]) or []
        if not row.get("deleted")
        and (
            row["businessName"] == given["businessName"]
            if exact
            else fold(row["businessName"]) == fold(given["businessName"])
        )
    ]
    if matches and not updates and store.switches["duplicate_company"] == "refuse":
        raise RefusedError("A company with this business name already exists")
    # ASSUMED: without updateIfExists a second company of one name is made.
    return contacts.one_match(store, matches, "company") if matches and updates else None


def _laid_over(store: Store, stored: Row, given: Row) -> Row:
    row = {**stored, "modifiedDate": store.stamp()}
    empty = blank("")
    for key in _PLAIN:
        if key in given:
            row[key] = empty[key] if given[key] is None else given[key]
    for key, (table, kind) in _REFERENCES.items():
        if given.get(key) is not None and store.get(table, given[key]) is None:
            raise RefusedError(f"{kind} {given[key]} does not exist")
    if "externalId" in given:
        row["externalId"] = given["externalId"] or None
    if given.get("customFields") is not None:
        row["customFields"] = customfields.laid_over(
            store, "companyFields", stored["customFields"], given["customFields"]
        )
    if "externalUrls" in given:
        row["externalUrls"] = externalurls.laid_over(
            store, stored["externalUrls"], given["externalUrls"]
        )
    return row


def _with_inline_contact(store: Store, row: Row, body: Row) -> Row:
    """Add or update the primary contact. ASSUMED: it becomes a contact of the company."""
    contact, _ = contacts.save(store, body)
    join(store, contact, row["id"])
    return store.put("companies", {**row, "primaryContactId": contact["id"]})


def join(store: Store, contact: Row, company_id: int) -> Row:
    """Make the contact one of the company's, if it is not."""
    if company_id in contact["companies"]:
        return contact
    return store.put("contacts", {**contact, "companies": [*contact["companies"], company_id]})


def listed(store: Store, row: Row) -> Row:
    """Give a company as getCompanyList shows it: without otherPhone and externalUrls.

    Managers, industry and primary contact are objects, as the tables and the 2024 notification
    have them, not the plain texts of one sample.
    """
    person = ("id", "firstName", "lastName", "email")
    plain = ("id", "externalId", "businessName", "tradingName", "businessNumber", "phone", "fax")
    return {
        **{key: row[key] for key in (*plain, "website", "email", "address")},
        "modifiedDate": f"{row['modifiedDate']} UTC",
        "primaryAccountManager": part(store, "users", row["primaryAccountManagerId"], person),
        "secondaryAccountManager": part(store, "users", row["secondaryAccountManagerId"], person),
        "industry": part(store, "industries", row["industryId"], ("id", "name")),
        "primaryContact": part(store, "contacts", row["primaryContactId"], (*person, "phone")),
        "isAgent": row["isAgent"],
        "parentCompanyId": row["parentCompanyId"],
        # The tree of parent companies; the sandbox has no subsidiaries.
        "leftValue": 1,
        "rightValue": 2,
        "depth": 0,
        "rootId": row["id"],
        **{key: row[key] for name in _COMMISSIONS for key in (name, f"{name}Type")},
        "iataNumber": row["iataNumber"],
        "customFields": customfields.shown(store, "companyFields", row["customFields"]),
    }


def part(store: Store, table: str, key: int | None, keys: tuple[str, ...]) -> Row | None:
    """Give some fields of a referenced row, or None."""
    row = None if key is None else store.get(table, key)
    return None if row is None else {name: row[name] for name in keys}


def get_company(store: Store, params: Mapping[str, Any]) -> Row:
    """Answer getCompany: a bare object, or 24153."""
    table = (Parameter(name="id", convert=whole_number, required="always"),)
    row = store.get("companies", read(params, table, store.switches)["id"])
    if row is None:
        raise ApiError(400, NOT_FOUND, "Company not found")
    more = {key: row[key] for key in ("otherPhone", "externalUrls")}
    return {**listed(store, row), **more}


def get_company_list(store: Store, params: Mapping[str, Any]) -> Row:
    """Answer getCompanyList."""
    return page(store, "companies", params, lambda row: listed(store, row), FILTERABLE)


def add_or_update_company(store: Store, params: Mapping[str, Any]) -> Row:
    """Answer addOrUpdateCompany: `{success, id}` for a new one, `{id}` for an update."""
    row, created = save(store, params)
    success = created or store.switches["write_answer"] == "success"
    return contacts.written(row["id"], success=success)


def get_company_custom_field_definition(store: Store, _params: Mapping[str, Any]) -> list[Row]:
    """Answer getCompanyCustomFieldDefinition."""
    return customfields.definitions(store, "companyFields")
