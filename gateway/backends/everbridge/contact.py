"""Contacts: where each unified field goes, and how a write becomes a PUT of the whole contact.

Everbridge's PUT erases what its body leaves out (contract: everbridge section 5). The body is
therefore the stored contact, with everything in it that the gateway does not know, and the write
laid over it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gateway.backends.adapter import KeyKind, Plan
from gateway.backends.everbridge.addresses import joined_lines, laid_addresses
from gateway.backends.everbridge.attributes import laid_attributes, with_text_values
from gateway.backends.everbridge.batch_calls import leave_group
from gateway.backends.everbridge.checks import numbers
from gateway.backends.everbridge.client import create_contact, replace_contact
from gateway.backends.everbridge.organization import Part, differ, problem, rows_in
from gateway.backends.everbridge.paths import laid_paths, wanted_paths
from gateway.backends.everbridge.quiet_times import KEY as QUIET_TIMES
from gateway.backends.everbridge.quiet_times import gives_frames, said_frames
from gateway.backends.everbridge.record_types import (
    laid_record_type,
    unknown_record_type,
    wanted_record_type,
)
from gateway.custom_fields import wanted_custom_fields
from gateway.entries import CatalogName
from gateway.fields import (
    IMPOSSIBLE,
    LEFT_OUT,
    Clear,
    Field,
    Table,
    refuse_clearing,
    required,
    to_backend,
)
from gateway.memberships import memberships, wanted_groups
from gateway.model import Backend
from gateway.results import Outcome, Problem, ProblemCode
from gateway.values import read_country
from gateway.write import CLEARED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.backends.adapter import Found, Stored
    from gateway.backends.everbridge.organization import Organization
    from gateway.memberships import Memberships
    from gateway.names import Resolution, Wanted
    from gateway.write import ContactWrite

GROUP_IDS = "everbridge.group_ids"
TOPIC_IDS = "everbridge.topic_ids"
NATIVE_IDS = {GROUP_IDS: CatalogName.GROUPS}


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


LEAVE_EACH = Clear(says="`DELETE /groups/{org}/contacts` for each membership")
NO_PATHS = Clear(says="`[]`", value=[])
PATH_OUT = Clear(says="its path left out of `paths`", left_out=True)
NEVER = Clear(says="never", possible=False)
NOTHING = Clear(says="null changes nothing", left_out=True)

FIELDS = Table(
    Field(name="external_id", at="externalId", clear=IMPOSSIBLE, to=str, max_length=50),
    Field(
        name="email",
        at="paths",
        clear=PATH_OUT,
        by_function=True,
        note="value of the path that EMAIL_PATH names",
    ),
    Field(name="first_name", at="firstName", clear=IMPOSSIBLE, max_length=100),
    Field(name="middle_initial", at="middleInitial", clear=LEFT_OUT, max_length=1),
    Field(name="last_name", at="lastName", clear=IMPOSSIBLE, max_length=100),
    Field(name="suffix", at="suffix", clear=LEFT_OUT, max_length=10),
    Field(
        name="phone",
        at="paths",
        clear=PATH_OUT,
        by_function=True,
        note="value of the path that PHONE_PATH names: national digits, and countryCode",
    ),
    Field(name="country_code", at="country", clear=LEFT_OUT, to=read_country, compared=_upper),
    Field(name="addresses", at="address", clear=LEFT_OUT, by_function=True, note="all of them"),
    Field(name="record_type_name", at="recordTypeId", clear=IMPOSSIBLE, by_function=True),
    Field(name="groups_name", at="groups", clear=LEAVE_EACH, by_function=True),
    Field(name="add_groups_name", at="groups", clear=NOTHING, by_function=True),
    Field(name="remove_groups_name", at="groups", clear=NOTHING, by_function=True),
    Field(name="paths", at="paths", clear=NO_PATHS, by_function=True, note="in order"),
    Field(name="timezone_id", at="timezoneId", clear=LEFT_OUT),
    Field(name="custom_fields", at="contactAttributes", clear=LEFT_OUT, by_function=True),
    Field(name="everbridge.id", at="(in the URL)", clear=NEVER, by_function=True),
    Field(
        name="everbridge.record_type_id",
        at="recordTypeId",
        clear=IMPOSSIBLE,
        by_function=True,
        note="null beside recordTypeName is ignored",
    ),
    Field(name=GROUP_IDS, at="groups", clear=LEAVE_EACH, by_function=True),
    Field(name=TOPIC_IDS, at="topics", clear=LEFT_OUT, by_function=True),
    Field(name="everbridge.attributes", at="contactAttributes", clear=LEFT_OUT, by_function=True),
)

READ_ONLY = frozenset(
    {"id", "status", "accountId", "resourceBundleId", "organizationId", "seq"}
    | {"createdDate", "createdId", "createdName"}
    | {"lastModifiedDate", "lastModifiedTime", "lastModifiedId", "lastModifiedName"}
    | {"registedDate", "registedEmail", "registeredDate", "registeredEmail"}
    | {"invitedDate", "geoSearchAddress"}
)
"""Set by the server (contract: everbridge section 4)."""

ADDITIVE = frozenset({"groups", "groupsName"})
"""A PUT only ever adds these, so that memberships which stay are not said again."""

NOT_CARRIED = READ_ONLY | ADDITIVE


def wanted_names(write: ContactWrite, organization: Organization) -> list[Wanted]:
    """The names that a write needs resolved."""
    return [
        *wanted_groups(write, GROUP_IDS),
        *wanted_record_type(write, organization),
        *wanted_paths(write, organization),
        *wanted_custom_fields(write, "everbridge.attributes"),
    ]


def misfits(
    write: ContactWrite,
    resolution: Resolution,
    organization: Organization,
    found: Found | None,
) -> list[Problem]:
    """What the lists of record types and paths have against the write. Pure.

    A path's id and value may be wrong and stored all the same: then they may be sent back.
    """
    problems = unknown_record_type(write, resolution)
    if found is None or write.given("paths") is None:
        return problems
    stored = rows_in(found.stored.raw, "paths") if found.stored is not None else []
    laid = laid_paths(write, resolution, organization, stored, new=found.stored is None)
    return [*problems, *laid.problems]


def plan_contact(
    write: ContactWrite, found: Found, resolution: Resolution, organization: Organization
) -> Plan:
    """The calls that bring the contact to what the write says. Pure."""
    stored = found.stored
    raw = stored.raw if stored is not None else None
    before = carried(raw) if raw is not None else {}
    draft = _Draft(body=dict(before))
    _lay_fields(write, found, draft)
    draft.take("recordTypeId", laid_record_type(write, resolution, organization, raw))
    new = stored is None
    paths = laid_paths(write, resolution, organization, rows_in(before, "paths"), new=new)
    draft.take("paths", paths)
    if write.get("addresses") is not None:
        draft.take("address", laid_addresses(write, rows_in(before, "address"), new=new))
    attributes = laid_attributes(write, resolution, rows_in(before, "contactAttributes"))
    draft.take("contactAttributes", attributes)
    if write.given(TOPIC_IDS) is not None:
        draft.take("topics", _laid_topics(write, rows_in(before, "topics")))
    _check_timezone(write, draft, rows_in(before, "paths"))
    groups = memberships(write, resolution, Backend.EVERBRIDGE, GROUP_IDS)
    draft.ignored += groups.ignored
    draft.problems += groups.problems
    made = _plan(found, draft, before, groups, organization)
    warnings = joined_lines(write) if made.calls else []
    return replace(made, warnings=tuple(warnings)) if warnings else made


def carried(contact: Mapping[str, Any]) -> dict[str, Any]:
    """What a PUT must say again so that nothing is lost: all but what the server sets itself.

    Verbatim, but for attributes' numbers, which are read as numbers and written as text, and for
    attributes without values, which a write must have (contract: everbridge section 4.2).
    """
    body = {key: value for key, value in contact.items() if key not in NOT_CARRIED}
    if isinstance(body.get("contactAttributes"), list):
        rows = body["contactAttributes"]
        body["contactAttributes"] = [with_text_values(row) for row in rows if row.get("values")]
    return body


@dataclass(kw_only=True)
class _Draft:
    """A PUT's body in the making."""

    body: dict[str, Any]
    changed: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def take(self, key: str, part: Part) -> None:
        """Take over what a part of the write comes to."""
        self.changed += part.changed
        self.ignored += part.ignored
        self.problems += part.problems
        if key == "recordTypeId":
            if part.rows:
                self.body[key] = part.rows[0]
                self.body.pop("recordTypeName", None)  # of the two the id wins anyway
        elif part.rows or (key == "paths" and self.body.get(key)):
            # Contract, section 5 rule 4: that a PUT without paths removes them is only ASSUMED.
            self.body[key] = part.rows
        elif part.changed:
            self.body.pop(key, None)


def _lay_fields(write: ContactWrite, found: Found, draft: _Draft) -> None:
    """The fields that are only moved or converted, and the required ones among them."""
    stored = found.stored
    raw = stored.raw if stored is not None else None
    names: list[str] = []
    if stored is None or write.replaces:
        names = [name for name in ("first_name", "last_name") if not write.mentions(name)]
    key = external_id(found)
    if not write.mentions("external_id") and (stored is None or not stored.external_id):
        if key is not None:
            draft.body["externalId"] = key  # a sibling's
            if write.given("external_id") is None:
                draft.changed.append("externalId")
        elif stored is None or write.replaces:
            names.insert(0, "external_id")
    why = "Everbridge keeps no contact without it."
    missing = required(names, write, Backend.EVERBRIDGE, why)
    laid = to_backend(FIELDS, write, Backend.EVERBRIDGE, raw, but=names)
    if stored is None and key is not None and write.given("external_id") == CLEARED:
        refuse_clearing("external_id", write, Backend.EVERBRIDGE, laid)
    draft.body |= laid.values
    for key_left_out in laid.left_out:
        draft.body.pop(key_left_out, None)
    draft.changed += laid.changed
    draft.ignored += laid.ignored
    draft.problems += [*missing, *laid.problems]


def external_id(found: Found) -> str | None:
    """The externalId that the record was looked for by, from the input or from a sibling."""
    for key in found.asked_by:
        if key.kind is KeyKind.EXTERNAL_ID:
            return key.value
    return None


def _laid_topics(write: ContactWrite, stored: list[Any]) -> Part:
    """The subscriptions: only by id, because no contact call lists their names."""
    part = Part(rows=stored)
    wanted = list(dict.fromkeys(str(topic) for topic in write.items(TOPIC_IDS)))
    if set(wanted) != {str(topic) for topic in stored}:
        part.rows = numbers(wanted)
        part.changed.append("everbridge.topicIds")
    return part


def _check_timezone(write: ContactWrite, draft: _Draft, stored: list[Any]) -> None:
    """Quiet times need a time zone (contract: everbridge section 5, rule 8).

    A stored contact that has the one without the other is left so by a write that changes neither.
    """
    if draft.body.get("timezoneId") or "timezone_id" in write.invalid:
        return
    framed = [path for path in draft.body.get("paths") or () if path.get(QUIET_TIMES)]
    asked = [path for path in write.items("paths") if gives_frames(path)]
    if not (framed or asked):
        return
    held = [(path.get("pathId"), path.get(QUIET_TIMES)) for path in stored]
    # A path with another problem is not laid; its quiet times need a time zone all the same.
    sets_frames = len(asked) > len(framed) or any(
        (path.get("pathId"), path[QUIET_TIMES]) not in held for path in framed
    )
    if sets_frames or "timezoneId" in draft.changed:
        draft.problems.append(
            problem(
                write.field_path("timezone_id"),
                "timezoneId is required: a delivery path of this contact has quiet times, which "
                "are local to it. Give a time zone, or clear the paths' quietTimeFrames.",
                ProblemCode.REQUIRED,
            )
        )


def _plan(
    found: Found,
    draft: _Draft,
    before: Mapping[str, Any],
    groups: Memberships,
    organization: Organization,
) -> Plan:
    stored = found.stored
    current = _groups_of(stored)
    joining = numbers(groups.joining(current))
    leaving = groups.leaving(current)
    body = draft.body
    writes = bool(joining) or differ(body, before)
    if body.get("paths"):  # which may be null as well
        timezone = bool(body.get("timezoneId"))
        body["paths"] = said_frames(body["paths"], rows_in(before, "paths"), timezone=timezone)
    if joining:
        body["groups"] = joining
    changed = (*draft.changed, *groups.changed(current))
    if draft.problems:
        outcome, calls = Outcome.REJECTED, []
    elif stored is None:
        outcome, calls = Outcome.CREATED, [create_contact(organization.id, body)]
    else:
        joins = groups.joining_fields if joining else ()
        put = [replace_contact(organization.id, stored.id, body, carries=joins)] if writes else []
        leaves = groups.leaving_fields if leaving else ()
        calls = put + [
            leave_group(organization.id, group, stored.id, carries=leaves) for group in leaving
        ]
        outcome = Outcome.UPDATED if calls else Outcome.UNCHANGED
    return Plan(
        outcome=outcome,
        calls=tuple(calls),
        id=stored.id if stored is not None else None,
        matched_by=found.matched_by,
        changed=tuple(dict.fromkeys(changed)) if calls else (),
        ignored=tuple(dict.fromkeys(draft.ignored)),
        problems=tuple(draft.problems),
    )


def _groups_of(stored: Stored | None) -> list[str]:
    """The ids of the groups that the contact is in."""
    return [str(group) for group in rows_in(stored.raw, "groups")] if stored is not None else []
