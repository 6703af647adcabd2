"""A lead as its backend holds it, in the unified model's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.model import Backend


@dataclass(frozen=True, kw_only=True)
class OwnerRecord:
    """The sales person of a lead."""

    id: str
    name: str
    email: str | None


@dataclass(frozen=True, kw_only=True)
class LeadRecord:
    """One lead; names that the backend does not show with it are left to the lists of names."""

    backend: Backend
    id: str
    name: str | None
    description: str | None
    type_id: str | None
    type_name: str | None
    subtype_id: str | None
    stage_name: str | None
    stage_reason_name: str | None
    source_name: str | None
    quality_name: str | None
    channel_name: str | None
    owner: OwnerRecord | None
    contact_id: str | None
    company_id: str | None
    company_name: str | None
    raw: Mapping[str, Any]
    """The backend's own record."""
    raw_without_people: Mapping[str, Any]
    """The same for who may not read contacts: of the person it belongs to the id alone."""
