"""The unified contact: what a caller may say, defined once, as Strawberry inputs.

`strawberry.Maybe` keeps the three states of a field apart: absent is `None`, null is `Some(None)`,
a value is `Some(value)`. Everything behind the API takes these classes as they are; the lead and
its company stand in `lead_model.py`, the answers in `results.py`.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar, cast

import strawberry
from strawberry import ID, Maybe

T = TypeVar("T")


def enum_value(value: str, *, description: str) -> str:
    """A described enum value; Strawberry unwraps it, so that members' values are plain text."""
    return cast("str", strawberry.enum_value(value, description=description))


def described(description: str) -> Maybe[T]:
    """An optional input field that is absent unless the caller gives it."""
    field: Maybe[T] = strawberry.field(default=None, description=description)
    return field


@strawberry.enum(description="The systems that the gateway writes to.")
class Backend(Enum):
    """The systems that the gateway writes to, in the order in which results are listed."""

    __hash__ = object.__hash__  # as the key of many dicts; Enum's own is slow
    IVVY = enum_value("IVVY", description="iVvy: contacts and leads.")
    EVERBRIDGE = enum_value("EVERBRIDGE", description="Everbridge: contacts for mass notification.")
    SENDGRID = enum_value(
        "SENDGRID",
        description="Twilio SendGrid: marketing contacts; applies writes some time after accepting them.",
    )


def title(backend: Backend) -> str:
    """The backend's name as its vendor writes it, for people."""
    return _TITLES[backend]


ORDER = tuple(Backend)  # to go through the Enum itself takes longer
_TITLES = {Backend.IVVY: "iVvy", Backend.EVERBRIDGE: "Everbridge", Backend.SENDGRID: "SendGrid"}


@strawberry.enum(description="What a write does with the fields that its input leaves out.")
class WriteMode(Enum):
    """What a write does with the fields that its input leaves out."""

    PATCH = enum_value("PATCH", description="Absent fields stay as they are.")
    REPLACE = enum_value(
        "REPLACE",
        description=(
            "The input is the whole contact or lead: what it leaves out is cleared. Keys, subscription "
            "statuses and privacyConsent stay when they are left out, and so does what a backend holds "
            "beyond the fields of the input."
        ),
    )


@strawberry.enum(description="What happens in a backend that does not hold the record.")
class MissingPolicy(Enum):
    """What happens in a backend that does not hold the record."""

    CREATE = enum_value(
        "CREATE", description="Create the record in a backend that does not hold it."
    )
    SKIP = enum_value(
        "SKIP",
        description=(
            "Leave out a backend that does not hold it, or cannot be asked by the keys given: "
            "SKIPPED there."
        ),
    )


@strawberry.enum(description="When a write goes to the backends.")
class Delivery(Enum):
    """When a write goes to the backends."""

    DIRECT = enum_value(
        "DIRECT", description="Write now; the payload says what each backend answered."
    )
    DURABLE = enum_value(
        "DURABLE",
        description="Store the write first, answer at once, then deliver it and retry until each "
        "backend has accepted or rejected it, across restarts.",
    )


@strawberry.enum(description="A day of the week.")
class Weekday(Enum):
    """A day of the week, in the order of Everbridge's numbers 1 to 7."""

    SUNDAY = enum_value("SUNDAY", description="Sunday.")
    MONDAY = enum_value("MONDAY", description="Monday.")
    TUESDAY = enum_value("TUESDAY", description="Tuesday.")
    WEDNESDAY = enum_value("WEDNESDAY", description="Wednesday.")
    THURSDAY = enum_value("THURSDAY", description="Thursday.")
    FRIDAY = enum_value("FRIDAY", description="Friday.")
    SATURDAY = enum_value("SATURDAY", description="Saturday.")


@strawberry.enum(description="Whether a contact receives e-mail from iVvy.")
class EmailStatus(Enum):
    """Whether a contact receives e-mail from iVvy."""

    SUBSCRIBED = enum_value("SUBSCRIBED", description="Receives e-mail.")
    UNSUBSCRIBED = enum_value("UNSUBSCRIBED", description="Has opted out.")
    BOUNCED = enum_value("BOUNCED", description="The address refused e-mail.")
    NO_MARKETING = enum_value("NO_MARKETING", description="Receives no marketing.")


@strawberry.enum(description="Whether a contact receives text messages from iVvy.")
class SmsStatus(Enum):
    """Whether a contact receives text messages from iVvy."""

    SUBSCRIBED = enum_value("SUBSCRIBED", description="Receives text messages.")
    UNSUBSCRIBED = enum_value("UNSUBSCRIBED", description="Has opted out.")
    FAILED = enum_value("FAILED", description="The number refused text messages.")
    NO_MARKETING = enum_value("NO_MARKETING", description="Receives no marketing.")


@strawberry.enum(
    description="What to do in SendGrid, which cannot change a contact's e-mail address in place."
)
class EmailChange(Enum):
    """What to do in SendGrid, which cannot change a contact's e-mail address in place."""

    REJECT = enum_value(
        "REJECT",
        description="The default: SendGrid's part is rejected, and with it the call.",
    )
    CREATE_NEW = enum_value(
        "CREATE_NEW",
        description="A second contact is made; the old one stays, with its lists and unsubscribes.",
    )


@strawberry.input(description="A postal address; fields left out keep what the backend holds.")
class AddressInput:
    """A postal address; fields left out keep what the backend holds."""

    location_name: Maybe[str | None] = described(
        "Names the address and finds the stored one; absent: that of the stored address in the "
        "same place, otherwise Primary, Address 2, …"
    )
    line1: Maybe[str | None] = described("Street and number.")
    line2: Maybe[str | None] = described(
        "Suite, floor or the like; Everbridge keeps up to 10 characters of it apart from the street."
    )
    city: Maybe[str | None] = described("City or town.")
    region: Maybe[str | None] = described("State, province or region.")
    postal_code: Maybe[str | None] = described("Postal or ZIP code.")
    country_code: Maybe[str | None] = described("ISO 3166-1 alpha-2.")
    latitude: Maybe[float | None] = described("Degrees, -90 to 90; given together with longitude.")
    longitude: Maybe[float | None] = described(
        "Degrees, -180 to 180; given together with latitude."
    )


@strawberry.input(
    description=(
        "A weekly time in which the path is not used, local to the contact's timezoneId; it may "
        "cross midnight."
    )
)
class QuietTimeFrameInput:
    """A weekly time in which a path is not used."""

    name: Maybe[str | None] = described("What the frame is called.")
    days: list[Weekday] = strawberry.field(description="The days on which the frame begins.")
    from_hour: int = strawberry.field(description="0 to 23")
    from_minute: int = strawberry.field(description="0 to 59")
    to_hour: int = strawberry.field(description="0 to 23")
    to_minute: int = strawberry.field(description="0 to 59")


@strawberry.input(
    description="One way to reach the contact. One of pathId and prompt is required; pathId wins."
)
class PathInput:
    """One way to reach the contact."""

    path_id: Maybe[ID | None] = described("The path's id in Everbridge.")
    prompt: Maybe[str | None] = described('The path\'s name in Everbridge, such as "phone".')
    value: str = strawberry.field(description="The phone number, e-mail address or other address.")
    country_code: Maybe[str | None] = described(
        "ISO 3166-1 alpha-2, for a phone number in national notation."
    )
    extension: Maybe[str | None] = described("The extension behind a phone number.")
    quiet_time_frames: Maybe[list[QuietTimeFrameInput] | None] = described(
        "When the path is not used. Absent keeps what is stored, null or [] removes it."
    )


@strawberry.input(
    description=(
        "An empty list of values clears the field. Numbers, dates and booleans are given as text "
        "and checked against the field's own type."
    )
)
class CustomFieldInput:
    """A custom field by its name, with its values as text."""

    name: str = strawberry.field(
        description="The field's name; the backend's own case is not needed."
    )
    values: list[str] = strawberry.field(
        description="One value, or several where the field takes several; none clears the field."
    )


@strawberry.input(description="A custom field by the backend's own id, with its values as text.")
class CustomFieldByIdInput:
    """A custom field by the backend's own id, with its values as text."""

    id: ID = strawberry.field(description="The backend's id of the field.")
    values: list[str] = strawberry.field(
        description="One value, or several where the field takes several; none clears the field."
    )


@strawberry.input(description="A null url removes the entry with that ref.")
class ExternalUrlInput:
    """A link kept with the contact in iVvy."""

    ref: str = strawberry.field(description="The entry's unique key.")
    url: Maybe[str | None] = described("The link; https only.")
    label: Maybe[str | None] = described("The text to show.")


@strawberry.input(description="iVvy's own ids and settings; an id here wins over the name outside.")
class IvvyContactInput:
    """iVvy's own ids and settings of a contact."""

    id: Maybe[ID | None] = described("The contact's id in iVvy.")
    group_ids: Maybe[list[ID] | None] = described("Exact membership, by subscription group id.")
    company_ids: Maybe[list[ID] | None] = described("The contact's companies, by id.")
    custom_fields: Maybe[list[CustomFieldByIdInput] | None] = described("Custom fields, by id.")
    update_if_exists: Maybe[bool | None] = described(
        "Let iVvy match an existing contact by first name, last name and email on a create. "
        "Default true, which makes a create safe to repeat; false leaves an unanswered create "
        "UNKNOWN."
    )


@strawberry.input(description="Everbridge's own ids; an id here wins over the name outside.")
class EverbridgeContactInput:
    """Everbridge's own ids of a contact."""

    id: Maybe[ID | None] = described("The contact's id in Everbridge.")
    record_type_id: Maybe[ID | None] = described("The record type, by id.")
    group_ids: Maybe[list[ID] | None] = described("Exact membership, by group id.")
    topic_ids: Maybe[list[ID] | None] = described("The contact's topic subscriptions, by id.")
    attributes: Maybe[list[CustomFieldByIdInput] | None] = described(
        "Contact attributes, by id (orgAttrId)."
    )


@strawberry.input(
    description="SendGrid's own ids and settings; an id here wins over the name outside."
)
class SendGridContactInput:
    """SendGrid's own ids and settings of a contact."""

    list_ids: Maybe[list[ID] | None] = described("Exact membership, by list id.")
    phone_number_id: Maybe[str | None] = described(
        "Identifier; accepted for a new contact, or with the value that the stored contact holds."
    )
    anonymous_id: Maybe[str | None] = described(
        "Identifier; accepted for a new contact, or with the value that the stored contact holds."
    )
    email_change: Maybe[EmailChange | None] = described(
        "What to do when the contact's e-mail address changes, which SendGrid cannot do in place."
    )
    custom_fields: Maybe[list[CustomFieldByIdInput] | None] = described("Custom fields, by id.")


@strawberry.input(
    description=(
        "One contact as every backend can hold it. Names are resolved to each backend's own ids."
    )
)
class ContactInput:
    """One contact as every backend can hold it."""

    external_id: Maybe[ID | None] = described(
        "The contact's key in the caller's own system; the key by which the same person is found "
        "in every backend."
    )
    email: Maybe[str | None] = described("E-mail address.")
    first_name: Maybe[str | None] = described("First name.")
    middle_initial: Maybe[str | None] = described("Middle initial, one character.")
    last_name: Maybe[str | None] = described("Last name.")
    suffix: Maybe[str | None] = described("Suffix of the name, such as Jr.")
    phone: Maybe[str | None] = described(
        "Phone number in any common notation; E.164 is sent where a backend asks for it."
    )
    phone_country_code: Maybe[str | None] = described(
        "The country, ISO 3166-1 alpha-2, by which a national phone number is read; "
        "stored nowhere. Default: the gateway's setting."
    )
    country_code: Maybe[str | None] = described("The contact's country, ISO 3166-1 alpha-2.")
    alternate_emails: Maybe[list[str] | None] = described("Further e-mail addresses; at most five.")
    addresses: Maybe[list[AddressInput] | None] = described(
        "The first address is the primary one; a backend that holds one address gets that."
    )
    record_type_name: Maybe[str | None] = described("Everbridge record type, by name.")
    groups_name: Maybe[list[str] | None] = described(
        "Exact membership, by name: subscription groups in iVvy, groups in Everbridge, lists in "
        "SendGrid."
    )
    add_groups_name: Maybe[list[str] | None] = described(
        "Join these groups and keep the others. Not together with groupsName."
    )
    remove_groups_name: Maybe[list[str] | None] = described(
        "Leave these groups and keep the others. Not together with groupsName."
    )
    paths: Maybe[list[PathInput] | None] = described(
        "Delivery paths in Everbridge, in order of preference; sets the whole list."
    )
    timezone_id: Maybe[str | None] = described(
        "Time zone, by its IANA name such as Europe/Berlin; needed where a path has quiet times."
    )
    custom_fields: Maybe[list[CustomFieldInput] | None] = described(
        "Custom fields (iVvy, SendGrid) and contact attributes (Everbridge), by name; fields not "
        "named stay as they are."
    )
    companies_name: Maybe[list[str] | None] = described("iVvy companies, by name.")
    email_status: Maybe[EmailStatus | None] = described("Whether iVvy may send e-mail.")
    sms_status: Maybe[SmsStatus | None] = described("Whether iVvy may send text messages.")
    external_urls: Maybe[list[ExternalUrlInput] | None] = described(
        "Links to keep with the contact in iVvy; at most three."
    )
    privacy_consent: Maybe[bool | None] = described(
        "Whether the person has consented to being stored."
    )
    ivvy: Maybe[IvvyContactInput | None] = described(
        "Ids and settings of iVvy alone; an id here wins over a name above."
    )
    everbridge: Maybe[EverbridgeContactInput | None] = described(
        "Ids of Everbridge alone; an id here wins over a name above."
    )
    sendgrid: Maybe[SendGridContactInput | None] = described(
        "Ids and settings of SendGrid alone; an id here wins over a name above."
    )
