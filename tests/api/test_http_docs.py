"""docs/http.md names the settings, their defaults and tests as they are."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.api.limits import Limits
from gateway.settings import Settings, variable

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "http.md").read_text()


def test_every_test_that_the_page_names_is_there() -> None:
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 10
    assert [name for name in named if f"def {name}(" not in tests] == []


def test_every_limit_is_in_the_table_with_its_default() -> None:
    rows = dict(re.findall(r"^\| .* \| `(GATEWAY_\w+)` \| ([\d,]+) \|", PAGE, re.MULTILINE))
    limits = {name for name in Settings.model_fields if name.startswith("max_")}
    limits |= {"operation_timeout_seconds", "body_timeout_seconds"}
    assert set(Limits.__dataclass_fields__) - {"production"} <= limits
    expected = {variable(name): Settings.model_fields[name].default for name in limits}
    assert {name: float(default.replace(",", "")) for name, default in rows.items()} == expected
