"""The store, and how writes are delivered."""

from __future__ import annotations

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

TEMPORARY = "temporary"
"""The DATABASE_URL of a store that is removed at the end."""
DATABASES = ("sqlite:///", "postgresql://", "postgres://")


class DeliverySettings(BaseSettings):
    """What is stored, for how long, and how long each thing may take."""

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

    max_bulk_inputs: int = Field(
        default=10_000,
        gt=0,
        description="Contacts of one upsertContacts; not more than GATEWAY_MAX_LIST_ITEMS, which "
        "bounds every list.",
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

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if value != TEMPORARY and not value.startswith(DATABASES):
            raise ValueError(
                f"{value.partition(':')[0]!r} is no database: give sqlite:/// and a file's name, "
                "postgresql://…, or temporary."
            )
        return value
