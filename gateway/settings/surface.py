"""What callers meet: who may call, from where, and how much."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

from gateway.settings.texts import texts


class SurfaceSettings(BaseSettings):
    """The HTTP surface and its limits."""

    production: bool = Field(
        default=False,
        description="Turns off introspection, GraphiQL, and suggestions in GraphQL's errors.",
    )
    trusted_documents: Path | None = Field(
        default=None,
        description="JSON file of the operations that clients may send: an object of ids and "
        "documents. Unset: any operation may be sent.",
    )
    unknown_documents: Literal["refuse", "log"] | None = Field(
        default=None,
        description="What happens to an operation that is not in that file: refuse, or log (and run "
        "it). Unset: refuse if GATEWAY_PRODUCTION is true, else log.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Web pages that may call from browsers: their origins, separated by commas, "
        "such as https://app.example.com; *: all.",
    )
    operation_timeout_seconds: float = Field(
        default=60.0,
        gt=0,
        description="Seconds after which an operation is stopped. Must be more than "
        "GATEWAY_REQUEST_TIMEOUT_SECONDS, so that the gateway can end it in order "
        "before.",
    )
    prepared_operations: bool = Field(
        default=True,
        description="Runs repeated operations by a faster executor of the gateway's own. false: all "
        "are run by graphql-core, with the same results.",
    )
    max_body_bytes: int = Field(
        default=1_048_576,
        gt=0,
        description="Bytes in the body of a request, or in a message of a WebSocket.",
    )
    max_bulk_body_bytes: int = Field(
        default=16_777_216,
        gt=0,
        description="Bytes in the body of a request for nothing but upsertContacts.",
    )
    body_timeout_seconds: float = Field(
        default=30.0,
        gt=0,
        description="Seconds in which a request's body must arrive, plus one for each 1,000 bytes "
        "that have arrived.",
    )
    max_document_characters: int = Field(
        default=100_000,
        gt=0,
        description="Characters in an operation's document, white space and comments included.",
    )
    max_tokens: int = Field(default=5_000, gt=0, description="Tokens in an operation's document.")
    max_depth: int = Field(
        default=15, gt=0, description="Levels of fields within fields in an operation."
    )
    max_aliases: int = Field(default=100, ge=0, description="Aliases in one operation.")
    max_root_fields: int = Field(
        default=30, gt=0, description="Queries or mutations in one operation."
    )
    max_fragments: int = Field(
        default=100, ge=0, description="Fragments and uses of fragments in one document."
    )
    max_directives: int = Field(default=50, ge=0, description="Directives in one document.")
    max_list_items: int = Field(
        default=10_000, gt=0, description="Items of one list, in variables or in a document."
    )
    max_input_depth: int = Field(
        default=20,
        gt=0,
        description="Levels of lists and objects within each other in a variable or a value.",
    )
    max_subscriptions: int = Field(
        default=100, gt=0, description="Operations at the same time over one WebSocket."
    )
    max_subscriptions_per_caller: int = Field(
        default=100,
        gt=0,
        description="Subscriptions that one caller may have open at the same time in one process. "
        "Without API keys and JWTs all callers count as one.",
    )

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _origins(cls, value: object) -> tuple[str, ...]:
        origins = tuple(part.strip().rstrip("/").lower() for part in texts(value) if part.strip())
        for origin in origins:
            parts = urlsplit(origin)
            whole = f"{parts.scheme}://{parts.netloc}"
            if origin != "*" and (parts.scheme not in {"http", "https"} or whole != origin):
                raise ValueError(f"{origin!r} is not an origin such as https://app.example.com.")
        return origins
