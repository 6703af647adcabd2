"""Receipts as they are stored under an idempotency key, and which of their parts are run again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.lead_receipt import LeadReceipt, Related
from gateway.model import Backend, title
from gateway.operations.outcomes import DOUBTFUL
from gateway.results import BackendResult, Outcome, Problem, ProblemCode
from gateway.stored_values import from_stored, to_stored

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.upsert import Receipt

VERSION = 1
"""Of what is stored below; see `stored_values.py` for when it must grow."""

GOOD = frozenset(
    {Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.CONFIRMED, Outcome.ACCEPTED}
)
"""Outcomes that are given back as they were."""


@dataclass(kw_only=True)
class Kept:
    """What is known of the calls made under a key so far."""

    results: dict[Backend, BackendResult] = field(default_factory=dict)
    errors: list[Problem] = field(default_factory=list)
    rejected: bool = False
    contact: Related | None = None
    company: Related | None = None
    sent: dict[Backend, bool] = field(default_factory=dict)
    """Where a writing call was about to leave; whether all of them may be sent twice."""
    made: dict[Backend, str] = field(default_factory=dict)
    """The records made by a call that must not be sent twice, where what followed it may be."""

    def to_stored(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "results": {backend.value: to_stored(one) for backend, one in self.results.items()},
            "errors": to_stored(self.errors),
            "rejected": self.rejected,
            "contact": to_stored(self.contact),
            "company": to_stored(self.company),
            "sent": {backend.value: repeatable for backend, repeatable in self.sent.items()},
            "made": {backend.value: record for backend, record in self.made.items()},
        }

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any] | None) -> Kept:
        """From JSON; nothing is known where nothing was stored."""
        if stored is None:
            return cls()
        contact, company = stored["contact"], stored["company"]
        return cls(
            results={
                Backend(name): from_stored(BackendResult, one)
                for name, one in stored["results"].items()
            },
            errors=[from_stored(Problem, one) for one in stored["errors"]],
            rejected=stored["rejected"],
            contact=None if contact is None else from_stored(Related, contact),
            company=None if company is None else from_stored(Related, company),
            sent={Backend(name): repeatable for name, repeatable in stored["sent"].items()},
            made={Backend(name): record for name, record in stored.get("made", {}).items()},
        )

    def take(self, receipt: Receipt) -> None:
        """Take over what a call has come to; what was known of other backends stays."""
        self.results |= {result.backend: result for result in receipt.results}
        self.errors = list(receipt.errors)
        self.rejected = receipt.rejected
        if isinstance(receipt, LeadReceipt):
            self.contact, self.company = receipt.contact, receipt.company

    def settle(self) -> None:
        """Call UNKNOWN what was sent by a call that never told its end, and must not be repeated."""
        for backend, repeatable in self.sent.items():
            if not repeatable and backend not in self.results:
                self.results[backend] = BackendResult(
                    backend=backend, outcome=Outcome.UNKNOWN, errors=[_never_told(backend)]
                )
                self.errors += self.results[backend].errors

    def doubted(self) -> frozenset[Backend]:
        """Where a write was about to leave, and may have been done for all that is known."""
        return frozenset(
            backend
            for backend in self.sent
            if backend not in self.results or self.results[backend].outcome in DOUBTFUL
        )

    def final(self) -> dict[Backend, BackendResult]:
        """The results that are given back; every other target is run again."""
        return {backend: one for backend, one in self.results.items() if self._is_final(one)}

    def _is_final(self, result: BackendResult) -> bool:
        if result.outcome in GOOD:
            return True
        return result.outcome in DOUBTFUL and not self.sent.get(result.backend, True)


def _never_told(backend: Backend) -> Problem:
    return Problem(
        backend=backend,
        code=ProblemCode.TIMEOUT,
        message=f"The gateway was ended after it had sent a write to {title(backend)} that must not "
        "be sent twice: it may or may not have been done. Look there, then use another key.",
    )
