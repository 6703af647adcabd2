"""Identifiers that a new contact would share with another: the job would fail, or join the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.backends.adapter import Key, KeyKind
from gateway.backends.sendgrid.conflicts import taken_email, taken_identifier
from gateway.backends.sendgrid.identifiers import INPUTS, check_identifiers, holds, normalised
from gateway.errors import RefusedError
from gateway.matching import fitting
from gateway.model import Backend

if TYPE_CHECKING:
    from gateway.backends.sendgrid.identifiers import Identifier
    from gateway.backends.sendgrid.look_ups import LookUps
    from gateway.upstream import Exchange
    from gateway.write import ContactWrite


async def refuse_taken(
    write: ContactWrite, identifier: Identifier, look_ups: LookUps, exchange: Exchange
) -> None:
    """Raise RefusedError for a new contact of which another one has a further identifier."""
    if identifier == "external_id" and write.email and write.email.value is not None:
        path = write.fixed_path("email")
        key = Key(kind=KeyKind.EMAIL, value=write.email.value.lower(), source="email", path=path)
        taken = fitting(Backend.SENDGRID, key, await look_ups.by_key(key, exchange))
        if taken:
            raise RefusedError(taken_email(taken[0], path))
    if check_identifiers(write, identifier):
        return  # SendGrid cannot be asked by what is none, and the caller is told of it
    for kind in ("phone_number_id", "anonymous_id"):
        given = write.given(INPUTS[kind])
        if given is None or given.value is None:
            continue
        value = normalised(kind, given.value, write.default_country)
        for row in await look_ups.by_identifier(kind, value, exchange):
            if holds(row.raw, kind, value):
                raise RefusedError(taken_identifier(row, write.field_path(INPUTS[kind])))
