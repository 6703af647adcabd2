"""Bulks that iVvy's batches carry, and what iVvy received of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.backends.bulk import bulk_upsert
from tests.backends.ivvy.writing import contact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model import ContactInput
    from gateway.results import BackendResult, Outcome
    from tests.backends.ivvy.conftest import Desk

RUN = "/api/1.0/batch?action=run"


def people(count: int, **fields: Any) -> list[ContactInput]:
    return [
        contact(
            external_id=f"P-{n}",
            first_name=f"First{n}",
            last_name="Person",
            email=f"p{n}@example.com",
            **fields,
        )
        for n in range(count)
    ]


async def bulk(desk: Desk, inputs: Iterable[ContactInput], **how: Any) -> list[BackendResult]:
    return await bulk_upsert(desk.adapter, inputs, **how)


def batch_calls(desk: Desk) -> list[tuple[str, Any]]:
    return [call for call in desk.calls() if call[0] in {"run", "progress", "results"}]


def jobs(desk: Desk) -> list[int]:
    """How many jobs each batch had."""
    return [len(body["jobs"]) for action, body in batch_calls(desk) if action == "run"]


def outcomes(results: Iterable[BackendResult]) -> set[Outcome]:
    return {result.outcome for result in results}


def fault(desk: Desk, action: str, times: int = 1, **what: Any) -> None:
    namespace = "batch" if action in {"run", "progress", "results"} else "contact"
    path = f"/api/1.0/{namespace}?action={action}"
    desk.sandbox.faults.add({"backend": "ivvy", "path": path, "times": times, **what})
