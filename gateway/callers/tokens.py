"""JWTs: checked by the issuer's keys, and remembered for as long as they are good."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt

from gateway.callers.caller import Caller, Scope, scopes_of
from gateway.callers.errors import UnauthenticatedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gateway.callers.jwks import KeySet

LEEWAY_SECONDS = 30
"""By which the issuer's clock may differ from ours."""
LONGEST = 16_384
"""Characters of a token."""
LONGEST_ID = 255
"""Characters of what is taken from a token: its subject and its id."""
MOST_REMEMBERED = 4_096

_SCOPE_CLAIMS = ("scope", "scp")
"""What a token was given for this audience: a text with spaces, or a list."""
_OTHER_CLAIMS = ("permissions", "roles")
"""Where issuers put scopes as well. What stands here may speak of the user at large, in whose company
many are called admin: nobody is made the gateway's by that."""

_WHY: tuple[tuple[type[Exception], str], ...] = (
    (jwt.ExpiredSignatureError, "It has expired."),
    (jwt.InvalidAudienceError, "It is for another audience."),
    (jwt.InvalidIssuerError, "It is of another issuer."),
    (jwt.ImmatureSignatureError, "It is not good yet."),
    (jwt.MissingRequiredClaimError, "It lacks one of exp, iss, aud and sub."),
    (jwt.InvalidSignatureError, "Its signature is wrong."),
)


@dataclass(kw_only=True)
class Tokens:
    """Reads the tokens of one issuer, for one audience."""

    keys: KeySet
    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    now: Callable[[], float] = time.time
    _known: OrderedDict[bytes, Caller] = field(default_factory=OrderedDict)
    _generation: int = 0

    async def caller_of(self, text: str) -> Caller:
        """Whose token it is; raises UnauthenticatedError, and CannotTellError without keys."""
        if len(text) > LONGEST:
            raise _no_good("It is too long.")
        await self.keys.refresh()
        if self._generation != self.keys.generation:
            self._known.clear()
            self._generation = self.keys.generation
        name = hashlib.sha256(text.encode()).digest()
        caller = self._known.get(name)
        if caller is None:
            caller = await self._read(text)
            self._known[name] = caller
            if len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        elif (caller.expires_at or 0.0) + LEEWAY_SECONDS <= self.now():
            del self._known[name]
            raise _no_good("It has expired.")
        return caller

    async def _read(self, text: str) -> Caller:
        try:
            header = jwt.get_unverified_header(text)
        except jwt.PyJWTError:
            raise _no_good("It is neither a key of this gateway nor a JWT.") from None
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in self.algorithms:
            raise _no_good(f"It must be signed by {' or '.join(self.algorithms)}.")
        key = await self.keys.find(kid, algorithm)
        if key is None:
            raise _no_good("Its key is none of the issuer's.")
        try:
            claims = jwt.decode(
                text,
                key,
                algorithms=[algorithm],
                audience=self.audience,
                issuer=self.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise _no_good(
                next((why for kind, why in _WHY if isinstance(error, kind)), "")
            ) from None
        return _caller(claims)


def _caller(claims: Mapping[str, Any]) -> Caller:
    subject = claims["sub"]
    if not _is_fit(subject):
        raise _no_good(f"Its sub must have 1 to {LONGEST_ID} printable characters.")
    token_id = claims.get("jti")
    return Caller(
        id=f"jwt:{subject}",
        scopes=scopes_of(_scopes_in(claims)),
        key=token_id if _is_fit(token_id) else None,
        expires_at=float(claims["exp"]),
    )


def _scopes_in(claims: Mapping[str, Any]) -> Iterator[str]:
    yield from _words(claims, _SCOPE_CLAIMS)
    yield from (word for word in _words(claims, _OTHER_CLAIMS) if word != Scope.ADMIN)


def _words(claims: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        given = claims.get(name)
        if isinstance(given, str):
            yield from given.split()
        elif isinstance(given, list):
            yield from (one for one in given if isinstance(one, str))


def _is_fit(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= LONGEST_ID and text.isprintable()


def _no_good(why: str) -> UnauthenticatedError:
    return UnauthenticatedError(f"The token is not accepted. {why}".rstrip())
