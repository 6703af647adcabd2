"""An issuer of JWTs: its keys, served on a socket of this machine as issuers serve theirs."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.harness import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

ISSUER, AUDIENCE = "https://login.example.com/", "contact-gateway"


def public_of(private: Any) -> dict[str, Any]:
    """The public half of a key, as a JWKS has it."""
    public = private.public_key()
    if isinstance(private, rsa.RSAPrivateKey):
        text = RSAAlgorithm.to_jwk(public)
    elif isinstance(private, ec.EllipticCurvePrivateKey):
        text = ECAlgorithm.to_jwk(public)
    else:
        text = OKPAlgorithm.to_jwk(public)
    shown: dict[str, Any] = json.loads(text)
    return shown


@dataclass
class Issuer:
    """Signs tokens, and shows the keys to check them with."""

    keys: dict[str, Any] = field(default_factory=dict)
    """Private keys, by their ids."""
    shown: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    """What is answered instead of the keys."""
    asked: int = 0
    url: str = ""

    def settings(self) -> dict[str, Any]:
        """What a gateway has to be told."""
        return {
            "auth": "jwt",
            "jwt_jwks_url": self.url,
            "jwt_issuer": ISSUER,
            "jwt_audience": AUDIENCE,
        }

    def add_key(self, kid: str, private: Any = None, **more: str) -> None:
        """Sign and be checked with a further key; RSA unless another is given."""
        self.keys[kid] = private or rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.shown.append({**public_of(self.keys[kid]), "kid": kid, "use": "sig", **more})

    def withdraw(self, kid: str) -> None:
        """Show a key no more."""
        self.shown = [key for key in self.shown if key["kid"] != kid]

    def token(
        self,
        scope: str = "contacts:read",
        *,
        kid: str | None = "one",
        algorithm: str = "RS256",
        key: Any = None,
        **claims: Any,
    ) -> str:
        """A token that is good unless something else is asked for; a claim of None is left out."""
        said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": int(time.time()) + 600}
        said |= {"scope": scope, **claims}
        signing = key if key is not None else self.keys[kid or "one"]
        return jwt.encode(
            {name: value for name, value in said.items() if value is not None},
            signing if algorithm != "none" else "",
            algorithm=algorithm,
            headers={"kid": kid} if kid else None,
        )

    async def answer(self, _request: Request) -> Response:
        """The keys."""
        self.asked += 1
        if self.body is not None:
            return Response(self.body, self.status)
        return JSONResponse({"keys": self.shown}, self.status)


@contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer with one RSA key, on a socket."""
    issuer = Issuer()
    issuer.add_key("one")
    with serving(Starlette(routes=[Route("/jwks", issuer.answer)])) as address:
        issuer.url = f"{address}/jwks"
        yield issuer
