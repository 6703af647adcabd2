"""A lead of iVvy's in the unified model's words (iVvy: "Get Lead List"). Pure.

iVvy shows neither a lead's custom fields nor its industry, and of the sub type only the id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.backends.ivvy.lead_parties import company_of, person_of
from gateway.backends.ivvy.lookups import stored_id
from gateway.lead_records import LeadRecord, OwnerRecord
from gateway.model import Backend

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_lead(raw: Mapping[str, Any]) -> LeadRecord:
    """The record of a lead as the list shows it."""
    company = raw.get("company")
    return LeadRecord(
        backend=Backend.IVVY,
        id=str(raw["id"]),
        name=_text(raw, "name"),
        description=_text(raw, "description"),
        type_id=stored_id(raw, "typeId"),
        type_name=_text(raw, "type"),
        subtype_id=stored_id(raw, "subtypeId"),
        stage_name=_text(raw, "stageName"),
        stage_reason_name=_text(raw, "stageReasonName"),
        source_name=_text(raw, "sourceName"),
        quality_name=_text(raw, "quality"),
        channel_name=_text(raw, "channelName"),
        owner=_owner(raw.get("ownerUser")),
        contact_id=person_of(raw),
        company_id=company_of(raw),
        company_name=_text(company, "businessName") if isinstance(company, dict) else None,
        raw=raw,
        raw_without_people={**raw, "contact": _id_alone(raw.get("contact"))},
    )


def _id_alone(person: Any) -> dict[str, Any] | None:
    return {"id": person.get("id")} if isinstance(person, dict) else None


def _owner(user: Any) -> OwnerRecord | None:
    if not isinstance(user, dict) or not user.get("id"):
        return None
    names = (user.get("firstName"), user.get("lastName"))
    return OwnerRecord(
        id=str(user["id"]),
        name=" ".join(str(name) for name in names if name),
        email=_text(user, "email"),
    )


def _text(part: Mapping[str, Any], key: str) -> str | None:
    value = part.get(key)
    return None if value in (None, "") else str(value)
