"""The clients in examples/ run against `gateway dev`, a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.node import node_project
from tests.program import gateway_dev

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running `gateway dev`."""
    with gateway_dev(tmp_path_factory.mktemp("dev") / "log") as address:
        yield address


def python(name: str, address: str) -> list[str]:
    """The lines that an example prints, no warning among them."""
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / "python" / name],
        env={**os.environ, "GATEWAY_URL": address},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def bodies(address: str, text: str) -> list[str]:
    """What Everbridge was sent that contains `text`."""
    calls = httpx.get(f"{address}/_sandbox/calls", params={"backend": "everbridge"}).json()
    return [str(call["body"]) for call in calls if text in str(call["body"])]


def test_typescript_fits_the_schema_as_it_is_and_handles_what_comes_back(dev: str) -> None:
    project = node_project(EXAMPLES / "typescript")
    project.run(project.npm, "run", "build")
    lines = project.run(project.npm, "start", GATEWAY_URL=dev).splitlines()
    told = "\n".join(lines)
    assert "A new person: PENDING\n  IVVY: new\n  EVERBRIDGE: new\n  SENDGRID: accepted" in told
    assert 'changes: {"externalId":"E-4001","lastName":"Meitner-Hahn","phone":null}' in told
    assert "Changed: PENDING\n  IVVY: changed lastName, phone" in told
    assert "The button pressed twice: PENDING, nothing was sent" in told
    assert len(bodies(dev, "Meitner-Hahn")) == 1 + 1  # the change, then the stored write's PUT
    assert "A typo: REJECTED\n  IVVY: refused" in told
    assert "NAME_NOT_FOUND at groupsName.0: " in told
    assert "[Newsletter]" in told
    assert "Stored: PENDING\n  IVVY: stored, is delivered soon" in told
    assert lines[-2] == "  SUCCEEDED: IVVY UPDATED, EVERBRIDGE UPDATED, SENDGRID CONFIRMED"
    assert lines[-1].startswith("Refused: There is no operation 'no-such-operation'")


def test_python_saves_a_contact_and_tells_its_receipt(dev: str) -> None:
    told = "\n".join(python("save_contact.py", dev))
    assert told.startswith("PENDING\n  IVVY: new externalId email firstName lastName phone\n")
    assert "PENDING\n  IVVY: changed lastName phone\n  EVERBRIDGE: changed lastName phone" in told
    assert "PENDING, nothing was sent\n  IVVY: changed lastName phone" in told
    assert len(bodies(dev, "Wu-Yuan")) == 1
    assert "REJECTED\n  IVVY: refused" in told
    assert "NAME_NOT_FOUND at groupsName.0: " in told


def test_python_follows_a_bulk_to_its_end(dev: str) -> None:
    lines = python("follow_operation.py", dev)
    assert lines[0].startswith("NAME_NOT_FOUND at inputs.1.addGroupsName.0: ")
    # The worker may have begun by the time that the operation is read.
    assert lines[1] in {"Stored 3: PENDING", "Stored 3: RUNNING"}
    assert lines[-1] == "3 of 3 ended, 1 failed: PARTIAL"
    assert len(lines) > 3, "progress shows before the end"
