"""How answers are read, in whatever pieces and lengths they come."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import pytest

from gateway.wire import connection
from gateway.wire.errors import ServerDisconnectedError, UnreadableAnswerError
from tests.wire.served import OK, Peer, answering, ask, once, served

if TYPE_CHECKING:
    from gateway.wire.network import NetworkWire

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def sized(body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


async def test_an_answer_has_status_headers_and_content(wire: NetworkWire) -> None:
    said = (
        b"HTTP/1.1 429 Too Many Requests\r\nRetry-After:  7 \r\nX-Two: a\r\nx-two: b\r\n"
        b"Content-Length: 5\r\n\r\nh\xc3\xa9llo"[:-1]
    )
    async with served(answering(said)) as here:
        answer = await ask(wire, here)
    assert (answer.status, answer.content, answer.text) == (429, b"h\xc3\xa9ll", "héll")
    assert answer.headers == {"retry-after": "7", "x-two": "a, b", "content-length": "5"}


@pytest.mark.parametrize("size", [1, 2, 7])
async def test_an_answer_may_come_in_small_pieces(wire: NetworkWire, size: int) -> None:
    whole = sized(b'{"a":1}', b"X-Long: " + b"v" * 9)
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    async with served(answering(*pieces)) as here:
        for _ in range(2):
            answer = await ask(wire, here)
            assert (answer.content, answer.headers["x-long"]) == (b'{"a":1}', "v" * 9)
        assert len(here.peers) == 1


async def test_chunks_are_joined_and_trailers_left_out(wire: NetworkWire) -> None:
    chunks = (b"3;x=y\r\nabc\r\n", b"2\r\nde\r\n", b"0\r\nX-Late: 1\r\n\r\n")
    async with served(answering(CHUNKED, *chunks)) as here:
        for _ in range(2):
            answer = await ask(wire, here)
            assert answer.content == b"abcde"
            assert "x-late" not in answer.headers
        assert len(here.peers) == 1


async def test_an_answer_without_a_length_lasts_until_the_connection_ends(
    wire: NetworkWire,
) -> None:
    async with served(once(b"HTTP/1.1 200 OK\r\n\r\n", b"abc", b"def")) as here:
        assert (await ask(wire, here)).content == b"abcdef"
        assert (await ask(wire, here)).content == b"abcdef"
        assert len(here.peers) == 2


async def test_an_answer_of_http_1_0_is_read_and_its_connection_not_used_again(
    wire: NetworkWire,
) -> None:
    said = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    async with served(answering(said)) as here:
        assert (await ask(wire, here)).content == b"{}"
        assert (await ask(wire, here)).content == b"{}"
        assert len(here.peers) == 2


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_an_answer_that_has_no_body_ends_with_its_head(
    wire: NetworkWire, status: bytes
) -> None:
    async with served(answering(b"HTTP/1.1 " + status + b"\r\n\r\n")) as here:
        for _ in range(2):
            answer = await ask(wire, here)
            assert (answer.status, answer.content) == (int(status[:3]), b"")
        assert len(here.peers) == 1


async def test_the_answer_to_head_ends_with_its_head(wire: NetworkWire) -> None:
    async with served(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")) as here:
        answer = await ask(wire, here, "HEAD")
        assert (answer.content, answer.headers["content-length"]) == (b"", "9")
        assert (await ask(wire, here, "HEAD")).status == 200


async def test_what_comes_before_the_answer_is_passed_over(wire: NetworkWire) -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\n"
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    async with served(answering(early + hints + early, OK)) as here:
        for method in ("GET", "PUT"):
            answer = await ask(wire, here, method)
            assert (answer.status, answer.content) == (200, b"{}")
            assert "link" not in answer.headers
        assert len(here.peers) == 1
        assert (await ask(wire, here, "HEAD")).status == 200


async def test_another_protocol_is_not_taken_up(wire: NetworkWire) -> None:
    said = b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nPRI"
    async with served(answering(said)) as here:
        for _ in range(2):
            assert (await ask(wire, here)).status == 101
        assert len(here.peers) == 2


@pytest.mark.parametrize(
    "packed", [gzip.compress(b'{"a":"b"}'), zlib.compress(b'{"a":"b"}')], ids=["gzip", "deflate"]
)
async def test_a_packed_answer_is_unpacked(wire: NetworkWire, packed: bytes) -> None:
    coding = b"gzip" if packed[0] == 0x1F else b"deflate"
    async with served(answering(sized(packed, b"Content-Encoding: " + coding))) as here:
        answer = await ask(wire, here)
    assert (answer.content, answer.text) == (b'{"a":"b"}', '{"a":"b"}')


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"br", b"abc"),
        (b"gzip", b"this is no gzip"),
        (b"gzip", gzip.compress(b"cut off somewhere")[:-6]),
        (b"gzip", gzip.compress(bytes(5000))),
    ],
    ids=["unknown", "wrong", "cut off", "a bomb"],
)
async def test_what_cannot_be_unpacked_is_no_answer(
    wire: NetworkWire, coding: bytes, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LARGEST_ANSWER", 4000)
    async with served(answering(sized(body, b"Content-Encoding: " + coding))) as here:
        with pytest.raises(UnreadableAnswerError):
            await ask(wire, here)


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        (b"application/json", "é".encode(), "é"),
        (b"text/html; charset=ISO-8859-1", b"\xe9", "é"),
        (b'text/html; charset="utf-8"', b"\xc3\xa9", "é"),
        (b"text/html; charset=nonsense", b"\xc3\xa9", "é"),
        (b"text/html", b"\xff", "\N{REPLACEMENT CHARACTER}"),
    ],
)
async def test_text_is_read_as_the_answer_says(
    wire: NetworkWire, content_type: bytes, body: bytes, text: str
) -> None:
    async with served(answering(sized(body, b"Content-Type: " + content_type))) as here:
        assert (await ask(wire, here)).text == text


@pytest.mark.parametrize("head", [CHUNKED, b"HTTP/1.1 200 OK\r\n\r\n", b""])
async def test_an_answer_that_is_too_large_is_none(
    wire: NetworkWire, head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LARGEST_ANSWER", 4000)
    piece = b"400\r\n" + b"x" * 1024 + b"\r\n" if head else b"HTTP/1.1 200 OK\r\nX: " + b"x" * 5000

    async def story(peer: Peer) -> None:
        await peer.asked()
        await peer.say(head)
        while True:
            await peer.say(piece)

    async with served(story) as here:
        with pytest.raises(UnreadableAnswerError, match="too large"):
            await ask(wire, here)


@pytest.mark.parametrize(
    "said",
    [
        b"hello\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        CHUNKED + b"zz\r\n",
    ],
)
async def test_what_is_no_http_is_no_answer(wire: NetworkWire, said: bytes) -> None:
    async with served(answering(said)) as here:
        with pytest.raises(UnreadableAnswerError):
            await ask(wire, here)
        with pytest.raises(UnreadableAnswerError):
            await ask(wire, here)
        assert len(here.peers) == 2, "its connection is not used again"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        CHUNKED + b"3\r\nabc\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
@pytest.mark.parametrize("reset", [False, True])
async def test_an_answer_that_ends_too_early_is_none(
    wire: NetworkWire, said: bytes, *, reset: bool
) -> None:
    async def story(peer: Peer) -> None:
        await peer.asked()
        await peer.say(said)
        if reset:
            peer.cut()

    async with served(story) as here:
        with pytest.raises(ServerDisconnectedError):
            await ask(wire, here, "POST", content=b"{}")
        assert len(here.peers) == 1, "it is sent once"
