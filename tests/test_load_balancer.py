"""deploy/haproxy.cfg leads to what docker-compose.yml runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
SERVICES: dict[str, dict[str, Any]] = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
CONFIGURATION = (ROOT / "deploy" / "haproxy.cfg").read_text()
BALANCER = SERVICES["balancer"]


def test_every_gateway_of_the_compose_file_is_behind_it() -> None:
    gateways = {name for name, service in SERVICES.items() if "GATEWAY_AUTH" in str(service)}
    servers = re.findall(r'^ +server \w+ "\$\{\w+-([\w-]+):8000\}"', CONFIGURATION, re.MULTILINE)
    assert len(gateways) == 2
    assert set(servers) == gateways == set(BALANCER["depends_on"])


def test_it_listens_where_the_compose_file_publishes_it() -> None:
    [port] = BALANCER["ports"]
    assert port.endswith(":8000")
    assert 'bind "${BALANCER_HOST-0.0.0.0}:${BALANCER_PORT-8000}"' in CONFIGURATION
    [mounted] = BALANCER["volumes"]
    assert mounted.startswith("./deploy/haproxy.cfg:")


def test_it_asks_who_is_ready_and_sends_nothing_twice() -> None:
    assert "option httpchk GET /readyz" in CONFIGURATION
    assert re.findall(r"^ +retry-on (.+)$", CONFIGURATION, re.MULTILINE) == ["conn-failure"]
