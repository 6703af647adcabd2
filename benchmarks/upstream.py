"""The vendors' side of the benchmark: nginx that answers at once and counts what it is asked.

Needs Debian's `nginx` and `libnginx-mod-http-lua`. One worker on one core answers some 30,000 calls
a second, several times what any contender makes of it.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from benchmarks.contenders import free_port, pinned
from benchmarks.work import LISTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).parent
MODULES = Path("/usr/lib/nginx/modules")
CONFIGURATION = """
load_module {modules}/ndk_http_module.so;
load_module {modules}/ngx_http_lua_module.so;
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_body_buffer_size 64k;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    lua_package_path "{folder}/?.lua;;";
    lua_shared_dict calls 1m;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /calls {{ content_by_lua_file {here}/vendors.lua; }}
        location / {{
            access_by_lua_block {{ if {delay} > 0 then ngx.sleep({delay}) end }}
            content_by_lua_file {here}/vendors.lua;
        }}
    }}
}}
"""


class UpstreamMissingError(Exception):
    """nginx or its Lua module is not installed."""


class Upstream:
    """The running upstream."""

    def __init__(self, address: str) -> None:
        self.address = address

    def counted(self) -> dict[str, int]:
        """The calls since this was asked before, by backend and purpose such as `ivvy find`."""
        counts: dict[str, int] = httpx.get(f"{self.address}/calls").json()
        return counts


@contextmanager
def upstream(
    folder: Path,
    core: int,
    lists: Mapping[str, Mapping[str, list[dict[str, Any]]]] = LISTS,
    *,
    delay_ms: float = 0.0,
) -> Iterator[Upstream]:
    """The upstream, on one core, for as long as the context lasts; `lists` are the names it has.

    Each call is answered after `delay_ms`.

    Raises UpstreamMissingError where nginx cannot be started.
    """
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if nginx is None or not (MODULES / "ngx_http_lua_module.so").exists():
        raise UpstreamMissingError("apt-get install nginx-light libnginx-mod-http-lua")
    port = free_port()
    (folder / "lists.lua").write_text(f"return {_lua(_answers(lists))}\n")
    (folder / "nginx.conf").write_text(
        CONFIGURATION.format(
            modules=MODULES, folder=folder, here=HERE, port=port, delay=delay_ms / 1000
        )
    )
    command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with subprocess.Popen(pinned(core, command)) as process:  # noqa: S603 - our own command
        running = Upstream(f"http://127.0.0.1:{port}")
        try:
            _wait(running, process)
            yield running
        finally:
            process.terminate()


def _wait(running: Upstream, process: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        try:
            running.counted()
        except httpx.TransportError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
        else:
            return
    raise UpstreamMissingError("nginx did not start; what it says stands above")


def _answers(
    lists: Mapping[str, Mapping[str, list[dict[str, Any]]]],
) -> dict[str, dict[str, str]]:
    """The lists of names as each vendor's own call answers them."""

    def page(rows: list[dict[str, Any]]) -> dict[str, Any]:
        size = len(rows)
        page = {"pageSize": size, "start": 0, "currentPageNo": 1, "totalPageCount": 1}
        return {"message": "OK", "page": {**page, "totalCount": size, "data": rows}}

    shaped: dict[str, dict[str, Any]] = {
        "ivvy": dict(lists["ivvy"]),
        "everbridge": {name: page(rows) for name, rows in lists["everbridge"].items()},
        "sendgrid": {
            "lists": {"result": lists["sendgrid"]["lists"], "_metadata": {}},
            "field_definitions": {
                "custom_fields": lists["sendgrid"]["field_definitions"],
                "reserved_fields": [],
            },
        },
    }
    return {
        backend: {name: orjson.dumps(answer).decode() for name, answer in answers.items()}
        for backend, answers in shaped.items()
    }


def _lua(answers: dict[str, dict[str, str]]) -> str:
    backends = (
        f"{backend} = {{ {', '.join(f'{name} = [==[{text}]==]' for name, text in known.items())} }}"
        for backend, known in answers.items()
    )
    return f"{{ {', '.join(backends)} }}"
