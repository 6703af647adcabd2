"""What became of a write: the receipt that callers see, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from functools import lru_cache

import strawberry
from strawberry import ID
from strawberry.scalars import JSON

from gateway.model import ORDER, Backend, enum_value


@strawberry.enum(
    description=(
        "The first that fits, in this order: REJECTED, PLANNED, PARTIAL, UNKNOWN, FAILED, "
        "PENDING, APPLIED."
    )
)
class UpsertStatus(Enum):
    """What became of a write over all its targets."""

    APPLIED = enum_value("APPLIED", description="Every target that was not left out has the write.")
    PENDING = enum_value(
        "PENDING",
        description=(
            "Accepted and still on its way in at least one target, and nowhere failed. SendGrid "
            "always answers so."
        ),
    )
    PARTIAL = enum_value(
        "PARTIAL",
        description="Some target has it, or part of it, and another does not, or may not.",
    )
    UNKNOWN = enum_value(
        "UNKNOWN",
        description="At least one target may or may not have it, and none surely has it.",
    )
    FAILED = enum_value("FAILED", description="No target has it; repeating may help.")
    REJECTED = enum_value(
        "REJECTED", description="The input is wrong; nothing was written anywhere."
    )
    PLANNED = enum_value("PLANNED", description="Dry run: nothing was written.")


@strawberry.enum(description="What became of a write in one backend.")
class Outcome(Enum):
    """What became of a write in one backend."""

    __hash__ = object.__hash__  # there is one of each; Enum's own is Python code

    CREATED = enum_value("CREATED", description="The record is new.")
    UPDATED = enum_value("UPDATED", description="The stored record was changed.")
    UNCHANGED = enum_value(
        "UNCHANGED", description="The backend already held these values: no write was made."
    )
    CONFIRMED = enum_value(
        "CONFIRMED",
        description="The backend has it, and does not say whether it was created or updated.",
    )
    ACCEPTED = enum_value(
        "ACCEPTED", description="Accepted by an asynchronous backend, not yet confirmed."
    )
    QUEUED = enum_value(
        "QUEUED", description="Stored by the gateway for durable delivery, not sent yet."
    )
    PLANNED = enum_value("PLANNED", description="Dry run: the calls are shown and were not made.")
    PARTIAL = enum_value(
        "PARTIAL",
        description="Some of this backend's calls took effect; `calls` and `errors` say which.",
    )
    REJECTED = enum_value(
        "REJECTED",
        description=("The input is wrong for this backend: repeating it as it is will not help."),
    )
    SKIPPED = enum_value(
        "SKIPPED",
        description=(
            "Not tried: another target rejected the input before anything was written, or "
            "`ifMissing: SKIP` left it out."
        ),
    )
    FAILED = enum_value("FAILED", description="Not written; repeating may help.")
    UNKNOWN = enum_value(
        "UNKNOWN",
        description="The backend did not answer in time: it may or may not have the write.",
    )


@strawberry.enum(description="What kind of problem it is.")
class ProblemCode(Enum):
    """What kind of problem it is."""

    REQUIRED = enum_value("REQUIRED", description="A field that is needed is missing.")
    INVALID = enum_value("INVALID", description="The value cannot be used.")
    CANNOT_CLEAR = enum_value(
        "CANNOT_CLEAR", description="The backend has no way to clear this field."
    )
    TOO_LONG = enum_value("TOO_LONG", description="The text is longer than the backend keeps.")
    TOO_MANY = enum_value("TOO_MANY", description="The list is longer than the backend keeps.")
    NAME_NOT_FOUND = enum_value(
        "NAME_NOT_FOUND", description="No backend that was asked knows the name."
    )
    NAME_AMBIGUOUS = enum_value(
        "NAME_AMBIGUOUS",
        description="The backend has several entries of that name; give the id instead.",
    )
    NOT_FOUND = enum_value("NOT_FOUND", description="The backend has no record with that id.")
    CONFLICT = enum_value(
        "CONFLICT",
        description=(
            "Several stored records fit the input's keys, or the record was changed by someone "
            "else meanwhile."
        ),
    )
    KEY_REUSED = enum_value(
        "KEY_REUSED",
        description="The same idempotency key was used before with another input.",
    )
    NOT_CONFIGURED = enum_value(
        "NOT_CONFIGURED", description="The gateway has no credentials for this backend."
    )
    UNAUTHORIZED = enum_value(
        "UNAUTHORIZED", description="The backend refused the gateway's credentials."
    )
    FORBIDDEN = enum_value("FORBIDDEN", description="The backend's credentials lack a permission.")
    RATE_LIMITED = enum_value("RATE_LIMITED", description="The backend's quota is used up for now.")
    UNAVAILABLE = enum_value(
        "UNAVAILABLE", description="The backend could not be reached or could not serve."
    )
    TIMEOUT = enum_value("TIMEOUT", description="The backend did not answer in time.")
    UNCONFIRMED = enum_value(
        "UNCONFIRMED",
        description="An asynchronous backend did not confirm within the limit.",
    )
    BACKEND_ERROR = enum_value(
        "BACKEND_ERROR", description="The backend failed, or answered what it should not."
    )


LONGEST_MESSAGE = 1_000
"""Characters of a problem's message; values that it quotes may be of any length."""


@strawberry.type(description="One thing that is wrong, or that the caller should know.")
class Problem:
    """One thing that is wrong, or that the caller should know."""

    backend: Backend | None = strawberry.field(
        default=None, description="The backend concerned; null when the input itself is wrong."
    )
    code: ProblemCode = strawberry.field(description="What kind of problem it is.")
    message: str = strawberry.field(
        description="What is wrong, with which value, and what would work; for people."
    )
    field: list[str] = strawberry.field(
        default_factory=list,
        description=(
            'Path into the input, such as ["paths", "0", "prompt"]; empty where no field is to '
            "blame."
        ),
    )
    suggestions: list[str] = strawberry.field(
        default_factory=list, description="Close names that do exist, for NAME_NOT_FOUND."
    )
    backend_code: str | None = strawberry.field(
        default=None, description="The backend's own code, when it sent one."
    )
    backend_message: str | None = strawberry.field(
        default=None, description="The backend's own message, when it sent one."
    )
    retryable: bool = strawberry.field(
        default=False, description="Whether the same call may succeed later."
    )
    retry_after_seconds: float | None = strawberry.field(
        default=None, description="How long to wait before that, when the backend says so."
    )

    def __post_init__(self) -> None:
        """Leave out the middle of a message that is too long for people."""
        if len(self.message) > LONGEST_MESSAGE:
            self.message = f"{self.message[:600]} … {self.message[-300:]}"


@strawberry.enum(description="How far a backend's job is.")
class JobStatus(Enum):
    """Where a backend's asynchronous work stands."""

    PENDING = enum_value("PENDING", description="Not finished yet.")
    COMPLETED = enum_value("COMPLETED", description="Finished without errors.")
    ERRORED = enum_value("ERRORED", description="Finished; some records failed.")
    FAILED = enum_value("FAILED", description="Nothing of it was done.")
    UNCONFIRMED = enum_value(
        "UNCONFIRMED",
        description="Not finished within the gateway's limit for following it.",
    )


@strawberry.type(description="A job: work that a backend does after it has accepted a write.")
class ImportJob:
    """Asynchronous work of a backend."""

    backend: Backend = strawberry.field(description="The backend that works on it.")
    id: ID = strawberry.field(description="The backend's id of the job.")
    status: JobStatus = strawberry.field(description="How far the job is.")
    requested_count: int | None = strawberry.field(
        default=None, description="Records in the job, when known."
    )
    created_count: int | None = strawberry.field(
        default=None, description="Records created, when known."
    )
    updated_count: int | None = strawberry.field(
        default=None, description="Records updated, when known."
    )
    errored_count: int | None = strawberry.field(
        default=None, description="Records that failed, when known."
    )
    errors_url: str | None = strawberry.field(
        default=None,
        description="A pre-signed address of other people's data: needs the admin scope.",
    )


@strawberry.type(description="One call to a backend, without its secrets.")
class BackendCall:
    """One call to a backend, without its secrets."""

    method: str = strawberry.field(description="The HTTP method.")
    path: str = strawberry.field(description="Path and query after the backend's base URL.")
    body: JSON | None = strawberry.field(default=None, description="The JSON body.")
    status_code: int | None = strawberry.field(
        default=None, description="The answer's HTTP status. Null for a dry run."
    )
    duration_ms: float | None = strawberry.field(
        default=None, description="Milliseconds from first try to last answer."
    )
    attempts: int = strawberry.field(
        default=0, description="How often it was sent; 0 for a call that was not made."
    )


@strawberry.type(description="What one backend did with the write.")
class BackendResult:
    """What one backend did with the write."""

    backend: Backend = strawberry.field(description="The backend.")
    outcome: Outcome = strawberry.field(description="What became of the write there.")
    id: ID | None = strawberry.field(
        default=None, description="The backend's own id of the record, when known."
    )
    jobs: list[ImportJob] = strawberry.field(
        default_factory=list,
        description="The backend's jobs that carry this write.",
    )
    errors: list[Problem] = strawberry.field(
        default_factory=list, description="What went wrong there."
    )
    warnings: list[Problem] = strawberry.field(
        default_factory=list,
        description="What the caller should know although the write went well.",
    )
    matched_by: str | None = strawberry.field(
        default=None,
        description=(
            "The key that found the stored record: an input field such as externalId or "
            "ivvy.id, or another backend's record such as IVVY.email where the input had no "
            "key; null for a new record."
        ),
    )
    changed_fields: list[str] = strawberry.field(
        default_factory=list,
        description=(
            "Unified fields whose stored value this write changes; every given field for a new "
            "record, and every field sent where the backend was not read first."
        ),
    )
    ignored_fields: list[str] = strawberry.field(
        default_factory=list,
        description=(
            "Fields of the input that this backend cannot hold, such as middleInitial or "
            "customFields.Shift."
        ),
    )
    calls: list[BackendCall] = strawberry.field(
        default_factory=list,
        description=(
            "The writing calls made to the backend, or for a dry run those that would be made. "
            "Secrets and other callers' data are never shown."
        ),
    )


HAS_IT = frozenset(
    {Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.CONFIRMED}
    | {Outcome.ACCEPTED, Outcome.QUEUED}
)
"""Outcomes after which a backend holds the write, or will."""


def in_order(results: Iterable[BackendResult]) -> list[BackendResult]:
    """The results in the order of the Backend enum."""
    return sorted(results, key=lambda result: ORDER.index(result.backend))


def summarize(outcomes: Iterable[Outcome], *, dry: bool = False) -> UpsertStatus:
    """The status of a whole write: the first that fits, in the order written at `UpsertStatus`.

    A backend that was left out (SKIPPED) counts for nothing; a write that was left out everywhere
    is APPLIED.
    """
    return _summary(frozenset(outcomes), dry)


@lru_cache(maxsize=1_024)
def _summary(outcomes: frozenset[Outcome], dry: bool) -> UpsertStatus:
    seen = outcomes - {Outcome.SKIPPED}
    written = bool(seen & HAS_IT) or Outcome.PARTIAL in seen
    if Outcome.REJECTED in seen and not written and Outcome.UNKNOWN not in seen:
        return UpsertStatus.REJECTED
    if dry:
        return UpsertStatus.PLANNED
    if Outcome.PARTIAL in seen or (written and seen - HAS_IT):
        return UpsertStatus.PARTIAL
    if Outcome.UNKNOWN in seen:
        return UpsertStatus.UNKNOWN
    if Outcome.FAILED in seen:
        return UpsertStatus.FAILED
    if seen & {Outcome.ACCEPTED, Outcome.QUEUED}:
        return UpsertStatus.PENDING
    return UpsertStatus.APPLIED
