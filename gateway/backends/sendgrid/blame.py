"""Which of several writes a refusal is about, as far as SendGrid says. All of it is pure.

`contacts[N]` in a field is its own way of telling (contract: sendgrid section 3). Custom fields it
names by id only, so those who send one that is named are taken for the culprits. Everything else
is found out by sending less (`shared_call.py`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from gateway.backends.sendgrid.refusals import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.backends.sendgrid.refusals import Refusal
    from gateway.calls import Reply

_PLACE = re.compile(r"contacts\[(\d+)\]")
_WORD = re.compile(r"\w+")


def blamed_contacts(
    reply: Reply, contacts: Sequence[Mapping[str, Any]], list_ids: Sequence[str]
) -> dict[int, Reply] | None:
    """The contacts of an upsert that a refusal names, each with its part of the answer.

    None where a list is refused, because all of them share the lists.
    """
    told: dict[int, list[Refusal]] = defaultdict(list)
    for refusal in refusals(reply.body):
        if refusal.field == "list_ids" or any(one in refusal.message for one in list_ids):
            return None
        for place in _places(refusal, contacts):
            told[place].append(refusal)
    return {place: _part(reply, mine) for place, mine in sorted(told.items())}


def blamed_removals(reply: Reply) -> dict[int, Reply] | None:
    """Nobody in particular; None where removals are refused for their list, which all share."""
    said = " ".join(refusal.message.lower() for refusal in refusals(reply.body))
    return None if "list" in said and "contact" not in said else {}


def _places(refusal: Refusal, contacts: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    named = _PLACE.match(refusal.field or "")
    if named is not None:
        if int(named.group(1)) < len(contacts):
            yield int(named.group(1))
    elif "custom field" in refusal.message.lower():
        words = set(_WORD.findall(refusal.message))
        for place, contact in enumerate(contacts):
            if words & (contact.get("custom_fields") or {}).keys():
                yield place


def _part(reply: Reply, mine: Sequence[Refusal]) -> Reply:
    """The answer as it would be about one contact alone."""
    errors = [{"message": one.message, "field": one.field, "error_id": one.code} for one in mine]
    body = {"errors": errors}
    return replace(reply, body=body, text=orjson.dumps(body).decode())
