"""Contacts read through GraphQL, and the input that a form would make of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.harness import Gateway

RECORD = """
fragment record on ContactRecord {
  backend id externalId email firstName middleInitial lastName suffix phone countryCode
  alternateEmails
  addresses {
    locationName line1 line2 city region postalCode countryCode latitude longitude
  }
  recordTypeName groupsName
  paths {
    pathId prompt value countryCode extension
    quietTimeFrames { name days fromHour fromMinute toHour toMinute }
  }
  timezoneId
  customFields { id name values }
  companiesName emailStatus smsStatus
  externalUrls { ref url label }
  raw
}
"""

CONTACT = (
    """
query ($by: ContactKey!) {
  contact(by: $by) {
    externalId email firstName lastName phone
    records { ...record }
    differences { field values { backend value } }
    errors { backend code message retryable }
  }
}
"""
    + RECORD
)


async def read(gateway: Gateway, **by: str) -> dict[str, Any]:
    """The contact that a key means."""
    found = (await gateway.data(CONTACT, by=by))["contact"]
    assert found is not None
    contact: dict[str, Any] = found
    return contact


async def record(gateway: Gateway, backend: str, **by: str) -> dict[str, Any]:
    """One backend's record of the contact that a key means."""
    records = (await read(gateway, **by))["records"]
    found: dict[str, Any] = next(item for item in records if item["backend"] == backend)
    return found


def backends(contact: dict[str, Any]) -> list[str]:
    """The backends that have a record, in their order."""
    return [item["backend"] for item in contact["records"]]


def to_input(found: dict[str, Any]) -> dict[str, Any]:
    """The input that says everything which a record says, as a form would send it back.

    A status that the record does not tell is left out, for null would ask to clear it; so is what
    an address lacks, which SendGrid may have no place for.
    """
    given = {
        name: value
        for name, value in found.items()
        if name not in ("backend", "id", "raw")
        and not (name in ("emailStatus", "smsStatus") and value is None)
    }
    given["addresses"] = [
        {name: value for name, value in address.items() if value is not None}
        for address in found["addresses"]
    ]
    given["customFields"] = [
        {"name": item["name"], "values": item["values"]} for item in found["customFields"]
    ]
    return given
