"""Node for tests: skipped with a word where it is missing, required where CI runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def skip_unless_required(missing: str) -> NoReturn:
    """Skip the test; fail it in CI, where everything has to be there."""
    if os.environ.get("CONTACT_GATEWAY_CI") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


@dataclass(frozen=True, kw_only=True)
class NodeProject:
    """A folder with a package.json whose packages are installed as its lock file says."""

    folder: Path
    node: str
    npm: str

    def run(self, *command: str, **environment: str) -> str:
        """What a command prints; a command that fails fails the test."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, "NO_COLOR": "1", **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def node_project(folder: Path) -> NodeProject:
    """The project, its packages installed where they are not as the lock file says."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        skip_unless_required(f"{folder.name} needs Node (node and npm); none is installed here")
    project = NodeProject(folder=folder, node=node, npm=npm)
    installed, lock = folder / "node_modules/.package-lock.json", folder / "package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
        try:
            project.run(npm, "ci", "--ignore-scripts", "--prefer-offline")
        except AssertionError as error:
            skip_unless_required(f"npm could not install {folder.name} (offline?): {error}")
    return project
