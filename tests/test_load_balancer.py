"""deploy/haproxy.cfg leads to what docker-compose.yml runs."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.harness import free_port, serving
from tests.program import START_SECONDS, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

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


def test_metrics_are_refused_however_their_path_is_written() -> None:
    [refused] = re.findall(
        r"^ +http-request return status 404 if (.+)$", CONFIGURATION, re.MULTILINE
    )
    assert refused == "{ path,url_dec -m beg /metrics }"


async def path_of(request: Request) -> PlainTextResponse:
    """Answers the path as a gateway reads it."""
    return PlainTextResponse(request.url.path)


@pytest.fixture(scope="module")
def balancer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """HAProxy in front of an app that answers every path; gives its port."""
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if program is None:
        pytest.skip("the load balancer's tests need haproxy; it is not installed here")
    port, log = free_port(), tmp_path_factory.mktemp("balancer") / "log"
    with serving(Starlette(routes=[Route("/{rest:path}", path_of)])) as address:
        behind = address.removeprefix("http://")
        settings = {"BALANCER_HOST": "127.0.0.1", "BALANCER_PORT": str(port)}
        settings |= {"GATEWAY_1": behind, "GATEWAY_2": behind}
        with log.open("wb") as printed:
            process = subprocess.Popen(
                [program, "-db", "-f", str(ROOT / "deploy" / "haproxy.cfg")],
                env=os.environ | settings,
                stdout=printed,
                stderr=printed,
            )
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz", process, log)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=START_SECONDS)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/metrics", 404),
        ("/metrics/", 404),
        ("/metrics?x=1", 404),
        ("/m%65trics", 404),
        ("/%6D%65%74%72%69%63%73", 404),
        ("http://gateway/m%65trics", 404),
        ("/graphql", 200),
        ("/status?path=/metrics", 200),
    ],
)
def test_the_balancer_lets_everything_through_but_metrics(
    balancer: int, path: str, status: int
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", balancer)
    try:
        connection.request("GET", path)
        assert connection.getresponse().status == status
    finally:
        connection.close()
