"""`gateway dev`: where it keeps what is written."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from gateway.dev import KeptSettings, create_dev_app
from tests.harness import free_port, serving


def kept(monkeypatch: pytest.MonkeyPatch, url: str | None) -> KeptSettings:
    if url is None:
        monkeypatch.delenv("GATEWAY_DATABASE_URL", raising=False)
    else:
        monkeypatch.setenv("GATEWAY_DATABASE_URL", url)
    return KeptSettings()


@pytest.mark.parametrize(
    ("url", "file"),
    [
        (None, None),
        ("temporary", None),
        ("sqlite:///kept/dev.sqlite3", Path("kept/sandbox-dev.sqlite3")),
        ("postgresql://db/gateway", Path("sandbox-contact-gateway.sqlite3")),
    ],
)
def test_the_sandbox_is_kept_beside_the_database_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch, url: str | None, file: Path | None
) -> None:
    settings = kept(monkeypatch, url)
    assert settings.database_url == (url or "temporary")
    assert settings.sandbox_file == file


def test_a_reset_leaves_sendgrid_as_quick_as_it_was_at_the_start() -> None:
    port = free_port()
    with serving(create_dev_app(port), port=port) as address:
        switches = [httpx.get(f"{address}/_sandbox/switches").json()["sendgrid"]]
        assert httpx.post(f"{address}/_sandbox/reset").is_success
        switches.append(httpx.get(f"{address}/_sandbox/switches").json()["sendgrid"])
    assert [(one["apply_seconds"], one["finish_seconds"]) for one in switches] == [(2, 3)] * 2


LEAD = """mutation { upsertLead(input: {
  externalId: "L-1", name: "Fair", typeName: "Wedding", stageName: "New", sourceName: "Website",
  company: {name: "Harbour Hotels"}, contact: {externalId: "E-1004"}
}) { results { outcome id } } }"""


def test_a_named_database_keeps_the_leads_of_sandbox_and_gateway(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept(monkeypatch, f"sqlite:///{tmp_path / 'dev.sqlite3'}")
    seen = []
    for _start in range(2):
        port = free_port()
        with serving(create_dev_app(port), port=port) as address:
            answer = httpx.post(f"{address}/graphql", json={"query": LEAD}).json()
            [result] = answer["data"]["upsertLead"]["results"]
            seen.append((result["outcome"], result["id"]))
    assert seen == [("CREATED", "9003"), ("UNCHANGED", "9003")]
