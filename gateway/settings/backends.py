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
        description="Address of iVvy's API in the region of the key, such as "
        "https://api.us-west-2.ivvy.com.",
    )
    ivvy_api_key: str | None = Field(default=None, description="iVvy's API key.")
    ivvy_api_secret: SecretStr | None = Field(default=None, description="The secret of that key.")
    ivvy_text_clear: Literal["empty", "null"] = Field(
        default="empty",
        description="What clears a text in iVvy: an empty text, or null. iVvy does not say.",
    )
    ivvy_lead_fields: Annotated[dict[str, str], NoDecode] = Field(
        default={},
        description="iVvy's lead custom fields by name, as JSON: the id, with the type behind it "
        'where that matters, such as {"Budget note": 702, "Delegates": "701 NUMBER"}.',
    )
    ivvy_batch_callback_url: str | None = Field(
        default=None,
        description="Address that iVvy is told for the results of batches. Only where it refuses "
        "batches without one: the gateway asks for the results, and iVvy posts them there as well.",
    )

    everbridge_base_url: str = Field(
        default="https://api.everbridge.net/rest", description="Address of Everbridge's REST API."
    )
    everbridge_organization_id: str | None = Field(
        default=None, description="Everbridge's id of the organization."
    )
    everbridge_username: str | None = Field(
        default=None, description="User, for Basic authentication."
    )
    everbridge_password: SecretStr | None = Field(default=None, description="That user's password.")
    everbridge_token_url: str | None = Field(
        default=None,
        description="Address of the token service, such as "
        "https://api.everbridge.net/authorization/v1/tokens, for client credentials.",
    )
    everbridge_client_id: str | None = Field(default=None, description="Client id, for tokens.")
    everbridge_client_secret: SecretStr | None = Field(
        default=None, description="That client's secret."
    )
    everbridge_email_path: str | None = Field(
        default=None,
        description="Prompt of the contact path that the unified email goes to; unset: ignored.",
    )
    everbridge_phone_path: str | None = Field(
        default=None,
        description="Prompt of the contact path that the unified phone goes to; unset: ignored.",
    )
    everbridge_record_type: str | None = Field(
        default=None, description="Record type, by name, of new contacts that name none."
    )

    everbridge_reads_per_second: int = Field(
        default=10,
        gt=0,
        description="Quota of reads and removals; 10 is what Everbridge's smallest plan allows.",
    )
    everbridge_writes_per_second: int = Field(
        default=5,
        gt=0,
        description="Quota of other writes; 5 is under every limit that Everbridge publishes.",
    )

    sendgrid_base_url: str = Field(
        default="https://api.sendgrid.com", description="Address of SendGrid's API."
    )
    sendgrid_api_key: SecretStr | None = Field(
        default=None, description="SendGrid API key with the Marketing permission."
    )
    sendgrid_identifier: Literal["email", "external_id"] = Field(
        default="email", description="The one identifier type that this SendGrid account uses."
    )

    sendgrid_calls_per_minute: int = Field(
        default=600, gt=0, description="Quota of calls to SendGrid other than searches by query."
    )

    sendgrid_window_ms: int = Field(
        default=10,
        ge=0,
        le=1000,
        description="Milliseconds that an upsert to SendGrid waits for others that can leave in the "
        "same call; 0 sends each alone.",
    )

    default_country: str | None = Field(
        default=None,
        description="ISO 3166-1 alpha-2; reads national phone numbers of inputs without "
        "phoneCountryCode.",
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
