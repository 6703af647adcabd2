"""A clock that a test moves for one module, while the event loop keeps the real one."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


class ShiftedClock:
    """`time.monotonic` of the modules that it is given to, ahead by `ahead` seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
        self.ahead = 0.0
        for module in modules:
            monkeypatch.setattr(f"{module}.time", SimpleNamespace(monotonic=self.now))

    def now(self) -> float:
        return time.monotonic() + self.ahead
