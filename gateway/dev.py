"""The sandbox served: alone, or in one process with the gateway. Nothing else imports it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.applications import Starlette

from gateway.app import create_app
from gateway.sandbox.app import create_sandbox
from gateway.settings import PREFIX, TEMPORARY, Settings
from gateway.store.opening import SQLITE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pydantic_settings import PydanticBaseSettingsSource

    from gateway.sandbox.app import Sandbox

APPLY_SECONDS, FINISH_SECONDS = 2.0, 3.0
"""SendGrid's real 30 s and more are too long to look at."""

LOOK_SECONDS = 1.0
"""How soon the gateway looks at those jobs again, which end that much sooner than real ones."""


LEAD_FIELDS = {"Delegates": "701 NUMBER", "Budget note": "702 TEXT", "Season": "703 CHOICE"}
"""The simulated iVvy's lead custom fields, which it does not list either."""


class SandboxSettings(Settings):
    """Settings that are what the code says: real credentials lying about are not mixed in."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,  # noqa: ARG003
        **named: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing but the values given."""
        return (init_settings,)


def sandbox_settings(address: str, **more: Any) -> Settings:
    """Settings that point at a sandbox at `address`, such as http://127.0.0.1:8100.

    `more` sets or overrides single settings.
    """
    values: dict[str, Any] = {
        "ivvy_base_url": f"{address}/ivvy",
        "ivvy_api_key": "sandbox-key",
        "ivvy_api_secret": SecretStr("sandbox-secret"),
        "everbridge_base_url": f"{address}/everbridge/rest",
        "everbridge_organization_id": "1000000000000001",
        "everbridge_username": "sandbox",
        "everbridge_password": SecretStr("sandbox"),
        "everbridge_email_path": "Work Email",
        "everbridge_phone_path": "Mobile Phone",
        "everbridge_record_type": "Employee",
        # The sandbox has no quotas unless its switches say so.
        "everbridge_reads_per_second": 10_000,
        "everbridge_writes_per_second": 10_000,
        "sendgrid_calls_per_minute": 100_000,
        "sendgrid_base_url": f"{address}/sendgrid",
        "sendgrid_api_key": SecretStr("SG.sandbox.key"),
        "default_country": "GB",
        "database_url": TEMPORARY,
        "ivvy_lead_fields": LEAD_FIELDS,
    }
    return SandboxSettings(**(values | more))


def new_sandbox(database: Path | None = None) -> Sandbox:
    """A sandbox whose SendGrid applies its jobs within seconds."""
    sandbox = create_sandbox(database=database)
    sandbox.sendgrid.start_with(apply_seconds=APPLY_SECONDS, finish_seconds=FINISH_SECONDS)
    return sandbox


class KeptSettings(BaseSettings):
    """What of the environment counts in `gateway dev`: where to keep what is written."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore")

    database_url: str = TEMPORARY

    @property
    def sandbox_file(self) -> Path | None:
        """Where the sandbox keeps its state: beside the database, or nowhere."""
        if self.database_url == TEMPORARY:
            return None
        name = self.database_url.removeprefix(SQLITE)
        kept = Path(name) if name != self.database_url else Path("contact-gateway.sqlite3")
        return kept.with_name(f"sandbox-{kept.name}")


def create_dev_app(port: int) -> Starlette:
    """The gateway and its sandbox at one address."""
    kept = KeptSettings()
    settings = sandbox_settings(
        f"http://127.0.0.1:{port}",
        database_url=kept.database_url,
        job_look_seconds=LOOK_SECONDS,
    )
    sandbox = new_sandbox(kept.sandbox_file)
    return _closing(create_app(settings, more_routes=sandbox.routes), sandbox)


def _closing(app: Starlette, sandbox: Sandbox) -> Starlette:
    """The app, which closes the sandbox when it ends."""
    alone = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(started: Starlette) -> AsyncIterator[None]:
        try:
            async with alone(started):
                yield
        finally:
            sandbox.close()

    app.router.lifespan_context = lifespan
    return app


def create_sandbox_app() -> Starlette:
    """The sandbox alone."""
    return Starlette(routes=new_sandbox().routes)
