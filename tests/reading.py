"""Contacts read through GraphQL, and the input that a form would make of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strawberry import Some

from gateway.model import (
    AddressInput,
    ContactInput,
    CustomFieldInput,
    ExternalUrlInput,
    PathInput,
    QuietTimeFrameInput,
)

if TYPE_CHECKING:
    from gateway.records import ContactRecord
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


async def refusal(gateway: Gateway, **by: str) -> dict[str, Any]:
    """The GraphQL error of a contact that cannot be read."""
    answer = await gateway.ask(CONTACT, by=by)
    assert answer["data"] == {"contact": None}
    [error] = answer["errors"]
    assert isinstance(error, dict)
    return error


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


def contact_input(found: ContactRecord, *names: str) -> ContactInput:
    """The same for the named fields of a record that was read without GraphQL."""
    made: dict[str, Any] = {
        "addresses": [
            AddressInput(**{part: Some(value) for part, value in vars(item).items()})
            for item in found.addresses
        ],
        "paths": [
            PathInput(
                path_id=Some(item.path_id),
                prompt=Some(item.prompt),
                value=item.value,
                country_code=Some(item.country_code),
                extension=Some(item.extension),
                quiet_time_frames=Some(
                    [
                        QuietTimeFrameInput(**{**vars(frame), "name": Some(frame.name)})
                        for frame in item.quiet_time_frames
                    ]
                ),
            )
            for item in found.paths
        ],
        "custom_fields": [
            CustomFieldInput(name=item.name or "", values=item.values)
            for item in found.custom_fields
        ],
        "external_urls": [
            ExternalUrlInput(ref=item.ref, url=Some(item.url), label=Some(item.label))
            for item in found.external_urls
        ],
    }
    return ContactInput(**{name: Some(made.get(name, getattr(found, name))) for name in names})
