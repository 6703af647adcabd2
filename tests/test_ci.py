"""What .ci/run does around the checks."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).parents[1] / ".ci" / "run"


def script(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)


@pytest.mark.parametrize("status", [0, 2])
def test_screenshots_are_named_and_kept_whether_tests_pass_or_not(
    tmp_path: Path, status: int
) -> None:
    (tmp_path / ".ci").mkdir()
    copied = shutil.copy(RUN, tmp_path / ".ci" / "run")
    old, new = tmp_path / ".artifacts" / "old.png", tmp_path / ".artifacts" / "page.png"
    old.parent.mkdir()
    old.touch()
    for program in ("chromium", "haproxy"):
        script(tmp_path / "bin" / program)
    script(tmp_path / "bin" / "make", "touch .artifacts/page.png", f"exit {status}")
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    ended = subprocess.run(
        [copied], env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == status
    assert str(new) in ended.stdout
    assert new.exists()
    assert str(old) not in ended.stdout
