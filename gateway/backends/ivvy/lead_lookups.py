"""What a lead points to by id: type, stage, source and so on, and which of them it needs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.backends.ivvy.lookups import (
    INDUSTRY,
    Chosen,
    Lookup,
    choose,
    needs_child,
    stored_id,
)
from gateway.entries import CatalogName
from gateway.matching import besides
from gateway.model import Backend
from gateway.results import Problem, ProblemCode
from gateway.write import input_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.backends.ivvy.lead_parties import Belonging
    from gateway.entries import Entry
    from gateway.fields import Laid
    from gateway.lead_write import LeadWrite
    from gateway.names import Resolution

TYPE = Lookup(
    name="type_name",
    native="ivvy.type_id",
    at="typeId",
    catalog=CatalogName.LEAD_TYPES,
    required=True,
)
SUBTYPE = Lookup(
    name="subtype_name",
    native="ivvy.subtype_id",
    at="subtypeId",
    catalog=CatalogName.LEAD_TYPES,
    within=TYPE.at,
    word="sub type",
    parent_word="type",
)
STAGE = Lookup(
    name="stage_name",
    native="ivvy.stage_id",
    at="stageId",
    catalog=CatalogName.LEAD_STAGES,
    required=True,
)
REASON = Lookup(
    name="stage_reason_name",
    native="ivvy.stage_reason_id",
    at="stageReasonId",
    catalog=CatalogName.LEAD_STAGES,
    within=STAGE.at,
    word="reason",
    parent_word="stage",
)
SOURCE = Lookup(
    name="source_name",
    native="ivvy.source_id",
    at="sourceId",
    catalog=CatalogName.LEAD_SOURCES,
    required=True,
)
QUALITY = Lookup(
    name="quality_name",
    native="ivvy.quality_id",
    at="qualityId",
    catalog=CatalogName.LEAD_QUALITIES,
)
CHANNEL = Lookup(
    name="channel_name",
    native="ivvy.channel_id",
    at="channelId",
    catalog=CatalogName.LEAD_CHANNELS,
)
OWNER = Lookup(
    name="owner_name",
    native="ivvy.owner_user_id",
    at="ownerUserId",
    catalog=CatalogName.OWNERS,
)
_SHOWN_AT = {SOURCE.at: "sourceName", QUALITY.at: "quality", CHANNEL.at: "channelName"}
"""The keys under which a lead shows the names of ids."""
LEAD_LOOKUPS = (TYPE, SUBTYPE, STAGE, REASON, SOURCE, INDUSTRY, QUALITY, CHANNEL, OWNER)


def lay_lookups(
    laid: Laid,
    write: LeadWrite,
    raw: Mapping[str, Any] | None,
    resolution: Resolution,
    belonging: Belonging,
) -> None:
    """Add the ids of everything that the lead points to, and what is missing of them, to `laid`."""
    chosen: dict[str, Chosen] = {}
    for lookup in LEAD_LOOKUPS:
        parent = _parent(lookup, chosen, raw, resolution)
        stored = stored_id(raw, "ownerUser", "id") if lookup is OWNER else stored_id(raw, lookup.at)
        chosen[lookup.at] = made = choose(
            lookup,
            write,
            resolution,
            laid,
            stored,
            new=raw is None,
            parent=parent,
            shown=lookup is not INDUSTRY,
            names=_names(lookup, raw),
        )
        within = chosen.get(lookup.within or "")
        if made.asked and made.id is None and parent is None and within and not within.asked:
            laid.problems += _parentless(lookup, write, raw)
        if (
            lookup is SUBTYPE
            and chosen[TYPE.at].asked
            and (TYPE.at in laid.values or write.replaces)
        ):
            laid.problems += needs_child(
                lookup,
                write,
                parent,
                made,
                why=f"the type {parent.name if parent else ''!r} has sub types",
            )
    whole = raw is None or write.replaces
    if belonging.of_contact and (belonging.becomes_of_contact or whole):
        laid.problems = besides(_needs_industry(write, chosen[INDUSTRY.at]), laid.problems)


def _names(lookup: Lookup, raw: Mapping[str, Any] | None) -> list[str]:
    """What a stored lead calls what it points to; not what has others within it."""
    lead = raw or {}
    held: list[Any] = [lead.get(_SHOWN_AT.get(lookup.at, ""))]
    owner = lead.get("ownerUser")
    if lookup is OWNER and isinstance(owner, dict):
        names = [owner.get(key) for key in ("firstName", "lastName")]
        held = [owner.get("email"), " ".join(str(name) for name in names if name)]
    return [str(name) for name in held if name]


def _parent(
    lookup: Lookup,
    chosen: Mapping[str, Chosen],
    raw: Mapping[str, Any] | None,
    resolution: Resolution,
) -> Entry | None:
    """The type or stage whose children count: the given one, else the stored one."""
    if lookup.within is None:
        return None
    given = chosen[lookup.within]
    parent_id = given.id if given.asked else stored_id(raw, lookup.within)
    return None if parent_id is None else resolution.entry(lookup.catalog, parent_id)


def _parentless(lookup: Lookup, write: LeadWrite, raw: Mapping[str, Any] | None) -> list[Problem]:
    """A child by name of a stored parent that iVvy no longer lists."""
    if raw is None:
        return []  # a new lead without its type or stage is told so
    return [
        _problem(
            ProblemCode.INVALID,
            f"iVvy no longer lists the lead's own {lookup.parent_word}, so the {lookup.word} cannot "
            f"be found by its name: give the {lookup.parent_word} too, or "
            f"{input_name(lookup.native)}.",
            write.field_path(lookup.name),
        )
    ]


def required_problems(write: LeadWrite, raw: Mapping[str, Any] | None) -> list[Problem]:
    """What a new lead lacks, or a REPLACE."""
    if raw is not None and not write.replaces:
        return []
    why = (
        "iVvy needs it for a new lead."
        if raw is None
        else "a REPLACE gives the whole lead, and iVvy needs it."
    )
    needed = [("name", "name"), *((row.name, row.native) for row in LEAD_LOOKUPS if row.required)]
    return [
        _problem(
            ProblemCode.REQUIRED,
            f"{input_name(name)} is required: {why}",
            write.field_path(name),
        )
        for name, native in needed
        if not write.mentions(name) and not write.mentions(native)
    ]


def _needs_industry(write: LeadWrite, chosen: Chosen) -> list[Problem]:
    if chosen.asked:
        return []
    return [
        _problem(
            ProblemCode.REQUIRED,
            "industryName is required: a lead of a contact needs an industry, and iVvy does not "
            "show whether a stored lead has one.",
            write.field_path(INDUSTRY.name),
        )
    ]


def _problem(code: ProblemCode, message: str, path: list[str]) -> Problem:
    return Problem(backend=Backend.IVVY, code=code, message=message, field=path)
