"""What the backends hold, in the unified model's words: the answers of the reading side."""

from __future__ import annotations

import strawberry
from strawberry import ID
from strawberry.scalars import JSON

from gateway.model import Backend, EmailStatus, SmsStatus, Weekday
from gateway.results import Problem


@strawberry.type(description="A postal address.")
class Address:
    """A postal address."""

    location_name: str | None = strawberry.field(
        default=None, description="Name of the address, such as Office."
    )
    line1: str | None = strawberry.field(default=None, description="Street and number.")
    line2: str | None = strawberry.field(default=None, description="Suite, floor or the like.")
    city: str | None = strawberry.field(default=None, description="City or town.")
    region: str | None = strawberry.field(default=None, description="State, province or region.")
    postal_code: str | None = strawberry.field(default=None, description="Postal or ZIP code.")
    country_code: str | None = strawberry.field(
        default=None, description="The country, ISO 3166-1 alpha-2, such as GB."
    )
    latitude: float | None = strawberry.field(default=None, description="Degrees, -90 to 90.")
    longitude: float | None = strawberry.field(default=None, description="Degrees, -180 to 180.")


@strawberry.type(
    description="A weekly time in which the path is not used, local to the contact's timezoneId; "
    "it may cross midnight."
)
class QuietTimeFrame:
    """A weekly time in which a path is not used."""

    name: str | None = strawberry.field(default=None, description="What the frame is called.")
    days: list[Weekday] = strawberry.field(description="The days on which the frame begins.")
    from_hour: int = strawberry.field(description="0 to 23")
    from_minute: int = strawberry.field(description="0 to 59")
    to_hour: int = strawberry.field(description="0 to 23")
    to_minute: int = strawberry.field(description="0 to 59")


@strawberry.type(description="One way to reach the contact.")
class Path:
    """One way to reach a contact."""

    path_id: ID | None = strawberry.field(default=None, description="The path's id in Everbridge.")
    prompt: str | None = strawberry.field(default=None, description="The path's name there.")
    value: str = strawberry.field(description="The phone number, e-mail address or other address.")
    country_code: str | None = strawberry.field(
        default=None, description="ISO 3166-1 alpha-2, for a phone number in national notation."
    )
    extension: str | None = strawberry.field(
        default=None, description="The extension behind a phone number."
    )
    quiet_time_frames: list[QuietTimeFrame] = strawberry.field(
        default_factory=list, description="When the path is not used."
    )


@strawberry.type(description="A link kept with the contact in iVvy.")
class ExternalUrl:
    """A link kept with a contact in iVvy."""

    ref: str = strawberry.field(description="The entry's unique key.")
    url: str | None = strawberry.field(default=None, description="The link.")
    label: str | None = strawberry.field(default=None, description="The text to show.")


@strawberry.type(description="A custom field's or contact attribute's values.")
class CustomFieldValue:
    """A custom field's values."""

    id: ID = strawberry.field(description="The backend's id of the field.")
    name: str | None = strawberry.field(
        default=None, description="The field's name; null when the backend's list lacks the id."
    )
    values: list[str] = strawberry.field(
        description="As `customFields` of the input takes them; options by their labels."
    )


@strawberry.type(description="Everything that ContactInput can set, as one backend holds it.")
class ContactRecord:
    """A contact as one backend holds it."""

    backend: Backend = strawberry.field(description="The backend that holds it.")
    id: ID = strawberry.field(description="The backend's own id.")
    external_id: ID | None = strawberry.field(
        default=None, description="The contact's key in the caller's own system."
    )
    email: str | None = strawberry.field(default=None, description="E-mail address.")
    first_name: str | None = strawberry.field(default=None, description="First name.")
    middle_initial: str | None = strawberry.field(default=None, description="Middle initial.")
    last_name: str | None = strawberry.field(default=None, description="Last name.")
    suffix: str | None = strawberry.field(default=None, description="Suffix of the name.")
    phone: str | None = strawberry.field(
        default=None, description="E.164 where the number could be read, otherwise as it is held."
    )
    country_code: str | None = strawberry.field(
        default=None, description="The contact's country, ISO 3166-1 alpha-2."
    )
    alternate_emails: list[str] = strawberry.field(
        default_factory=list, description="Further e-mail addresses."
    )
    addresses: list[Address] = strawberry.field(
        default_factory=list, description="The first address is the primary one."
    )
    record_type_name: str | None = strawberry.field(
        default=None, description="Everbridge record type."
    )
    groups_name: list[str] = strawberry.field(
        default_factory=list,
        description="Names of the groups it belongs to; a group without a name there is shown by "
        "its id.",
    )
    paths: list[Path] = strawberry.field(
        default_factory=list, description="Delivery paths in order of preference."
    )
    timezone_id: str | None = strawberry.field(
        default=None, description="Time zone, by its IANA name."
    )
    custom_fields: list[CustomFieldValue] = strawberry.field(
        default_factory=list,
        description="Custom fields that have a value and that the backend lets be written.",
    )
    companies_name: list[str] = strawberry.field(
        default_factory=list, description="Its companies in iVvy."
    )
    email_status: EmailStatus | None = strawberry.field(
        default=None, description="Whether iVvy may send e-mail; null while registering."
    )
    sms_status: SmsStatus | None = strawberry.field(
        default=None, description="Whether iVvy may send text messages."
    )
    external_urls: list[ExternalUrl] = strawberry.field(
        default_factory=list, description="Links kept with the contact."
    )
    raw: JSON = strawberry.field(description="The backend's own record.")


@strawberry.type(description="One backend's value of a field.")
class BackendValue:
    """One backend's value of a field."""

    backend: Backend = strawberry.field(description="The backend that holds the value.")
    value: str | None = strawberry.field(default=None, description="The value, as text.")


@strawberry.type(description="A field on which the backends disagree.")
class FieldDifference:
    """A field on which the backends disagree."""

    field: str = strawberry.field(
        description="The field's name in ContactInput; of the addresses the first one is compared."
    )
    values: list[BackendValue] = strawberry.field(
        description="What each backend that was read and can hold the field has."
    )


@strawberry.type(
    description=(
        "One person, read from all backends. Each field has the first value found, in the "
        "order of the Backend enum."
    )
)
class Contact:
    """One contact as all backends hold it."""

    external_id: ID | None = strawberry.field(
        default=None, description="The contact's key in the caller's own system."
    )
    email: str | None = strawberry.field(default=None, description="E-mail address.")
    first_name: str | None = strawberry.field(default=None, description="First name.")
    last_name: str | None = strawberry.field(default=None, description="Last name.")
    phone: str | None = strawberry.field(default=None, description="Phone number.")
    records: list[ContactRecord] = strawberry.field(description="What each backend holds.")
    errors: list[Problem] = strawberry.field(
        description="Backends that could not be read, or hold several contacts that fit: their "
        "records are missing. Also lists of names that could not be read: then ids stand for them."
    )
    differences: list[FieldDifference] = strawberry.field(
        description="Fields on which the backends disagree, of those that at least two of them can "
        "hold; groups and custom fields one by one, such as customFields.Shift."
    )
