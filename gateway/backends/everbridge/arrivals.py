"""Whether a contact that is read back is what was sent.

Asked after a batch of which some rows failed, when nobody says which. A difference that means
nothing costs a call, because the row is sent once more; to overlook one would be a false receipt.
So only what Everbridge is known to add by itself is passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.backends.everbridge.batch_calls import PATH_DEFAULTS, group_of
from gateway.backends.everbridge.contact import ADDITIVE, carried
from gateway.backends.everbridge.organization import meaning, rows_in
from gateway.backends.everbridge.quiet_times import KEY as QUIET_TIMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.calls import Call

_STORED_PATH = {**PATH_DEFAULTS, "status": "A"}
"""What a stored path holds when nothing was said of it."""


def has_arrived(call: Call, stored: Mapping[str, Any]) -> bool:
    """Whether the contact is as a PUT or POST says, or without the group that a DELETE names."""
    groups = {str(group) for group in rows_in(stored, "groups")}
    if call.method == "DELETE":
        return group_of(call) not in groups
    if not {str(group) for group in rows_in(call.body, "groups")} <= groups:
        return False
    said = {key: value for key, value in call.body.items() if key not in ADDITIVE}
    return _compared(said, said) == _compared(carried(stored), said)


def _compared(contact: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """A contact's fields in a form that can be compared with what was `said`."""
    form: dict[str, Any] = meaning(dict(contact))
    form.pop("recordTypeName", None)  # shown beside the id, which is what is sent
    paths = rows_in(said, "paths")
    form["paths"] = [
        _compared_path(path, paths[place] if place < len(paths) else path)
        for place, path in enumerate(form.get("paths", []))
    ]
    attributes = [_compared_attribute(attribute) for attribute in form.get("contactAttributes", [])]
    form["contactAttributes"] = sorted(attributes, key=lambda each: str(each.get("orgAttrId")))
    return form


def _compared_path(path: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Quiet times that were not spoken of are kept, whatever they are."""
    quiet = {QUIET_TIMES} if QUIET_TIMES not in said else set()
    shown = {key: value for key, value in path.items() if key not in quiet | {"prompt"}}
    return {**_STORED_PATH, **shown}


def _compared_attribute(attribute: Mapping[str, Any]) -> dict[str, Any]:
    """The name goes with the id; a number may be shown for a text."""
    values = [str(value) for value in attribute.get("values", [])]
    kept = {key: value for key, value in attribute.items() if key != "name"}
    return {**kept, "values": values}
