"""The refusals of the simulated Everbridge, each with its status and the vendor's text.

Where the contract knows no text, the text here is ASSUMED and names the offending value, so that a
person can act on it; clients must not branch on it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any


class EverbridgeError(Exception):
    """A refusal: HTTP `status`, English `message`, and for a failed PATCH the `detail`."""

    def __init__(
        self, status: int, message: str, detail: list[dict[str, Any]] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.detail = detail

    def body(self, *, status_401_in_404: bool) -> dict[str, Any]:
        """The answer's JSON; `status_401_in_404` gives a 404 the body status 401 (section 2.3)."""
        status = 401 if status_401_in_404 and self.status == HTTPStatus.NOT_FOUND else self.status
        answer: dict[str, Any] = {"status": status, "message": self.message}
        return answer if self.detail is None else {**answer, "detail": self.detail}


def invalid(message: str) -> EverbridgeError:
    """400 for input that breaks a rule.

    ASSUMED: status and text of most of these (contract: everbridge, section 8 item 1).
    """
    return EverbridgeError(400, message)


def type_mismatch() -> EverbridgeError:
    """400 for JSON that cannot be read, or a value of the wrong type."""
    return EverbridgeError(400, "type mismatch exception")


def phone_invalid() -> EverbridgeError:
    """400 for digits that do not fit their country (seen live; its status is ASSUMED)."""
    return EverbridgeError(400, "Phone number format invalid for selected country.")


def organization_invalid(organization: str) -> EverbridgeError:
    """401, not 404, for an organization that is unknown or somebody else's."""
    return EverbridgeError(401, f"Org {organization} is invalid.")


def contacts_not_in_organization(organization: str) -> EverbridgeError:
    """401 of a batch delete that names a contact this organization does not have."""
    return EverbridgeError(401, f"contactIds invalid to the organization {organization}")


def contact_not_readable(key: str) -> EverbridgeError:
    """404 of GET one contact."""
    return EverbridgeError(404, f"Unable to find contact {key}")


def contact_not_found(key: str) -> EverbridgeError:
    """404 of PUT, PATCH and (ASSUMED: the same text) DELETE one contact."""
    return EverbridgeError(404, f"Contact {key} not found.")


def attribute_not_found(key: str) -> EverbridgeError:
    """404 of one contact attribute."""
    return EverbridgeError(404, f"Contact attribute {key} not found")


def contact_path_not_found(key: str, organization: str) -> EverbridgeError:
    """404 of one contact path."""
    return EverbridgeError(404, f"No contactPath {key} found in organization {organization}")


def group_not_found(key: str) -> EverbridgeError:
    """404 of a group named by id or name (documented; its text is ASSUMED)."""
    return EverbridgeError(404, f"Group {key} not found.")


def record_type_not_found(key: str) -> EverbridgeError:
    """404 of one record type (ASSUMED: status as for the other look-ups, and the text)."""
    return EverbridgeError(404, f"Record type {key} not found.")


def quota_exceeded() -> EverbridgeError:
    """429 over the quota (ASSUMED: the body; `QUOTA_EXCEEDED` is the title in product screens)."""
    return EverbridgeError(429, "QUOTA_EXCEEDED")


def patch_failed(reason: str, target: str, op: object) -> EverbridgeError:
    """400 of a PATCH whose operation `op` cannot be applied at `target`."""
    detail = [{"errorMessage": reason, "details": target, "errorPatch": op}]
    return EverbridgeError(400, "Patch failed due to input invalid!", detail)
