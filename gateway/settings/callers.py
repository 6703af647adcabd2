"""Who may call, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

from gateway.settings.texts import texts

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""All with a key pair: who can check a token cannot make one."""

JWT_NEEDS = ("jwt_jwks_url", "jwt_issuer", "jwt_audience")
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class CallerSettings(BaseSettings):
    """The gateway's own callers."""

    auth: Literal["auto", "none", "keys", "jwt", "keys,jwt"] = Field(
        default="auto",
        description="Who may call. keys, jwt, keys,jwt: callers with an API key, a JWT, either. "
        "auto: as keys and jwt, for whichever is set up when the gateway starts; with "
        "neither, every program on this machine, and the gateway refuses to serve other "
        "machines. none: everybody.",
    )
    jwt_jwks_url: str | None = Field(
        default=None,
        description="Address of the public keys (JWKS) that verify callers' JWTs.",
    )
    jwt_issuer: str | None = Field(
        default=None, description="The issuer (`iss`) that JWTs must have."
    )
    jwt_audience: str | None = Field(
        default=None, description="The audience (`aud`) that JWTs must have."
    )
    jwt_algorithms: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("RS256", "PS256", "ES256", "EdDSA"),
        description="Algorithms that callers' JWTs may be signed with, separated by commas; of "
        f"{', '.join(ALGORITHMS)}.",
    )
    rate_limit_per_minute: int = Field(
        default=6_000,
        ge=0,
        description="Operations that one caller with an API key or a JWT may send to one gateway "
        "process in a minute; 0: no limit.",
    )

    @field_validator("auth", mode="before")
    @classmethod
    def _ways(cls, value: object) -> object:
        if not isinstance(value, str):
            return value  # gateway.toml has numbers and lists as well
        ways = sorted(
            {part.strip().lower() for part in value.split(",") if part.strip()}, reverse=True
        )
        return ",".join(ways)

    @field_validator("jwt_jwks_url")
    @classmethod
    def _reachable(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "")
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        if value and not (secure and parts.hostname):
            raise ValueError(
                f"{value!r} is no address to trust: it must start with https://, or with http:// "
                "on this machine."
            )
        return value

    @field_validator("jwt_algorithms", mode="before")
    @classmethod
    def _algorithms(cls, value: object) -> tuple[str, ...]:
        chosen = tuple(part.strip() for part in texts(value) if part.strip())
        unknown = [name for name in chosen if name not in ALGORITHMS]
        if unknown or not chosen:
            raise ValueError(
                f"{', '.join(unknown) or 'nothing'} cannot be used: give some of "
                f"{', '.join(ALGORITHMS)}."
            )
        return chosen

    @property
    def has_jwt(self) -> bool:
        """Whether all that checks JWTs is set."""
        return self.jwt_jwks_url is not None


def jwt_gap(given: Mapping[str, Any]) -> str | None:
    """What is missing to check JWTs, where some of it is set or they are to be checked."""
    missing = [f"GATEWAY_{name.upper()}" for name in JWT_NEEDS if not given[name]]
    if missing and (len(missing) < len(JWT_NEEDS) or "jwt" in str(given["auth"])):
        return f"JWTs are set up in part: set {' and '.join(missing)} too."
    return None
