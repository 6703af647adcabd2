"""What stands in Everbridge's answers: one contact, or a page of a list (contract: everbridge section 2).

Whatever lacks a part that is relied on is refused: a contact that was read in part, or a page taken for
"nothing found", would end in a write that erases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.backends.everbridge.exact_numbers import with_exact_numbers
from gateway.errors import NotWrittenError
from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.calls import Reply

NAMES = ("firstName", "lastName")
"""What every contact has (contract: everbridge section 4)."""


def contact_of(reply: Reply) -> Mapping[str, Any]:
    """The contact of a read: in `result`, or bare as the vendor's own example shows it.

    Raises NotWrittenError when there is neither. An answer to a write, say, has an id and no more.
    """
    body = reply.body
    if "result" in body or is_whole(body):
        return contacts_in(reply, [body.get("result", body)])[0]
    raise NotWrittenError(unexpected(reply, "without a contact"))


def contacts_in(reply: Reply, rows: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
    """The rows of an answer; raises NotWrittenError where one is no contact."""
    if all(isinstance(row, dict) and is_id(row.get("id")) for row in rows):
        return with_exact_numbers(rows, reply.text)
    raise NotWrittenError(unexpected(reply, "with what is no contact"))


def is_whole(contact: Mapping[str, Any]) -> bool:
    """Whether a contact has a name; one without any was read in part at most."""
    return any(contact.get(name) for name in NAMES)


def read_in_part(contact_id: str) -> Problem:
    """The problem of a contact that is not to be written back, for it would lose the rest."""
    return Problem(
        backend=Backend.EVERBRIDGE,
        code=ProblemCode.BACKEND_ERROR,
        message=f"Everbridge shows contact {contact_id} without a name, which every contact has: to write "
        "back what was read in part would erase the rest, so nothing was written there.",
        retryable=True,
    )


def page_of(reply: Reply) -> Mapping[str, Any]:
    """The page of a list; where it is empty its rows are missing. Raises NotWrittenError."""
    page = reply.body.get("page")
    if isinstance(page, dict):
        return page
    raise NotWrittenError(unexpected(reply, "without a page"))


def rows_of(reply: Reply) -> list[Mapping[str, Any]]:
    """The rows of one page of a list.

    Raises NotWrittenError when they are missing and totalCount does not say 0, or when there are
    none and it says more: to take that for "nothing found" would end in a POST that overwrites.
    """
    page = page_of(reply)
    rows, total = page.get("data"), count_of(page, "totalCount")
    if rows is None and total != 0:
        raise NotWrittenError(unexpected(reply, "without the rows of its page"))
    rows = rows or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise NotWrittenError(unexpected(reply, "with rows that are no objects"))
    if not rows and total:
        raise NotWrittenError(unexpected(reply, "without the rows that it counts"))
    return rows


def refuse_short(reply: Reply, brought: int) -> None:
    """Raise NotWrittenError when all the pages together brought less than totalCount says."""
    total = count_of(page_of(reply), "totalCount")
    if total is not None and brought < total:
        raise NotWrittenError(unexpected(reply, f"after {brought} rows of {total}"))


def count_of(page: Mapping[str, Any], name: str) -> int | None:
    """A number of a page, which may come as text; None where it does not say."""
    value = page.get(name)
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def is_id(value: object) -> bool:
    """Whether a value is the id of something: a number, or its digits."""
    if isinstance(value, str):
        return value.isascii() and value.isdigit() and int(value) > 0
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def written_id(body: Mapping[str, Any]) -> object:
    """The id of the contact that an answer to a PUT or POST tells.

    The text of Create Contact says that the whole record comes back, its example that the id does
    (contract: everbridge section 2.1).
    """
    record = body.get("result")
    return body.get("id", record.get("id") if isinstance(record, dict) else None)


def unexpected(reply: Reply, how: str) -> Problem:
    """The problem of an answer that is no error by its status and cannot be used; the next may be."""
    return Problem(
        backend=Backend.EVERBRIDGE,
        code=ProblemCode.BACKEND_ERROR,
        message=f"Everbridge answered with HTTP {reply.status}, {how}: {reply.excerpt or 'empty'}",
        retryable=True,
    )
