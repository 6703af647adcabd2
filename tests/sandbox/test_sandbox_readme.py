from __future__ import annotations

from importlib.resources import files

from gateway.sandbox.faults import _CHECKS
from gateway.sandbox.sendgrid.switches import DEFAULTS

README = files("gateway.sandbox").joinpath("README.md").read_text(encoding="utf-8")


def test_every_switch_of_sendgrid_is_in_the_readme() -> None:
    section = README.partition("## SendGrid")[2]
    assert [name for name in DEFAULTS if f"`{name}`" not in section] == []


def test_every_member_of_a_fault_is_in_the_readme() -> None:
    section = README.partition("## Faults")[2].partition("## Recorded calls")[0]
    assert [name for name in ("backend", *_CHECKS) if f"`{name}`" not in section] == []
