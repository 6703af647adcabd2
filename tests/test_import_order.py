"""Every module can be the first that a program imports."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module", ["gateway.matching", "gateway.backends.every", "gateway.operations.worker"]
)
def test_a_module_can_be_the_first(module: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"import {module}"], check=False)
    assert done.returncode == 0
