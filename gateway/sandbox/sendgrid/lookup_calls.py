"""Reading contacts: by address, identifier, id or query (contract: sendgrid section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.sandbox.sendgrid import query, upsert, views
from gateway.sandbox.sendgrid.asked import answer
from gateway.sandbox.sendgrid.errors import RefusalError, refused, refused_bare, refused_empty
from gateway.sandbox.sendgrid.store import IDENTIFIERS

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.sandbox.sendgrid.asked import Asked
    from gateway.sandbox.sendgrid.store import Contact

MAX_KEYS = 100
MAX_ROWS = 50
_NOT_FOUND = "contact not found"


def search_emails(asked: Asked) -> Response:
    """Find contacts by main or alternate address; 404 when none of them is known.

    One invalid address refuses the whole call; empty ones are dropped.
    """
    given = [one.lower() for one in asked.texts("emails") if one]
    if not 1 <= len(given) <= MAX_KEYS:
        raise refused(400, f"emails must have 1 to {MAX_KEYS} items", "emails")
    longest = int(asked.switches["search_email_max"])
    for email in given:
        if len(email) > longest or not upsert.is_email(email):
            raise refused(400, f"email '{email}' is not valid", "emails")
    store = asked.store
    found = {email: store.owner("email", email) or store.by_alternate(email) for email in given}
    if not any(found.values()):
        raise refused(404, _NOT_FOUND)
    return _found(asked, found)


def search_identifiers(asked: Asked) -> Response:
    """Find contacts by one type of identifier; 404 when none of them is known."""
    kind = asked.part("type")
    if kind not in IDENTIFIERS:
        raise refused_bare(400, f"identifier type must be one of {', '.join(IDENTIFIERS)}")
    given = [one for one in asked.texts("identifiers") if one]
    if not 1 <= len(given) <= MAX_KEYS:
        raise refused_bare(400, f"identifiers must have 1 to {MAX_KEYS} items", "identifiers")
    # ASSUMED: keys of the answer are lower-cased for e-mails, as the answered e-mails are.
    keys = [one.lower() for one in given] if kind == "email" else given
    found = {key: asked.store.owner(kind, key) for key in keys}
    if not any(found.values()):
        raise refused_bare(404, _NOT_FOUND)
    return _found(asked, found)


def _found(asked: Asked, found: dict[str, Contact | None]) -> Response:
    shown: dict[str, Any] = {
        key: {"error": _NOT_FOUND} if contact is None else {"contact": asked.show(contact)}
        for key, contact in found.items()
    }
    return answer({"result": shown})


def get_contact(asked: Asked) -> Response:
    """Give one contact without a wrapper; the 404 has an empty body."""
    contact = asked.store.contacts.get(asked.part("id"))
    if contact is None:
        raise refused_empty(404)
    return answer(asked.show(contact))


def get_batch(asked: Asked) -> Response:
    """Give contacts by id; ids that are unknown are left out."""
    ids = asked.texts("ids")
    if not 1 <= len(ids) <= MAX_KEYS:
        raise refused(400, f"ids must have 1 to {MAX_KEYS} items", "ids")
    found = [asked.store.contacts[one] for one in ids if one in asked.store.contacts]
    if not found:
        raise RefusalError(404, b"{}")
    return answer({"result": [asked.show(contact) for contact in found]})


def search(asked: Asked) -> Response:
    """Give the first 50 contacts that fit a query, and the number of all."""
    text = asked.member("query")
    if not isinstance(text, str) or not text.strip():
        raise refused(400, "query is required", "query")
    try:
        fits = query.read_query(text)
    except query.QueryError as error:
        raise refused(400, str(error), "query") from error
    store = asked.store
    found = [one for one in store.contacts.values() if fits(views.searchable(one, store))]
    # ASSUMED: no match is 200 with an empty list, because contact_count is required there.
    return answer(
        {
            "result": [asked.show(contact) for contact in found[:MAX_ROWS]],
            "contact_count": len(found),
            "_metadata": {"self": f"{asked.base}/contacts/search"},
        }
    )


def get_contacts(asked: Asked) -> Response:
    """Give the 50 newest contacts in the order of their e-mails; there is no next page."""
    stored = list(asked.store.contacts.values())
    newest = sorted(stored, key=lambda one: one.created_at, reverse=True)[:MAX_ROWS]
    newest.sort(key=lambda one: one.identifiers.get("email", ""))
    return answer(
        {
            "result": [asked.show(contact, recent=True) for contact in newest],
            "contact_count": len(stored),
            "_metadata": {"self": f"{asked.base}/contacts"},
        }
    )


def get_count(asked: Asked) -> Response:
    """Count the contacts; ASSUMED: all of them are billable."""
    stored = asked.store.contacts.values()
    counts = views.identifier_counts(stored)
    shown = {"contact_count": len(stored), "billable_count": len(stored)}
    return answer({**shown, "identifier_counts": counts})
