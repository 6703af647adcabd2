"""The backends' addresses, credentials and quotas."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

import orjson
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from gateway.model import Backend
from gateway.values import read_country

LEAD_FIELD_TYPES = ("TEXT", "NUMBER", "DATE", "CHOICE", "MULTIPLE_CHOICE")
_LEAD_FIELD = re.compile(rf"[1-9][0-9]{{0,17}}( ({'|'.join(LEAD_FIELD_TYPES)}))?")
_ORGANIZATION = re.compile(r"[1-9][0-9]{0,15}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

BACKEND_SETTINGS: dict[Backend, tuple[tuple[str, ...], ...]] = {
    Backend.IVVY: (("ivvy_base_url", "ivvy_api_key", "ivvy_api_secret"),),
    Backend.EVERBRIDGE: (
        ("everbridge_organization_id", "everbridge_username", "everbridge_password"),
        (
            "everbridge_organization_id",
            "everbridge_token_url",
            "everbridge_client_id",
            "everbridge_client_secret",
        ),
    ),
    Backend.SENDGRID: (("sendgrid_api_key",),),
}
"""What a backend needs: one of these sets, whole. With nothing of it set, it is not configured."""
PASSWORDS = ("ivvy_api_secret", "everbridge_password", "everbridge_client_secret")
CREDENTIALS = (
    *("ivvy_api_key", "sendgrid_api_key", "everbridge_username", "everbridge_client_id"),
    *PASSWORDS,
)
LEAD_FIELDS_ARE = 'give the fields by name, such as {"Budget note": 702, "Delegates": "701 NUMBER"}'


class BackendSettings(BaseSettings):
    """What is set for each backend."""

    ivvy_base_url: str | None = Field(
        default=None,
        description="Address of iVvy's API in the region that the key belongs to, such as "
        "https://api.us-west-2.ivvy.com.",
    )
    ivvy_api_key: str | None = Field(default=None, description="iVvy's API key.")
    ivvy_api_secret: SecretStr | None = Field(
        default=None, description="The secret that belongs to that key."
    )
    ivvy_text_clear: Literal["empty", "null"] = Field(
        default="empty",
        description="What the gateway sends to clear a text: empty (an empty text) or null. iVvy "
        "does not document which one works.",
    )
    ivvy_lead_fields: Annotated[dict[str, str], NoDecode] = Field(
        default={},
        description="Custom fields of leads, which iVvy does not list: a JSON object of names and "
        "ids, each id followed by the field's type if it is not plain text, such as "
        '{"Budget note": 702, "Delegates": "701 NUMBER"}.',
    )
    ivvy_batch_callback_url: str | None = Field(
        default=None,
        description="Only for accounts where iVvy refuses batches without a callback address: the "
        "address to name. iVvy posts the results there; the gateway asks for them "
        "itself.",
    )

    everbridge_base_url: str = Field(
        default="https://api.everbridge.net/rest", description="Address of Everbridge's REST API."
    )
    everbridge_organization_id: str | None = Field(
        default=None, description="The organization's id in Everbridge."
    )
    everbridge_username: str | None = Field(
        default=None, description="User name, for Basic authentication."
    )
    everbridge_password: SecretStr | None = Field(default=None, description="That user's password.")
    everbridge_token_url: str | None = Field(
        default=None,
        description="Address of the token service, for client credentials instead of a user, such "
        "as https://api.everbridge.net/authorization/v1/tokens.",
    )
    everbridge_client_id: str | None = Field(
        default=None, description="Client id, for client credentials."
    )
    everbridge_client_secret: SecretStr | None = Field(
        default=None, description="The secret that belongs to that client id."
    )
    everbridge_email_path: str | None = Field(
        default=None,
        description="Prompt (name) of the contact path that holds a contact's `email`. Unset: "
        "Everbridge gets no `email`.",
    )
    everbridge_phone_path: str | None = Field(
        default=None,
        description="Prompt (name) of the contact path that holds a contact's `phone`. Unset: "
        "Everbridge gets no `phone`.",
    )
    everbridge_record_type: str | None = Field(
        default=None, description="Name of the record type for new contacts whose input has none."
    )

    everbridge_reads_per_second: int = Field(
        default=10,
        gt=0,
        description="At most so many reads and removals from groups a second; Everbridge's smallest "
        "plan allows 10.",
    )
    everbridge_writes_per_second: int = Field(
        default=5,
        gt=0,
        description="At most so many other writes a second; 5 is below every limit that Everbridge "
        "publishes.",
    )

    sendgrid_base_url: str = Field(
        default="https://api.sendgrid.com", description="Address of SendGrid's API."
    )
    sendgrid_api_key: SecretStr | None = Field(
        default=None, description="SendGrid API key with the Marketing permission."
    )
    sendgrid_identifier: Literal["email", "external_id"] = Field(
        default="email",
        description="How this SendGrid account identifies contacts: by email or external_id. Choose "
        "once.",
    )

    sendgrid_calls_per_minute: int = Field(
        default=600,
        gt=0,
        description="At most so many calls to SendGrid a minute. Searches by query, with a quota of "
        "their own, do not count.",
    )

    sendgrid_window_ms: int = Field(
        default=10,
        ge=0,
        le=1000,
        description="Milliseconds that an upsert to SendGrid waits for others to leave in the same "
        "call, up to 1000; 0: each leaves alone.",
    )

    default_country: str | None = Field(
        default=None,
        description="Country (ISO 3166-1 alpha-2, such as GB) of national phone numbers in inputs "
        "without phoneCountryCode. Unset: such numbers are INVALID.",
    )

    @field_validator("ivvy_lead_fields", mode="before")
    @classmethod
    def _lead_fields(cls, value: object) -> object:
        """A table of texts; an id may stand there as a number."""
        if isinstance(value, str):
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError as error:
                raise ValueError(f"It is no JSON ({error}): {LEAD_FIELDS_ARE}") from None
        if not isinstance(value, dict):
            raise ValueError(f"It is no JSON object: {LEAD_FIELDS_ARE}")
        table = {str(name): str(text) for name, text in value.items()}
        for name, text in table.items():
            if not _LEAD_FIELD.fullmatch(text):
                raise ValueError(
                    f"{name!r} has {text!r}: give the field's id, such as 702, or the id and a "
                    f"type, such as '702 NUMBER'; the types are {', '.join(LEAD_FIELD_TYPES)}."
                )
        return table

    @field_validator("ivvy_base_url", "everbridge_base_url", "sendgrid_base_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not _CONTROL.search(value) and ("?" in value or "#" in value):
            raise ValueError("What stands behind the path (? or #) is no part of a base URL")
        return _checked_address(value.rstrip("/"))

    @field_validator(*CREDENTIALS)
    @classmethod
    def _credential(cls, value: str | SecretStr | None) -> str | SecretStr | None:
        """It goes into headers; a wrong one is not shown."""
        text = value.get_secret_value() if isinstance(value, SecretStr) else value or ""
        if _CONTROL.search(text):
            raise ValueError("It has a line break or another control character in it")
        return value

    @field_validator("everbridge_organization_id")
    @classmethod
    def _organization(cls, text: str | None) -> str | None:
        """It stands in the path of every call."""
        if text is None or _ORGANIZATION.fullmatch(text.strip()):
            return text and text.strip()
        raise ValueError(f"{text!r} is no id of Everbridge: give its digits, at most 16")

    @field_validator("ivvy_batch_callback_url")
    @classmethod
    def _callback(cls, value: str | None) -> str | None:
        return None if value is None else _checked_address(value)

    @field_validator("default_country")
    @classmethod
    def _country(cls, value: str | None) -> str | None:
        return None if value is None else read_country(value)


def _checked_address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError(f"{value!r} is not an address: it must start with https://.")
    parts = urlsplit(value)
    # To ask for the port raises ValueError with what is wrong with it.
    if _CONTROL.search(value) or " " in value or not parts.hostname or parts.port == 0:
        raise ValueError(f"{value!r} is not an address such as https://api.example.com.")
    return value
