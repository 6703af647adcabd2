"""The record type: by id, by name, or for a new contact by the setting."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gateway.backends.everbridge.organization import Part, problem
from gateway.entries import CatalogName
from gateway.fields import Laid, refuse_clearing, required
from gateway.memberships import unknown_ids
from gateway.model import Backend
from gateway.name_problems import ambiguous, not_found
from gateway.names import Wanted, whole
from gateway.results import ProblemCode
from gateway.write import input_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.backends.everbridge.organization import Organization
    from gateway.names import Resolution
    from gateway.results import Problem
    from gateway.write import ContactWrite

NAME, NATIVE = "record_type_name", "everbridge.record_type_id"
SHOWN_ID = re.compile(r"[1-9][0-9]{11,15}")
"""An id that a record shows for want of a name."""


def wanted_record_type(write: ContactWrite, organization: Organization) -> list[Wanted]:
    """The name, or the list that an id or the setting is looked up in."""
    if write.mentions(NATIVE):
        native = write.given(NATIVE)
        type_id = str(native.value) if native else None
        return [Wanted(catalog=CatalogName.RECORD_TYPES, entry_id=type_id)]
    given = write.text(NAME)
    if given is not None:
        if SHOWN_ID.fullmatch(given):
            return [whole(CatalogName.RECORD_TYPES)]
        return [_wanted(write, given)]
    if organization.record_type is not None and not write.mentions("everbridge.id"):
        return [Wanted(catalog=CatalogName.RECORD_TYPES)]  # it may be a new contact
    return []


def laid_record_type(
    write: ContactWrite,
    resolution: Resolution,
    organization: Organization,
    stored: Mapping[str, Any] | None,
) -> Part:
    """The record type's id as the one row of a part; no row leaves the stored one."""
    part = Part(rows=[])
    if write.mentions(NATIVE):
        native = write.given(NATIVE)
        part.problems += unknown_record_type(write, resolution)
        if write.given(NAME) is not None:
            part.ignored.append("recordTypeName")
        if native is not None and not part.problems:
            _set(part, "everbridge.recordTypeId", str(native.value), stored)
    elif write.mentions(NAME):
        given = write.given(NAME)
        found = _named(write, given.value, resolution, stored, part) if given else None
        if found is not None:
            _set(part, "recordTypeName", found, stored)
        if write.given(NATIVE) is not None:
            part.ignored.append("everbridge.recordTypeId")  # a null: it cannot be cleared
    elif stored is None or (write.replaces and organization.record_type is None):
        _set_default(write, resolution, organization, part)
        if part.rows:
            _refuse_clearing(write, part, given=True)
    else:
        _refuse_clearing(write, part)
    return part


def unknown_record_type(write: ContactWrite, resolution: Resolution) -> list[Problem]:
    """The problem of an id that no record type has."""
    native = write.given(NATIVE)
    if native is None or native.value is None:
        return []
    ids = [str(native.value)]
    unknown = unknown_ids(
        write, resolution, Backend.EVERBRIDGE, CatalogName.RECORD_TYPES, NATIVE, ids
    )
    for one in unknown:
        one.field = write.field_path(NATIVE)
    return unknown


def _wanted(write: ContactWrite, name: str) -> Wanted:
    return Wanted(catalog=CatalogName.RECORD_TYPES, name=name, field=write.fixed_path(NAME))


def _named(
    write: ContactWrite,
    name: str,
    resolution: Resolution,
    stored: Mapping[str, Any] | None,
    part: Part,
) -> str | None:
    """The id of the record type that is meant by name.

    A contact whose record type has left the list is shown with its id: that can be sent back.
    """
    catalog = resolution.catalogs.get(CatalogName.RECORD_TYPES)
    if not SHOWN_ID.fullmatch(name) or catalog is None:
        return resolution.id(CatalogName.RECORD_TYPES, name)
    found = catalog.matches(name)
    if len(found) == 1:
        return found[0].id
    if found:
        want = _wanted(write, name)
        part.problems.append(ambiguous(want, found, Backend.EVERBRIDGE, input_name(NATIVE)))
    elif stored is not None and str(stored.get("recordTypeId")) == name:
        return name
    else:
        want = _wanted(write, name)
        part.problems.append(not_found(want, catalog.like(name), Backend.EVERBRIDGE))
    return None


def _refuse_clearing(write: ContactWrite, part: Part, *, given: bool = False) -> None:
    """A contact always has a record type: a null, or a REPLACE's silence, leaves the stored one.

    A new contact has the setting's, which only a null that is `given` speaks against.
    """
    laid = Laid()
    wish = write.given if given else write.get
    for name in (NAME, NATIVE):
        if wish(name) is not None and name not in write.invalid:
            refuse_clearing(name, write, Backend.EVERBRIDGE, laid)
    part.ignored += laid.ignored
    part.problems += laid.problems


def _set(part: Part, name: str, record_type_id: str, stored: Mapping[str, Any] | None) -> None:
    held = str(stored.get("recordTypeId")) if stored is not None else None
    if held != record_type_id:
        part.rows.append(int(record_type_id))
        part.changed.append(name)


def _set_default(
    write: ContactWrite, resolution: Resolution, organization: Organization, part: Part
) -> None:
    """A new contact that names no record type gets the setting's, where there is one."""
    default = organization.record_type
    if default is None:
        why = "an Everbridge contact has a record type, and the gateway has no default for it."
        part.problems += required([NAME], write, Backend.EVERBRIDGE, why)
        return
    catalog = resolution.catalogs.get(CatalogName.RECORD_TYPES)
    entries = catalog.matches(default) if catalog else []
    if len(entries) == 1:
        part.rows.append(int(entries[0].id))
        return
    wrong = problem(
        write.field_path(NAME),
        f"The gateway's default record type {default!r} is not one record type of Everbridge: give "
        "recordTypeName, or correct EVERBRIDGE_RECORD_TYPE.",
        ProblemCode.NAME_NOT_FOUND,
    )
    wrong.suggestions = catalog.like(default) if catalog else []
    part.problems.append(wrong)
