"""Lists and what is on them (contract: sendgrid section 8)."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from gateway.sandbox.sendgrid import views
from gateway.sandbox.sendgrid.asked import answer
from gateway.sandbox.sendgrid.errors import refused, refused_array, refused_bare
from gateway.sandbox.sendgrid.store import ContactList, new_id

if TYPE_CHECKING:
    from gateway.sandbox.sendgrid.asked import Asked

MAX_LISTS = 1000
MAX_NAME = 100
PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000
SAMPLE_SIZE = 50


def get_lists(asked: Asked) -> Response:
    """Give one page of lists; `_metadata.next` leads on and is absent on the last page."""
    size = _page_size(asked.request.query_params.get("page_size", str(PAGE_SIZE)))
    start = _read_token(asked.request.query_params.get("page_token"))
    lists = list(asked.store.lists.values())
    counts = asked.store.member_counts()
    metadata: dict[str, Any] = {"self": _page(asked, size, start)}
    if start:
        metadata["prev"] = _page(asked, size, max(0, start - size))
    if start + size < len(lists):
        metadata["next"] = _page(asked, size, start + size)
    # Recorded twice as one more than the rows that there were; not to be relied on.
    metadata["count"] = len(lists) + int(asked.switches["list_count_excess"])
    page = lists[start : start + size]
    shown = [views.contact_list(one, counts.get(one.id, 0), asked.base) for one in page]
    return answer({"result": shown, "_metadata": metadata})


def _page_size(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_PAGE_SIZE:
        raise refused(400, f"page_size must be 1 to {MAX_PAGE_SIZE}", "page_size")
    return int(text)


def _page(asked: Asked, size: int, start: int) -> str:
    token = f"&page_token={_token(start)}" if start else ""
    return f"{asked.base}/lists?page_size={size}{token}"


def _token(start: int) -> str:
    return base64.urlsafe_b64encode(f"after:{start}".encode()).decode().rstrip("=")


def _read_token(token: str | None) -> int:
    if not token:
        return 0
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise refused(400, "invalid page_token", "page_token") from error
    number = text.removeprefix("after:")
    if not number.isdecimal():
        raise refused(400, "invalid page_token", "page_token")
    return int(number)


def post_list(asked: Asked) -> Response:
    """Make a list: 201."""
    name = _checked_name(asked)
    if len(asked.store.lists) >= MAX_LISTS:
        raise refused(400, f"no more than {MAX_LISTS} lists are allowed")
    made = ContactList(new_id(), name)
    asked.store.lists[made.id] = made
    return answer(views.contact_list(made, 0, asked.base), 201)


def _checked_name(asked: Asked, own_id: str | None = None) -> str:
    name = asked.member("name")
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME:
        raise refused(400, f"name must have 1 to {MAX_NAME} characters", "name")
    if asked.switches["unique_list_names"]:
        others = (one.name for one in asked.store.lists.values() if one.id != own_id)
        if name.casefold() in {other.casefold() for other in others}:
            raise refused(400, "a list with this name exists", "name")
    return name


def get_list(asked: Asked) -> Response:
    """Give one list, with a sample of its contacts on request; its 404 is a bare array."""
    found = asked.store.lists.get(asked.part("id"))
    if found is None:
        raise refused_array(404, "list not found")
    members = asked.store.members(found.id)
    shown = views.contact_list(found, len(members), asked.base)
    if asked.request.query_params.get("contact_sample") == "true":
        shown["contact_sample"] = [asked.show(one) for one in members[:SAMPLE_SIZE]]
    return answer({**shown, "identifier_counts": views.identifier_counts(members)})


def patch_list(asked: Asked) -> Response:
    """Rename a list."""
    found = _known(asked)
    found.name = _checked_name(asked, found.id)
    count = len(asked.store.members(found.id))
    return answer(views.contact_list(found, count, asked.base))


def delete_list(asked: Asked) -> Response:
    """Delete a list: 204; with its contacts, 200 and the job that deletes those.

    ASSUMED: the list itself and the memberships go at once.
    """
    found = _known(asked)
    ids = [one.id for one in asked.store.members(found.id)]
    asked.store.remove_list(found.id, linger=bool(asked.switches["deleted_lists_linger"]))
    if asked.request.query_params.get("delete_contacts") != "true":
        return Response(status_code=204)
    return answer({"job_id": asked.queue("delete", {"ids": ids}, len(ids))})


def get_list_count(asked: Asked) -> Response:
    """Count the contacts on a list."""
    count = len(asked.store.members(_known(asked).id))
    return answer({"contact_count": count, "billable_count": count})


def delete_list_contacts(asked: Asked) -> Response:
    """Queue the removal of contacts from a list; 404 when the list or any contact is unknown."""
    ids = asked.query_ids("contact_ids")
    if not ids:
        raise refused_bare(400, "contact_ids is required", "contact_ids")
    found = _known(asked)
    if any(one not in asked.store.contacts for one in ids):
        raise refused(404, "contact not found")
    payload = {"list_id": found.id, "ids": ids}
    return answer({"job_id": asked.queue("remove_from_list", payload, len(ids))}, 202)


def _known(asked: Asked) -> ContactList:
    found = asked.store.lists.get(asked.part("id"))
    if found is None:
        raise refused(404, "list not found")
    return found
