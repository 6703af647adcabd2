"""`gateway steps`: what waits for a person, and settling it, beside a gateway that serves."""

from __future__ import annotations

import asyncio
import json
import os
from asyncio.subprocess import PIPE
from typing import TYPE_CHECKING

import pytest

from gateway.commands.steps import list_stuck, resolve
from gateway.dev import sandbox_settings
from gateway.errors import SettingsError
from tests.harness import SANDBOX, running
from tests.operations.calls import operation, until_ended
from tests.operations.durable import stuck
from tests.program import HERE

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock


async def program(url: str, *words: str) -> tuple[str, str]:
    """What the program prints and logs."""
    given = os.environ | {"GATEWAY_DATABASE_URL": url}
    process = await asyncio.create_subprocess_exec(
        *HERE, *words, env=given, stdout=PIPE, stderr=PIPE
    )
    told, logged = await process.communicate()
    return told.decode(), logged.decode()


@pytest.mark.usefixtures("soon")
async def test_a_step_is_listed_and_settled_beside_a_gateway_that_serves(
    sandbox: Sandbox, clock: ManualClock, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.sqlite3'}"
    settings = sandbox_settings(SANDBOX, database_url=url)
    async with running(sandbox, clock, database_url=url) as gateway:
        assert await list_stuck(settings) == ["No step waits for a person."]
        operation_id, step_id = await stuck(gateway, drop="before")
        [line] = await list_stuck(settings)
        assert line.startswith(f"step {step_id}  CONTACT to IVVY externalId E-3001")
        assert operation_id in line
        assert await resolve(settings, step_id, "nothing", None) == (
            False,
            "'nothing' is none of RETRY, GIVE_UP, WRITTEN, NOT_WRITTEN.",
        )
        done, _told = await resolve(settings, "4711", "RETRY", None)
        assert not done
        done, told = await resolve(settings, step_id, "not_written", None)
        assert (done, told) == (True, f"Step {step_id} is QUEUED now.")
        assert (await until_ended(gateway, operation_id))["status"] == "SUCCEEDED"
        assert (await operation(gateway, operation_id))["failed"] == 0


@pytest.mark.usefixtures("soon")
async def test_the_command_leaves_an_audit_line_as_the_mutation_does(
    sandbox: Sandbox, clock: ManualClock, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.sqlite3'}"
    async with running(sandbox, clock, database_url=url) as gateway:
        operation_id, step_id = await stuck(gateway, drop="before")
        told, logged = await program(url, "steps", "resolve", step_id, "not_written")
        assert told == f"Step {step_id} is QUEUED now.\n"
        [said] = [json.loads(text) for text in logged.splitlines()]
        assert (said["event"], said["mutation"], said["caller"]) == ("audit", "resolveStep", "cli")
        assert (said["step"], said["said"], said["outcome"]) == (step_id, "NOT_WRITTEN", "QUEUED")
        async with asyncio.timeout(20):
            while (await until_ended(gateway, operation_id))["status"] != "SUCCEEDED":
                pass  # it waits for a person until the gateway looks again


async def test_without_a_lasting_store_there_is_nothing_to_settle() -> None:
    with pytest.raises(SettingsError):
        await list_stuck(sandbox_settings(SANDBOX))


async def test_a_store_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    settings = sandbox_settings(SANDBOX, database_url=f"sqlite:///{tmp_path / 'no' / 'file'}")
    with pytest.raises(SettingsError):
        await list_stuck(settings)
    with pytest.raises(SettingsError):
        await resolve(settings, "1", "RETRY", None)
