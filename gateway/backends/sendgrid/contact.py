"""Where a unified contact goes in SendGrid, and the calls that a write needs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from gateway.backends.adapter import Plan
from gateway.backends.sendgrid.address import lay_address
from gateway.backends.sendgrid.changed_address import judge_address, refuse_a_guess
from gateway.backends.sendgrid.client import put_contacts, remove_from_list
from gateway.backends.sendgrid.conflicts import not_readable, other_record
from gateway.backends.sendgrid.custom_fields import held_in, lay_custom_fields
from gateway.backends.sendgrid.identifiers import lay_identifiers
from gateway.custom_fields import custom_fields
from gateway.errors import NotWrittenError
from gateway.fields import (
    EMPTY_LIST,
    EMPTY_TEXT,
    IMPOSSIBLE,
    Clear,
    Field,
    Laid,
    Table,
    to_backend,
)
from gateway.memberships import Memberships, memberships
from gateway.model import Backend
from gateway.results import Outcome, Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.backends.adapter import Found
    from gateway.backends.sendgrid.identifiers import Identifier
    from gateway.backends.sendgrid.sought import Sought
    from gateway.calls import Call
    from gateway.names import Resolution
    from gateway.write import ContactWrite

MAX_ALTERNATE_EMAILS = 5


def digits(text: Any) -> str:
    """The form in which phone numbers are compared."""
    return "".join(character for character in str(text or "") if character.isdigit())


def lower_case(emails: Sequence[str]) -> list[str]:
    """Addresses as SendGrid keeps them, each once."""
    return list(dict.fromkeys(email.strip().lower() for email in emails))


_LISTS = Clear(says="a call for each list to leave")
_NOTHING = Clear(says="null changes nothing")
_FIELDS = Clear(says='texts: `""`; numbers and dates cannot be cleared')

FIELDS = Table(
    Field(
        name="external_id",
        at="external_id",
        clear=IMPOSSIBLE,
        by_function=True,
        note="only where it is the account's identifier; otherwise ignored",
    ),
    Field(
        name="email",
        at="email",
        clear=IMPOSSIBLE,
        by_function=True,
        note="in lower case; cannot be changed in place",
    ),
    Field(name="first_name", at="first_name", clear=EMPTY_TEXT, max_length=50),
    Field(name="last_name", at="last_name", clear=EMPTY_TEXT, max_length=50),
    Field(
        name="phone",
        at="phone_number",
        clear=EMPTY_TEXT,
        to=lambda phone: phone.e164,
        compared=digits,
        note="E.164",
    ),
    Field(
        name="country_code",
        at="country",
        clear=EMPTY_TEXT,
        by_function=True,
        note="only if no address is given, because an address has its own",
    ),
    # ASSUMED: an empty list clears; the vendor documents 0 to 5 items and says no more.
    Field(
        name="alternate_emails",
        at="alternate_emails",
        clear=EMPTY_LIST,
        to=lower_case,
        compared=lambda emails: sorted(lower_case(emails or [])),
        note="at most five",
    ),
    Field(
        name="addresses",
        at="address_line_1 … country",
        clear=Clear(says='`""` in each of the six fields', value=""),
        by_function=True,
        note="the first one, without location name and coordinates",
    ),
    Field(name="groups_name", at="list_ids", clear=_LISTS, by_function=True),
    Field(name="add_groups_name", at="list_ids", clear=_NOTHING, by_function=True),
    Field(name="remove_groups_name", at="list_ids", clear=_NOTHING, by_function=True),
    Field(
        name="custom_fields",
        at="custom_fields",
        clear=_FIELDS,
        by_function=True,
        note="by id, as text, number or UTC instant",
    ),
    Field(name="sendgrid.list_ids", at="list_ids", clear=_LISTS, by_function=True),
    Field(
        name="sendgrid.phone_number_id", at="phone_number_id", clear=IMPOSSIBLE, by_function=True
    ),
    Field(name="sendgrid.anonymous_id", at="anonymous_id", clear=IMPOSSIBLE, by_function=True),
    Field(
        name="sendgrid.email_change",
        at="(not stored)",
        clear=_NOTHING,
        by_function=True,
        note="what to do when the address changes",
    ),
    Field(name="sendgrid.custom_fields", at="custom_fields", clear=_FIELDS, by_function=True),
)


@cache
def fields_for(identifier: Identifier) -> Table:
    """The table for an account with this identifier."""
    named = identifier == "external_id"
    return Table(*(row for row in FIELDS if named or row.name != "external_id"))


def plan_contact(
    write: ContactWrite,
    found: Sought,
    resolution: Resolution,
    siblings: Mapping[Backend, Found],
    *,
    identifier: Identifier,
) -> Plan:
    """The calls that bring the contact to what the write says.

    One upsert, then one removal for each list to leave. Raises NotWrittenError when the contact
    must leave a list and SendGrid does not show it yet, so that its id is not known, and when a
    contact would be made that a silent sibling may know by another address.
    """
    new, comparable = found.new, found.comparable
    stored = found.stored.raw if found.stored and comparable else None
    read = comparable or new
    laid = to_backend(fields_for(identifier), write, Backend.SENDGRID, stored, read=read)
    identifiers = lay_identifiers(write, identifier, found.key, found.held, laid, new=new)
    lay_address(write, stored, laid, new=new)
    laid.problems += too_many_alternates(write)
    held_fields = (stored.get("custom_fields") or {}) if stored is not None else None
    settings = custom_fields(
        *(write, resolution, Backend.SENDGRID, "sendgrid.custom_fields"),
        held=lambda entry: [held_in(held_fields or {}, entry)],
    )
    own = lay_custom_fields(settings, write, resolution, held_fields, laid, new=new)
    groups = memberships(write, resolution, Backend.SENDGRID, "sendgrid.list_ids")
    laid.ignored += groups.ignored
    laid.problems += groups.problems
    joining, leaving = _moves(groups, found, laid)
    warnings: tuple[Problem, ...] = ()
    if identifier == "email":
        warnings = judge_address(write, found, siblings, laid)
        laid.problems += other_record(write, found)
        if not laid.problems:
            refuse_a_guess(write, found, siblings)
    contact = identifiers | laid.values | ({"custom_fields": own} if own else {})
    must_put = bool(laid.values or own or joining)
    calls = _calls(found, contact, groups, joining, leaving, must_put=must_put)
    return Plan(
        outcome=Outcome.ACCEPTED if calls else Outcome.UNCHANGED,
        calls=calls,
        id=found.stored.id if found.stored else None,
        matched_by=found.matched_by,
        changed=tuple(dict.fromkeys(laid.changed)),
        ignored=tuple(dict.fromkeys(laid.ignored)),
        problems=tuple(laid.problems),
        warnings=warnings,
    )


def _moves(groups: Memberships, found: Sought, laid: Laid) -> tuple[list[str], list[str]]:
    """The lists to join and to leave.

    A list that was joined by a write not confirmed yet is joined again, which changes nothing
    when that write succeeds and repairs it when it fails.
    """
    if not groups.asked:
        return [], []
    lists = found.lists
    joining, leaving = groups.joining(lists), groups.leaving(lists)
    changed = groups.moved(joins=bool(joining), leaves=bool(leaving))
    if found.accepted is not None:
        joined = set(found.accepted.joined)
        sure = [list_id for list_id in lists if list_id not in joined]
        changed = groups.changed(sure) + changed
        joining = groups.joining(sure)
    laid.changed += changed
    return joining, leaving


def _calls(
    found: Sought,
    contact: Mapping[str, Any],
    groups: Memberships,
    joining: Sequence[str],
    leaving: Sequence[str],
    *,
    must_put: bool,
) -> tuple[Call, ...]:
    if leaving and found.stored is None:
        raise NotWrittenError(not_readable(found))
    # Where SendGrid was not asked, only the upsert makes sure that the contact is there.
    unknown = found.stored is None and found.accepted is None
    calls: list[Call] = []
    if must_put or unknown:
        joins = groups.joining_fields if joining else ()
        calls.append(put_contacts([contact], joining, carries=joins))
    contact_ids = [found.stored.id] if found.stored else []
    leaves = groups.leaving_fields if leaving else ()
    calls += [remove_from_list(list_id, contact_ids, carries=leaves) for list_id in leaving]
    return tuple(calls)


def too_many_alternates(write: ContactWrite) -> list[Problem]:
    """The problem of more alternate addresses than SendGrid keeps."""
    wish = write.given("alternate_emails")
    if wish is None:
        return []
    emails = lower_case(wish.value or [])
    if len(emails) <= MAX_ALTERNATE_EMAILS:
        return []
    return [
        Problem(
            backend=Backend.SENDGRID,
            code=ProblemCode.TOO_MANY,
            message=f"SendGrid keeps at most {MAX_ALTERNATE_EMAILS} alternate addresses, and "
            f"{len(emails)} are given.",
            field=write.field_path("alternate_emails"),
        )
    ]
