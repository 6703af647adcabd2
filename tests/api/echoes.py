"""Writes that tell what they were asked, or fail in some way, instead of writing anything.

What becomes of a call depends on what it asks for alone, so that the same call ends the same way.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError
from strawberry import ID

from gateway.lead_receipt import LeadReceipt, Related
from gateway.model import Backend, ContactInput
from gateway.operations.bulk_calls import BulkWritten
from gateway.operations.contact_calls import Written
from gateway.operations.lead_calls import WrittenLead
from gateway.results import BackendCall, BackendResult, ImportJob, JobStatus, Outcome, Problem
from gateway.results import ProblemCode as Code
from gateway.upsert import Receipt
from gateway.write import ContactWrite

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.operations.asked import Asked
    from gateway.operations.contact_calls import Request


def problem(asked: object, **more: Any) -> Problem:
    return Problem(code=Code.INVALID, message=repr(asked), field=["a", "0"], **more)


def called(**more: Any) -> BackendCall:
    return BackendCall(method="GET", path="/", **more)


def results(asked: object) -> list[Any]:
    job = ImportJob(backend=Backend.SENDGRID, id=ID("job-1"), status=JobStatus.PENDING)
    call = called(body={"b": [1, None, "é"]}, duration_ms=1.5)
    return [
        BackendResult(backend=Backend.IVVY, outcome=Outcome.UPDATED, id=ID("7"), calls=[call]),
        BackendResult(
            backend=Backend.EVERBRIDGE,
            outcome=Outcome.FAILED,
            errors=[problem(asked, backend=Backend.EVERBRIDGE, retry_after_seconds=3)],
            changed_fields=["email"],
        ),
        BackendResult(backend=Backend.SENDGRID, outcome=Outcome.ACCEPTED, jobs=[job]),
    ]


def bad(attribute: str, value: Any) -> Callable[[Any], list[Any]]:
    """Results of which the second has a value that its type does not allow, or hardly."""

    def made(asked: object) -> list[Any]:
        several = results(asked)
        setattr(several[1], attribute, value)
        return several

    return made


def fails(error: Exception) -> Callable[[Any], list[Any]]:
    def made(_asked: object) -> list[Any]:
        raise error

    return made


class OddText(str):
    __slots__ = ()


ENDS: list[Callable[[Any], Any]] = [
    *[results] * 12,
    fails(RuntimeError("the password is swordfish")),
    fails(GraphQLError("No such thing.", extensions={"code": "NOT_CONFIGURED"})),
    fails(ValueError("odd")),
    bad("outcome", Outcome.CREATED),
    bad("outcome", "CREATED"),
    bad("outcome", "NO_OUTCOME"),
    bad("errors", None),
    bad("errors", [None]),
    bad("errors", ()),
    bad("errors", (problem("a tuple"),)),
    bad("errors", ["no problem"]),
    bad("errors", RuntimeError("as a value")),
    bad("changed_fields", [None, "x"]),
    bad("changed_fields", [1, True, OddText("odd")]),
    bad("changed_fields", {"a set"}),
    bad("changed_fields", "a text"),
    bad("matched_by", 12),
    bad("matched_by", RuntimeError("as a value")),
    bad("matched_by", [1]),
    bad("id", 12),
    bad("id", 1.5),
    bad("id", True),
    bad("calls", [called(body=RuntimeError("in JSON"))]),
    bad("calls", [called(status_code=2**40)]),
    bad("calls", [called(duration_ms=float("nan"))]),
    bad("jobs", [RuntimeError("as an item")]),
    bad("backend", None),
    lambda asked: [None, *results(asked)],
    lambda asked: [*results(asked), results],
    lambda asked: tuple(results(asked)),
    lambda asked: [RuntimeError("as a result"), *results(asked)],
]


def end_of(asked: Asked) -> Any:
    return ENDS[zlib.crc32(repr(asked).encode()) % len(ENDS)](asked)


@dataclass
class Echo:
    """Takes the place of all calls that write."""

    async def upsert(self, asked: Asked, request: Request) -> Any:  # noqa: ARG002 - as the real ones are called
        if asked.mutation == "upsertContacts":
            end_of(asked)
            return BulkWritten(errors=[problem(asked)])
        ended = end_of(asked)
        if asked.mutation == "upsertContact":
            write = ContactWrite(input=ContactInput())
            return Written(write=write, receipt=Receipt(results=ended, errors=[problem(asked)]))
        related = Related(
            outcome=Outcome.CREATED, id="5", matched_by=None, changed=["email"], ignored=[]
        )
        receipt = LeadReceipt(results=ended, errors=[problem(asked)], contact=related)
        return WrittenLead(receipt=receipt)
