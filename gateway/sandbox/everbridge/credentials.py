"""Who may call: one fixed user, one fixed OAuth client, and the tokens given to them (section 1.2)."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from gateway.sandbox.everbridge.errors import EverbridgeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sandbox.everbridge.store import Store

USERNAME = "sandbox"
PASSWORD = "sandbox"  # noqa: S105 -- the sandbox's printed password
CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105 -- the sandbox's printed secret
ROLE_ID = "1800000000000001"

_SERVICE_GRANT = "client_credentials"


class Credentials:
    """Checks `Authorization` headers and gives tokens."""

    def __init__(self, store: Store, switches: dict[str, Any]) -> None:
        self._store = store
        self._switches = switches

    def check(self, authorization: str | None, method: str) -> None:
        """Let the call pass, or raise 401 or 403."""
        scheme, _, rest = (authorization or "").partition(" ")
        if scheme.lower() == "basic":
            _check_basic(rest.strip())
        elif scheme.lower() == "bearer":
            self._check_bearer(rest.strip(), method)
        else:
            # ASSUMED: the text for a call without credentials.
            raise EverbridgeError(401, "Full authentication is required to access this resource")

    def mint(self, form: str, role_header: str | None) -> dict[str, Any] | None:
        """The token service's answer to a form body; None when it refuses.

        The scope is not checked (ASSUMED). A roleId, as header or field, is taken as it is: a
        wrong one fails when the token is used.
        """
        fields = {name: values[0] for name, values in parse_qs(form).items()}
        grant = fields.get("grant_type")
        if (fields.get("client_id"), fields.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return None
        if grant == "password":
            if (fields.get("username"), fields.get("password")) != (USERNAME, PASSWORD):
                return None
        elif grant != _SERVICE_GRANT:
            return None
        self._apply_revocation()
        lifetime = self._switches["token_lifetime_seconds"]
        answer = {kind: secrets.token_urlsafe(32) for kind in ("access_token", "id_token")}
        good = answer["id_token" if grant == "password" else "access_token"]
        self._store.tokens[good] = {
            "expiresAt": self._store.epoch_ms() + int(lifetime * 1000),
            "service": grant == _SERVICE_GRANT,
            "roleId": role_header or fields.get("roleId"),
        }
        return {
            **answer,
            "refresh_token": secrets.token_urlsafe(32),
            "token_type": "bearer",
            "expires_in": lifetime,
            "scope": fields.get("scope", ""),
        }

    def _check_bearer(self, text: str, method: str) -> None:
        self._apply_revocation()
        token: Mapping[str, Any] | None = self._store.tokens.get(text)
        if token is None or token["expiresAt"] <= self._store.epoch_ms():
            # ASSUMED: bad and expired tokens are refused alike, in the usual shape.
            raise EverbridgeError(401, "Unauthorized")
        if token["roleId"] not in (None, ROLE_ID):
            raise EverbridgeError(403, f"Role {token['roleId']} is invalid.")
        if token["service"] and method == "PATCH" and not self._switches["service_token_patch"]:
            raise EverbridgeError(403, "Access is denied")

    def _apply_revocation(self) -> None:
        if self._switches["revoke_tokens"]:
            self._store.tokens.clear()
            self._switches["revoke_tokens"] = False


def _check_basic(encoded: str) -> None:
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user = password = ""
    if user != USERNAME:
        # ASSUMED: the text for an unknown user, after that for a wrong password.
        raise EverbridgeError(401, "Invalid Credintials: User Invalid")
    if password != PASSWORD:
        raise EverbridgeError(401, "Invalid Credintials: Password Invalid")  # the vendor's spelling
