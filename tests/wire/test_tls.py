"""Connections by TLS, to servers that are who they say and to others."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.wire import pool
from gateway.wire.errors import CannotConnectError, ServerDisconnectedError
from tests.wire.served import OK, Peer, answering, ask, once, served

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.wire.network import NetworkWire


def certificate(folder: Path, *names: x509.GeneralName) -> Path:
    """A key and a certificate for these names, signed by itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "backend")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "backend.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What a server on 127.0.0.1 serves by, whose certificate is trusted here."""
    file = certificate(tmp_path, x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    trusting = ssl.create_default_context(cafile=file)
    monkeypatch.setattr(pool, "certificates", lambda: trusting)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    return serving


async def test_calls_go_by_tls_and_the_connection_is_kept(
    wire: NetworkWire, backend: ssl.SSLContext
) -> None:
    body = bytes(3_000_000)

    async def story(peer: Peer) -> None:
        while True:
            here.requests.append(await peer.asked())
            await peer.say(OK)

    async with served(story, tls=backend) as here:
        for _ in range(3):
            assert (await ask(wire, here, "PUT", content=body)).content == b"{}"
        assert len(here.peers) == 1
    assert [len(one) > len(body) for one in here.requests] == [True] * 3


async def test_an_answer_until_the_end_is_whole(wire: NetworkWire, backend: ssl.SSLContext) -> None:
    async with served(once(b"HTTP/1.1 200 OK\r\n\r\nabc"), tls=backend) as here:
        assert (await ask(wire, here)).content == b"abc"


async def test_an_answer_that_ends_too_early_is_none(
    wire: NetworkWire, backend: ssl.SSLContext
) -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
    async with served(once(said), tls=backend) as here:
        with pytest.raises(ServerDisconnectedError):
            await ask(wire, here)


async def test_a_server_that_nobody_vouches_for_is_sent_nothing(
    wire: NetworkWire, backend: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "certificates", ssl.create_default_context)
    async with served(answering(OK), tls=backend) as here:
        for _ in range(2):
            with pytest.raises(CannotConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await ask(wire, here)
    [kept] = wire._pools.values()
    assert kept._places == pool.CONNECTIONS


async def test_a_server_of_another_name_is_sent_nothing(
    wire: NetworkWire, backend: ssl.SSLContext
) -> None:
    async with served(answering(OK), tls=backend) as here:
        with pytest.raises(CannotConnectError, match="certificate is not valid for"):
            await ask(wire, here.address.replace("127.0.0.1", "localhost"))


async def test_a_server_that_does_not_speak_tls_is_sent_nothing(wire: NetworkWire) -> None:
    async def story(peer: Peer) -> None:
        await peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with served(story) as here:
        with pytest.raises(CannotConnectError):
            await ask(wire, here.address.replace("http:", "https:"))


def test_servers_are_checked_against_the_usual_authorities() -> None:
    context = pool.certificates()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context is pool.certificates()
