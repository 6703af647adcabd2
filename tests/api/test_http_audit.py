"""The audit of the npm package graphql-http over the gateway on a real socket."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).parent / "graphql_http_audit"
AUDITS = 61


def skip_unless_required(missing: str) -> None:
    if os.environ.get("CONTACT_GATEWAY_CI") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def install(npm: str) -> None:
    """Put the package beside the script, where it is not as the lock file says."""
    installed, lock = FOLDER / "node_modules/.package-lock.json", FOLDER / "package-lock.json"
    if installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    try:
        run(npm, "ci", "--ignore-scripts")
    except AssertionError as error:
        skip_unless_required(f"npm could not install the audit (offline?): {error}")


@pytest.fixture
def node() -> str:
    """The program that runs the audit, with the audit installed."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        skip_unless_required("the audit needs Node (node and npm); none is installed here")
    assert node is not None
    assert npm is not None
    install(npm)
    return node


def test_every_audit_of_graphql_over_http_is_ok(served: str, node: str) -> None:
    results: Sequence[dict[str, Any]] = json.loads(run(node, "audit.mjs", f"{served}/graphql"))
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == AUDITS
