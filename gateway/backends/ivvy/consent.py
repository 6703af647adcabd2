"""The privacy consent of a contact, which iVvy keeps with its source and time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.fields import refuse_clearing
from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.fields import Laid
    from gateway.write import ContactWrite


def lay_consent(laid: Laid, write: ContactWrite, raw: Mapping[str, Any] | None) -> list[Problem]:
    """Add privacyConsent where it differs from what iVvy shows; gives the warning that false needs."""
    wish = write.get("privacy_consent")
    if wish is None:
        return []
    consent = raw.get("privacyConsentData") if raw else None
    given = isinstance(consent, dict) and any(consent.get(part) for part in ("source", "dateTime"))
    if wish.value is None:
        if given:
            refuse_clearing("privacy_consent", write, Backend.IVVY, laid)
        return []
    if wish.value == given and raw is not None:
        return []
    laid.values["privacyConsent"] = wish.value
    laid.changed.append("privacyConsent")
    if wish.value or raw is None:
        return []
    return [
        Problem(
            backend=Backend.IVVY,
            code=ProblemCode.CANNOT_CLEAR,
            message="iVvy may have no way to withdraw a consent that it holds: what "
            "privacyConsent: false does to it is not documented, so look at the contact there.",
            field=write.field_path("privacy_consent"),
        )
    ]
