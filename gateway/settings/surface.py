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
    prepared_operations: bool = Field(
        default=True,
        description="Whether operations are made ready once and run by the gateway's own executor, "
        "where it handles them; off: all are run by graphql-core, to the same effect.",
    )
    max_body_bytes: int = Field(
        default=1_048_576,
        gt=0,
        description="Bytes of a request's body, or of a WebSocket's message.",
    )
    max_bulk_body_bytes: int = Field(
        default=16_777_216,
        gt=0,
        description="Bytes of the body of a request that asks for upsertContacts alone.",
    )
    body_timeout_seconds: float = Field(
        default=30.0,
        gt=0,
        description="Seconds in which a request's body has to come; one more for each 1,000 bytes "
        "that are there, so that slow lines may send large ones.",
    )
    max_document_characters: int = Field(
        default=100_000,
        gt=0,
        description="Characters of an operation's document, white space and comments among them.",
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
    max_subscriptions_per_caller: int = Field(
        default=100,
        gt=0,
        description="Subscriptions of one caller that are open at once in one process, over all "
        "WebSockets and streams of events; all callers are one where they are not told apart.",
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
