"""How SendGrid is spoken to: the key, the calls that are used, and what an answer means."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import orjson

from gateway.backends.sendgrid.refusals import explain, is_page, unexpected
from gateway.calls import Call, Safety
from gateway.fixed import fixed
from gateway.model import Backend

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.calls import Reply
    from gateway.results import BackendResult, Problem
    from gateway.upstream import Exchange, Sender

MARKETING = "/v3/marketing"
LOOK_UPS = f"{MARKETING}/contacts/search/"
BATCH = f"{MARKETING}/contacts/batch"
LISTS = f"{MARKETING}/lists"
FIELD_DEFINITIONS = f"{MARKETING}/field_definitions"
PAGE_SIZE = 100
MOST_CONTACTS = 30_000
"""Contacts that one upsert takes."""
LARGEST_BODY = 6_000_000
"""Bytes that its body may have; decimal megabytes ASSUMED, the safer reading of 6 MB."""
MOST_REMOVED = 100
"""Contacts that leave a list in one call. Their ids stand in its address, which is then 4 KB long:
the vendor publishes no limit, and others who use this call stop there (contract: section 7)."""
WORDS = frozenset(
    {"v3", "marketing", "contacts", "search", "emails", "identifiers", "email", "external_id"}
    | {"batch", "lists", "imports", "field_definitions"}
)
"""The parts of the paths that are the same in every call; the others are ids."""


@dataclass(kw_only=True)
class SendGridDialect:
    """SendGrid's address, its key, and the meaning of its answers."""

    base_url: str
    api_key: str = field(repr=False)
    backend: Backend = Backend.SENDGRID

    async def authorize(
        self,
        call: Call,  # noqa: ARG002 - the protocol's parameters: a fixed key needs none of them
        content: bytes,
        *,
        renew: bool,  # noqa: ARG002
        sender: Sender,  # noqa: ARG002
        exchange: Exchange,  # noqa: ARG002
    ) -> Mapping[str, str]:
        """The headers of one try. A request without Accept may be answered with 406."""
        headers = {"Authorization": f"Bearer {self.api_key}", "Accept": "application/json"}
        return headers | ({"Content-Type": "application/json"} if content else {})

    def judge(self, call: Call, reply: Reply) -> Problem | None:
        """What is wrong with an answer; None when it is a success.

        A look-up that finds nothing is answered with 404, which is an answer and no error; a page
        of HTML with that status is somebody else's answer.
        """
        if HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            return None if _fits(call, reply.body) else unexpected(reply)
        looked_up = reply.status == HTTPStatus.NOT_FOUND and call.path.startswith((LOOK_UPS, BATCH))
        return None if looked_up and not is_page(reply) else explain(call, reply)

    def route(self, call: Call) -> str:
        """The path with `*` for a list's or a job's id."""
        parts = call.path.split("/")
        return "/".join(part if not part or part in WORDS else "*" for part in parts)

    def batch_size(self, call: Call) -> int | None:
        """The contacts of one upsert, or of one removal from a list."""
        if call.method == "PUT":
            return call.contacts if isinstance(call, JointUpsert) else len(call.body["contacts"])
        return len(removed(call)) if call.method == "DELETE" else None


def _fits(call: Call, body: Any) -> bool:
    """Whether the body of a success has what every such answer has."""
    if not isinstance(body, dict):
        return False
    if call.safety is not Safety.READ:
        return isinstance(body.get("job_id"), str) and bool(body["job_id"])
    if call.path.startswith(LOOK_UPS):
        return isinstance(body.get("result"), dict)
    if call.path == LISTS:
        return isinstance(body.get("result", ""), list | None)  # null is an empty list
    if call.path == BATCH:
        return isinstance(body.get("result"), list)
    return True


# ---------------------------------------------------------------- the calls


CONTACTS = f"{MARKETING}/contacts"


@fixed
class JointUpsert(Call):
    """An upsert of contacts that are encoded already: thousands of them are not gone over twice."""

    encoded: bytes
    contacts: int

    def content(self) -> bytes:
        """The bytes of the body."""
        return self.encoded


def put_contacts(
    contacts: Sequence[Mapping[str, Any]],
    list_ids: Sequence[str],
    *,
    carries: tuple[str, ...] = (),
) -> Call:
    """Upsert contacts, all of which join the lists."""
    body: dict[str, Any] = {"list_ids": list(list_ids)} if list_ids else {}
    body["contacts"] = [dict(contact) for contact in contacts]
    return Call(method="PUT", path=CONTACTS, body=body, safety=Safety.REPEATABLE, carries=carries)


def put_encoded(contacts: Sequence[bytes], list_ids: Sequence[str]) -> Call:
    """The same with contacts that are JSON already."""
    start, end = _envelope(tuple(list_ids))
    return JointUpsert(
        method="PUT",
        path=CONTACTS,
        safety=Safety.REPEATABLE,
        encoded=start + b",".join(contacts) + end,
        contacts=len(contacts),
    )


def room_for_contacts(list_ids: Sequence[str]) -> int:
    """Bytes that the contacts of one upsert may take, each counted with the comma behind it."""
    start, end = _envelope(tuple(list_ids))
    return LARGEST_BODY - len(start) - len(end) + 1


@lru_cache(maxsize=256)
def _envelope(list_ids: tuple[str, ...]) -> tuple[bytes, bytes]:
    """What stands around the contacts; remembered, because most upserts join the same few lists."""
    lists = b'"list_ids":' + orjson.dumps(list_ids) + b"," if list_ids else b""
    return b"{" + lists + b'"contacts":[', b"]}"


def remove_from_list(
    list_id: str, contact_ids: Sequence[str], *, carries: tuple[str, ...] = ()
) -> Call:
    """Take contacts off a list; they stay stored."""
    return Call(
        method="DELETE",
        path=f"{LISTS}/{quote(list_id, safe='')}/contacts",
        query=(("contact_ids", ",".join(contact_ids)),),
        safety=Safety.REPEATABLE,
        carries=carries,
    )


def list_left(call: Call) -> str:
    """The list of a removal."""
    return unquote(call.path.split("/")[-2])


def lists_left(result: BackendResult) -> set[str]:
    """The lists of a write's removals, as its receipt has them; without those that are no more."""
    removals = [call for call in result.calls if call.method == "DELETE"]
    there = [call for call in removals if call.status_code != HTTPStatus.NOT_FOUND]
    paths = [call.path.partition("?")[0] for call in there]
    return {unquote(path.split("/")[-2]) for path in paths}


def removed(call: Call) -> list[str]:
    """The contacts of a removal, by SendGrid's ids."""
    return dict(call.query)["contact_ids"].split(",")


def search_emails(emails: Sequence[str]) -> Call:
    """Look contacts up by main or alternate address, given in lower case."""
    return Call(method="POST", path=f"{LOOK_UPS}emails", body={"emails": list(emails)})


def search_identifiers(kind: str, values: Sequence[str]) -> Call:
    """Look contacts up by one type of identifier: email, external_id, …."""
    path = f"{LOOK_UPS}identifiers/{kind}"
    return Call(method="POST", path=path, body={"identifiers": list(values)})


def get_batch(contact_ids: Sequence[str]) -> Call:
    """Read contacts by SendGrid's own ids, at most 100 of them."""
    return Call(method="POST", path=BATCH, body={"ids": list(contact_ids)})


def get_job(job_id: str) -> Call:
    """Ask how a job stands."""
    path = f"{MARKETING}/contacts/imports/{quote(job_id, safe='')}"
    return Call(method="GET", path=path)


def get_lists(page_token: str | None) -> Call:
    """Read one page of lists."""
    token = () if page_token is None else (("page_token", page_token),)
    return Call(method="GET", path=LISTS, query=(("page_size", str(PAGE_SIZE)), *token))


def get_list(list_id: str) -> Call:
    """Read one list."""
    return Call(method="GET", path=f"{LISTS}/{quote(list_id, safe='')}")


def get_field_definitions() -> Call:
    """Read the definitions of all fields."""
    return Call(method="GET", path=FIELD_DEFINITIONS)
