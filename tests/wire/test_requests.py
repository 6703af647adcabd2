"""What leaves on the wire, byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.wire.errors import CannotConnectError, UnfitAddressError
from gateway.wire.request import LONGEST_ADDRESS, origin_of, request_of
from tests.wire.served import OK, Peer, ask, closed_port, served

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.wire.network import NetworkWire

STANDING = "User-Agent: contact-gateway\r\nAccept-Encoding: gzip\r\n"


def request(
    method: str = "GET",
    base_url: str = "http://b",
    target: str = "/x",
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
) -> str:
    return request_of(method, origin_of(base_url), target, headers or {}, content).decode()


def test_a_request_is_its_line_its_headers_and_its_body() -> None:
    assert request("PUT", "https://api.example/base/", "/a?b=c", {"X-A": "1"}, b"{}") == (
        f"PUT /base/a?b=c HTTP/1.1\r\nHost: api.example\r\n{STANDING}"
        "X-A: 1\r\nAccept: */*\r\nContent-Length: 2\r\n\r\n{}"
    )


@pytest.mark.parametrize(
    ("method", "content", "said"),
    [
        ("GET", b"", []),
        ("HEAD", b"", []),
        ("GET", b"{}", ["Content-Length: 2"]),
        ("POST", b"", ["Content-Length: 0"]),
        ("DELETE", b"", ["Content-Length: 0"]),
        ("PATCH", b"abc", ["Content-Length: 3"]),
    ],
)
def test_a_body_is_announced_by_its_length(method: str, content: bytes, said: list[str]) -> None:
    lines = request(method, content=content).split("\r\n")
    assert [line for line in lines if line.startswith("Content-Length")] == said


def test_what_the_caller_accepts_is_said_once() -> None:
    lines = request(headers={"Accept": "application/json"}).split("\r\n")
    assert [line for line in lines if line.startswith("Accept:")] == ["Accept: application/json"]


@pytest.mark.parametrize(
    ("base_url", "host", "port", "named"),
    [
        ("http://b", "b", 80, "b"),
        ("https://b", "b", 443, "b"),
        ("https://b:443", "b", 443, "b"),
        ("http://b:8080/", "b", 8080, "b:8080"),
        ("http://[::1]:8080", "::1", 8080, "[::1]:8080"),
        ("https://bücher.example", "xn--bcher-kva.example", 443, "xn--bcher-kva.example"),
    ],
)
def test_where_a_base_url_leads(base_url: str, host: str, port: int, named: str) -> None:
    origin = origin_of(base_url)
    assert (origin.host, origin.port, origin.tls) == (host, port, base_url.startswith("https"))
    assert f"\r\nHost: {named}\r\n" in request(base_url=base_url)


@pytest.mark.parametrize(
    ("base_url", "target", "line"),
    [
        ("http://b", "/x?q=a+b/c=%20~,:@$&'()*!;", "/x?q=a+b/c=%20~,:@$&'()*!;"),
        ("http://b", "/é x?ü=[1]#2", "/%C3%A9%20x?%C3%BC=%5B1%5D%232"),
        ("http://b", "/a/../b//c", "/a/../b//c"),
        ("http://b/p/", "", "/p"),
        ("http://b", "", "/"),
        ("http://b/t?tenant=1", "", "/t?tenant=1"),
    ],
)
def test_an_address_leaves_letter_by_letter_where_it_can(
    base_url: str, target: str, line: str
) -> None:
    assert request(base_url=base_url, target=target).split(" ")[1] == line


@pytest.mark.parametrize("target", ["/" + "x" * LONGEST_ADDRESS, "/\r\nHost: b", "/\0", "/\x7f"])
def test_what_no_address_can_be_is_refused(target: str) -> None:
    with pytest.raises(UnfitAddressError):
        request(target=target)


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\r\n\r\nGET / HTTP/1.1"])
def test_a_header_cannot_begin_another(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        request(headers={"X-Request-Id": value})


def test_a_name_and_a_password_in_the_base_url_are_said_unless_there_is_another_authorization() -> (
    None
):
    assert "Authorization: Basic dTpwQA==\r\n" in request(base_url="http://u:p%40@b")
    own = {"Authorization": "Bearer t"}
    assert "Basic" not in request(base_url="http://u:p%40@b", headers=own)
    assert "\r\nHost: b\r\n" in request(base_url="http://u:p%40@b")


@pytest.mark.parametrize("base_url", ["ftp://b", "b/x", "", "http://", "http://b:port"])
async def test_a_base_url_that_is_none_is_surely_not_sent(wire: NetworkWire, base_url: str) -> None:
    with pytest.raises(CannotConnectError):
        await ask(wire, base_url)


async def test_the_bytes_arrive_as_they_are(wire: NetworkWire) -> None:
    body = bytes(range(256)) * 20_000  # larger than what a socket takes at once

    async def story(peer: Peer) -> None:
        here.requests.append(await peer.asked())
        await peer.say(OK)

    async with served(story) as here:
        await ask(wire, here, "POST", content=body)
    assert here.requests[0].endswith(b"\r\n\r\n" + body)


async def test_proxies_of_the_environment_are_not_used(
    wire: NetworkWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")

    async def story(peer: Peer) -> None:
        await peer.asked()
        await peer.say(OK)

    async with served(story) as here:
        assert (await ask(wire, here)).status == 200
