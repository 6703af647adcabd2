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
        description="Database for everything that must outlast a restart: sqlite:///FILE for one "
        "process; postgresql://… for several (needs contact-gateway[postgres]); "
        "temporary keeps nothing after the end.",
    )

    idempotency_hours: float = Field(
        default=24.0,
        gt=0,
        description="Hours for which an idempotency key is kept; that of a durable call is kept at "
        "least as long as its operation.",
    )

    max_bulk_inputs: int = Field(
        default=10_000,
        gt=0,
        description="Contacts in one upsertContacts; at most GATEWAY_MAX_LIST_ITEMS.",
    )

    lease_seconds: float = Field(
        default=15.0,
        gt=0,
        description="Seconds after which another process takes over what a dead one was doing. Keep "
        "it above GATEWAY_TRY_TIMEOUT_SECONDS.",
    )
    delivery_hours: float = Field(
        default=72.0,
        gt=0,
        description="Hours for which the gateway tries to deliver a durable write.",
    )
    job_look_seconds: float = Field(
        default=10.0,
        gt=0,
        description="Seconds after which SendGrid is first asked whether it has applied a durable "
        "write.",
    )
    job_follow_minutes: float = Field(
        default=60.0,
        gt=0,
        description="Minutes after which the gateway stops asking; then the write is UNCONFIRMED.",
    )
    keep_operations_days: float = Field(
        default=30.0, gt=0, description="Days for which an operation that has ended is kept."
    )
    shutdown_seconds: float = Field(
        default=20.0,
        gt=0,
        description="Seconds that running requests may take after SIGTERM, and then again that "
        "steps in hand may take.",
    )

    catalog_ttl_seconds: float = Field(
        default=300.0,
        gt=0,
        description="Seconds for which the backends' lists of names (groups, custom fields, …) are "
        "kept.",
    )
    request_timeout_seconds: float = Field(
        default=30.0,
        gt=0,
        description="Seconds that a request may take for its calls to backends, retries included.",
    )
    try_timeout_seconds: float = Field(
        default=10.0, gt=0, description="Seconds that one try of a call to a backend may take."
    )
    plan_wait_seconds: float = Field(
        default=2.0,
        gt=0,
        description="Seconds that the targets of a write wait for one that does not answer, before "
        "they go on without it.",
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
