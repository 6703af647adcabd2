"""The groups and companies of a contact: lists that override, and calls for single groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.backends.ivvy import client
from gateway.entries import CatalogName
from gateway.memberships import Memberships, memberships, unknown_ids
from gateway.model import Backend
from gateway.names import Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.calls import Call, FromReply
    from gateway.fields import Laid
    from gateway.names import Resolution
    from gateway.write import ContactWrite

NATIVE_GROUPS = "ivvy.group_ids"
NATIVE_COMPANIES = "ivvy.company_ids"
NATIVE_IDS = {NATIVE_GROUPS: CatalogName.GROUPS, NATIVE_COMPANIES: CatalogName.COMPANIES}
BY_NAME, BY_ID = "companiesName", "ivvy.companyIds"
"""What receipts call a contact's companies."""


def wanted_companies(write: ContactWrite) -> list[Wanted]:
    """The company names, and the catalog that company ids are checked against."""
    by_id = write.given(NATIVE_COMPANIES)
    if by_id is not None:
        ids = [str(company) for company in by_id.value or []]
        return [Wanted(catalog=CatalogName.COMPANIES, entry_id=company) for company in ids]
    return [
        Wanted(
            catalog=CatalogName.COMPANIES,
            name=name,
            field=tuple(write.field_path("companies_name", place)),
        )
        for place, name in enumerate(write.items("companies_name"))
    ]


def stored_groups(raw: Mapping[str, Any] | None) -> list[str]:
    """The ids of the groups that a contact is in."""
    return [str(row["groupId"]) for row in (raw.get("groups") if raw else None) or []]


def lay_groups(
    laid: Laid, write: ContactWrite, current: Sequence[str], resolution: Resolution
) -> Memberships:
    """Add the exact set of groups, which overrides; single groups are joined and left by calls."""
    asked = memberships(write, resolution, Backend.IVVY, NATIVE_GROUPS)
    laid.ignored += asked.ignored
    laid.problems += asked.problems
    laid.changed += asked.changed(current)
    if asked.exact is not None and not asked.problems and set(asked.exact) != set(current):
        laid.values["groups"] = [{"groupId": int(group)} for group in asked.exact]
    return asked


def lay_companies(
    laid: Laid,
    write: ContactWrite,
    raw: Mapping[str, Any] | None,
    resolution: Resolution,
    linked_to: str | None = None,
) -> None:
    """Add the companies as a whole; ids win over names.

    `linked_to` is one that the contact is linked to whatever its own input says.
    """
    by_id, by_name = write.given(NATIVE_COMPANIES), write.get("companies_name")
    if by_id is not None:
        label, ids = BY_ID, [str(company) for company in by_id.value or []]
        unknown = unknown_ids(
            write, resolution, Backend.IVVY, CatalogName.COMPANIES, NATIVE_COMPANIES, ids
        )
        laid.problems += unknown
        if write.given("companies_name") is not None:
            laid.ignored.append(BY_NAME)
        if unknown:
            return
    elif by_name is not None:
        label = BY_NAME
        found = [resolution.id(CatalogName.COMPANIES, name) for name in by_name.value or []]
        ids = [company for company in found if company is not None]
    else:
        return
    if linked_to is not None:
        ids = [*ids, linked_to]
    current = (raw.get("companies") if raw else None) or []
    if set(ids) != {str(company) for company in current}:
        laid.values["companies"] = [int(company) for company in dict.fromkeys(ids)]
        laid.changed.append(label)


def tell_of_link(changed: list[str]) -> None:
    """Tell that a stored contact gets a company by the lead that links the two."""
    if BY_NAME not in changed and BY_ID not in changed:
        changed.append(BY_NAME)


def group_calls(
    contact: int | FromReply, joins: Sequence[str], leaves: Sequence[str]
) -> list[Call]:
    """The calls by which a contact joins and leaves single groups, one for each."""
    return [
        *[client.change_group(client.ADD_TO_GROUP, contact, group) for group in joins],
        *[client.change_group(client.REMOVE_FROM_GROUP, contact, group) for group in leaves],
    ]
