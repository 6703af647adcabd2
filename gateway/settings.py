"""Every setting, in one table: read once at start from the environment, `.env` or gateway.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from gateway.errors import SettingsError
from gateway.values import read_country

PREFIX = "GATEWAY_"

TEMPORARY = "temporary"
"""The DATABASE_URL of a store that is removed at the end."""
DATABASES = ("sqlite:///", "postgresql://", "postgres://")

LEAD_FIELD_TYPES = ("TEXT", "NUMBER", "DATE", "CHOICE", "MULTIPLE_CHOICE")
_LEAD_FIELD = re.compile(rf"[1-9][0-9]{{0,17}}( ({'|'.join(LEAD_FIELD_TYPES)}))?")

BACKEND_SETTINGS: dict[str, tuple[tuple[str, ...], ...]] = {
    "iVvy": (("ivvy_base_url", "ivvy_api_key", "ivvy_api_secret"),),
    "Everbridge": (
        ("everbridge_organization_id", "everbridge_username", "everbridge_password"),
        (
            "everbridge_organization_id",
            "everbridge_token_url",
            "everbridge_client_id",
            "everbridge_client_secret",
        ),
    ),
    "SendGrid": (("sendgrid_api_key",),),
}
"""What a backend needs: one of these sets, whole. With nothing of it set, it is not configured."""


class Settings(BaseSettings):
    """The gateway's settings; each is GATEWAY_ and its name in capitals in the environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        extra="ignore",
        env_ignore_empty=True,
    )

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
    ivvy_lead_fields: dict[str, str] = Field(
        default={},
        description="iVvy's lead custom fields by name, as JSON: the id, with the type behind it "
        'where that matters, such as {"Budget note": 702, "Delegates": "701 NUMBER"}.',
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

    database_url: str = Field(
        default="sqlite:///contact-gateway.sqlite3",
        description="Where the gateway keeps what it must not forget: sqlite:///FILE for one "
        "process, postgresql://… where several share the work, or temporary, which forgets all "
        "at the end.",
    )

    idempotency_hours: float = Field(
        default=24.0,
        gt=0,
        description="Hours for which an idempotency key is known; one of a durable call is known at "
        "least as long as its operation.",
    )

    lease_seconds: float = Field(
        default=15.0,
        gt=0,
        description="Seconds after which the work of a process that has died is taken over.",
    )
    delivery_hours: float = Field(
        default=72.0, gt=0, description="Hours for which a durable write is tried."
    )
    job_look_seconds: float = Field(
        default=10.0,
        gt=0,
        description="Seconds before SendGrid is asked how the job of a durable write stands.",
    )
    job_follow_minutes: float = Field(
        default=60.0,
        gt=0,
        description="Minutes for which such a job is asked after; then the write is UNCONFIRMED.",
    )
    keep_operations_days: float = Field(
        default=30.0, gt=0, description="Days for which an operation is kept once it has ended."
    )
    shutdown_seconds: float = Field(
        default=20.0,
        gt=0,
        description="Seconds that running requests and steps have to end by themselves on SIGTERM.",
    )

    default_country: str | None = Field(
        default=None,
        description="ISO 3166-1 alpha-2; reads national phone numbers of inputs without "
        "phoneCountryCode.",
    )
    auth: Literal["auto", "none"] = Field(
        default="auto",
        description="Who may call: auto lets every caller in on the loopback address and refuses "
        "to serve another; none lets every caller in everywhere.",
    )
    catalog_ttl_seconds: float = Field(
        default=300.0, gt=0, description="Seconds for which lists of names are kept."
    )
    request_timeout_seconds: float = Field(
        default=30.0, gt=0, description="Seconds that one request may take, retries included."
    )
    try_timeout_seconds: float = Field(
        default=10.0, gt=0, description="Seconds that one try of one call to a backend may take."
    )
    plan_wait_seconds: float = Field(
        default=2.0,
        gt=0,
        description="Seconds that the targets of a write wait for one that is silent.",
    )

    production: bool = Field(
        default=False,
        description="Whether introspection, suggestions of names in GraphQL errors and the explorer "
        "are off.",
    )
    trusted_documents: Path | None = Field(
        default=None,
        description="JSON file of known operations, an object of id and document; unset: any "
        "operation may be sent.",
    )
    unknown_documents: Literal["refuse", "log"] | None = Field(
        default=None,
        description="What becomes of an operation that is not in that file: refuse it, or log and "
        "run it; unset: refuse in production, log elsewhere.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Origins of web pages that may call from a browser, separated by commas, such "
        "as https://app.example.com; * lets in every page.",
    )
    operation_timeout_seconds: float = Field(
        default=60.0,
        gt=0,
        description="Seconds after which an operation that still runs is ended; more than "
        "GATEWAY_REQUEST_TIMEOUT_SECONDS, within which it ends by itself.",
    )
    max_body_bytes: int = Field(
        default=1_048_576,
        gt=0,
        description="Bytes of a request's body, or of a WebSocket's message.",
    )
    max_tokens: int = Field(default=5_000, gt=0, description="Tokens of an operation's document.")
    max_depth: int = Field(
        default=15, gt=0, description="Levels in which an operation nests fields."
    )
    max_aliases: int = Field(default=100, ge=0, description="Aliases in one operation.")
    max_root_fields: int = Field(
        default=30, gt=0, description="Queries or mutations in one operation."
    )
    max_fragments: int = Field(
        default=100, ge=0, description="Fragments and spreads of them in one document."
    )
    max_directives: int = Field(default=50, ge=0, description="Directives in one document.")
    max_list_items: int = Field(
        default=10_000, gt=0, description="Items of one list in the variables or in a document."
    )
    max_input_depth: int = Field(
        default=20,
        gt=0,
        description="Levels in which a variable or a value in a document nests lists and objects.",
    )
    max_subscriptions: int = Field(
        default=100, gt=0, description="Operations that run at once over one WebSocket."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over `.env`, and that over gateway.toml."""
        toml = TomlConfigSettingsSource(settings_cls, Path("gateway.toml"))
        return (init_settings, env_settings, dotenv_settings, toml, file_secret_settings)

    @field_validator("ivvy_lead_fields", mode="before")
    @classmethod
    def _lead_fields(cls, value: object) -> object:
        """A table of texts; an id may stand there as a number."""
        if not isinstance(value, dict):
            return value
        table = {str(name): str(text) for name, text in value.items()}
        for name, text in table.items():
            if not _LEAD_FIELD.fullmatch(text):
                raise ValueError(
                    f"{name!r} has {text!r}: give the field's id, such as 702, or the id and a "
                    f"type, such as '702 NUMBER'; the types are {', '.join(LEAD_FIELD_TYPES)}."
                )
        return table

    @field_validator("default_country")
    @classmethod
    def _country(cls, value: str | None) -> str | None:
        return None if value is None else read_country(value)

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if value != TEMPORARY and not value.startswith(DATABASES):
            raise ValueError(
                f"{value.partition(':')[0]!r} is no database: give sqlite:/// and a file's name, "
                "postgresql://…, or temporary."
            )
        return value

    @field_validator("ivvy_base_url", "everbridge_base_url", "sendgrid_base_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError(f"{value!r} is not an address: it must start with https://.")
        return value.rstrip("/") if value else None

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _origins(cls, value: str | Sequence[str]) -> tuple[str, ...]:
        named = value.split(",") if isinstance(value, str) else value
        origins = tuple(part.strip().rstrip("/").lower() for part in named if part.strip())
        for origin in origins:
            parts = urlsplit(origin)
            whole = f"{parts.scheme}://{parts.netloc}"
            if origin != "*" and (parts.scheme not in {"http", "https"} or whole != origin):
                raise ValueError(f"{origin!r} is not an origin such as https://app.example.com.")
        return origins

    @model_validator(mode="after")
    def _whole_backends(self) -> Settings:
        problems = [problem for name in BACKEND_SETTINGS if (problem := self._gap(name))]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _gap(self, backend: str) -> str | None:
        """What is missing of a backend that is configured in part."""
        sets = BACKEND_SETTINGS[backend]
        missing = [[name for name in names if not getattr(self, name)] for names in sets]
        started = any(len(gap) < len(names) for gap, names in zip(missing, sets, strict=True))
        if not started or not all(missing):
            return None
        needed = min(missing, key=len)
        return f"{backend} is configured in part: set {' and '.join(map(variable, needed))} too."


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def load_settings() -> Settings:
    """The settings as they are now; raises SettingsError with every problem."""
    try:
        return Settings()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"gateway.toml or .env cannot be read: {error}"]) from None
    except ValidationError as error:
        problems: list[str] = []
        for item in error.errors(include_input=False, include_url=False):
            text = item["msg"].removeprefix("Value error, ")
            name = variable(str(item["loc"][0])) + ": " if item["loc"] else ""
            problems += [name + line for line in text.splitlines()]
        raise SettingsError(problems) from None
