"""docker-compose.yml: what the Compose specification and our own program make of it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from gateway.__main__ import cli
from gateway.settings import Settings, load_settings, variable

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = YAML(typ="safe").load(FILE)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}


def environment(service: dict[str, Any]) -> dict[str, str]:
    """A service's variables, which may stand as a mapping or as a list."""
    given = service.get("environment", {})
    pairs = given.items() if isinstance(given, dict) else (line.split("=", 1) for line in given)
    return {key: str(text) for key, text in pairs}


def command(service: dict[str, Any]) -> list[str]:
    """A service's own command, or the image's."""
    given = service.get("command", ["gateway", "serve", "--host", "0.0.0.0"])
    return shlex.split(given) if isinstance(given, str) else given


def needs(service: dict[str, Any]) -> dict[str, str]:
    """What a service waits for, and until when."""
    given = service.get("depends_on", {})
    if isinstance(given, list):
        return dict.fromkeys(given, "service_started")
    return {name: how["condition"] for name, how in given.items()}


def test_it_is_what_the_compose_specification_describes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", FILE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_service_of_ours_is_built_from_the_dockerfile_as_one_image() -> None:
    assert OURS
    assert len({service.get("image") for service in OURS.values()}) == 1
    named = [
        name for name, service in SERVICES.items() if "image" in service and "build" not in service
    ]
    assert not {SERVICES[name]["image"] for name in named} & {
        service["image"] for service in OURS.values()
    }, "it would be asked of a registry"


def test_every_port_is_published_on_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not str(port).startswith("127.0.0.1:")] == []


def test_what_a_service_waits_for_is_there_and_can_tell_that_it_is_healthy() -> None:
    for name, service in SERVICES.items():
        for other, until in needs(service).items():
            assert other in SERVICES, f"{name} waits for nobody"
            if until == "service_healthy":
                # The image's own check asks port 8000, which only `gateway serve` serves.
                own = other in OURS and "serve" in command(SERVICES[other])
                assert own or "healthcheck" in SERVICES[other], f"{other} never gets healthy"


def test_every_volume_is_declared() -> None:
    declared = set(COMPOSE.get("volumes") or {})
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
    sources = [
        mount["source"] if isinstance(mount, dict) else mount.split(":")[0] for mount in mounts
    ]
    for source in sources:
        assert source in declared or (ROOT / source).exists(), source


@pytest.mark.parametrize("name", OURS)
def test_its_commands_are_the_programs_own(name: str) -> None:
    program, *words = command(OURS[name])
    if program != "gateway":
        pytest.skip(f"{name} runs {program}")
    # Help is given once the words before it are understood.
    told = CliRunner().invoke(cli, [*words, "--help"])
    assert told.exit_code == 0, told.output


@pytest.mark.parametrize("name", OURS)
def test_its_settings_exist_and_are_valid(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = environment(OURS[name])
    own = {key: text for key, text in given.items() if key.startswith("GATEWAY_")}
    assert own.keys() <= {variable(field) for field in Settings.model_fields}
    if "serve" in command(OURS[name]):
        monkeypatch.chdir(tmp_path)  # away from a developer's own .env
        for key, text in own.items():
            if "${" not in text:  # filled in by Compose
                monkeypatch.setenv(key, text)
        load_settings()
