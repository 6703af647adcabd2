"""By what a caller asks for one contact."""

from __future__ import annotations

from dataclasses import fields

import strawberry
from strawberry import ID, Maybe

from gateway.api.refusals import wrong
from gateway.lookup import ContactKeys
from gateway.model import Backend, described
from gateway.values import read_email
from gateway.write import input_name


@strawberry.input(one_of=True, description="The key to find a contact by: exactly one of these.")
class ContactKey:
    """By what a contact is asked for."""

    external_id: Maybe[ID] = described("Its key in the caller's own system.")
    email: Maybe[str] = described("Its e-mail address.")
    ivvy_id: Maybe[ID] = described("iVvy's own id.")
    everbridge_id: Maybe[ID] = described("Everbridge's own id.")
    sendgrid_id: Maybe[ID] = described("SendGrid's own id.")


NATIVE = {
    "ivvy_id": Backend.IVVY,
    "everbridge_id": Backend.EVERBRIDGE,
    "sendgrid_id": Backend.SENDGRID,
}


def asked_by(key: ContactKey) -> tuple[str, str]:
    """The attribute that is given, and its value."""
    return next(
        (field.name, str(given.value))
        for field in fields(key)
        if (given := getattr(key, field.name)) is not None
    )


def keys_of(key: ContactKey) -> ContactKeys:
    """What the contact is known by; raises a GraphQL error for a value that can be no key."""
    name, value = asked_by(key)
    if not value.strip():
        raise wrong(f"{input_name(name)} is empty: give the key of the contact.")
    if name in NATIVE:
        return ContactKeys(native_ids=((NATIVE[name], value.strip()),))
    if name == "external_id":
        return ContactKeys(external_id=value)
    try:
        return ContactKeys(email=read_email(value))
    except ValueError as error:
        raise wrong(str(error)) from None
