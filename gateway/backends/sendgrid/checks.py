"""What is wrong with an input for SendGrid, whatever it holds: told before anybody is asked."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from gateway.backends.sendgrid.address import address_too_long
from gateway.backends.sendgrid.contact import fields_for, too_many_alternates
from gateway.backends.sendgrid.identifiers import check_identifiers
from gateway.fields import too_long_fields
from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from gateway.backends.sendgrid.identifiers import Identifier
    from gateway.write import ContactWrite


def check_write(write: ContactWrite, identifier: Identifier) -> list[Problem]:
    """Forms of identifiers and list ids, lengths of texts, and how many there may be."""
    return [
        *check_identifiers(write, identifier),
        *_list_ids(write),
        *too_long_fields(fields_for(identifier), write, Backend.SENDGRID),
        *address_too_long(write),
        *too_many_alternates(write),
    ]


def _list_ids(write: ContactWrite) -> list[Problem]:
    given = write.given("sendgrid.list_ids")
    if given is None:
        return []
    return [
        Problem(
            backend=Backend.SENDGRID,
            code=ProblemCode.INVALID,
            message=f"{list_id!r} is not a list id of SendGrid, which are UUIDs: give one, or "
            "the list's name in groupsName.",
            field=write.field_path("sendgrid.list_ids", place),
        )
        for place, list_id in enumerate(given.value or [])
        if not _is_uuid(list_id)
    ]


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
