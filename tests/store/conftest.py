"""The store over both databases: a test that asks for `store` runs on each of them."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg
import pytest

from gateway.store import Store, open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SERVER = "postgresql://postgres@127.0.0.1:5432"


@asynccontextmanager
async def postgres_database() -> AsyncIterator[str]:
    """The URL of a PostgreSQL database of one's own; the test is skipped where there is no server."""
    try:
        server = await asyncpg.connect(f"{SERVER}/postgres", timeout=5)
    except (OSError, asyncpg.PostgresError) as error:
        if os.environ.get("CONTACT_GATEWAY_CI") == "1":
            raise
        pytest.skip(
            f"No PostgreSQL at 127.0.0.1:5432 ({error}). To run these tests too: "
            "docker run -p 127.0.0.1:5432:5432 -e POSTGRES_HOST_AUTH_METHOD=trust postgres"
        )
    name = f"gateway_test_{uuid4().hex}"
    try:
        await server.execute(f"CREATE DATABASE {name}")
        yield f"{SERVER}/{name}"
    finally:
        await server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await server.close()


@pytest.fixture
async def postgres_url() -> AsyncIterator[str]:
    """A PostgreSQL database of the test's own."""
    async with postgres_database() as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An SQLite file of the test's own."""
    return f"sqlite:///{tmp_path / 'gateway.sqlite3'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database of the test's own, of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open store."""
    async with open_store(database_url) as opened:
        yield opened
