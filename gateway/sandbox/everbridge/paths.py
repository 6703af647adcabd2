"""Delivery paths of a contact: reading them from a body, and what becomes of their quiet times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.sandbox.everbridge.errors import invalid
from gateway.sandbox.everbridge.phones import read_phone
from gateway.sandbox.everbridge.values import (
    JsonObject,
    read_boolean,
    read_list,
    read_long,
    read_object,
    read_text,
    read_whole,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.sandbox.everbridge.store import Store

_MEMBER_STATUSES = ("A", "D")

_FRAME_LIMITS = {"fromHour": 23, "fromMin": 59, "toHour": 23, "toMin": 59}
"""Hours and minutes of a quiet time; from may be later than to, across midnight."""


def read_paths(value: object, store: Store, switches: Mapping[str, Any]) -> list[JsonObject]:
    """The paths of a body, in its order, which is the order of preference."""
    paths = [_read_path(read_object(element), store) for element in read_list(value)]
    path_ids = [path["pathId"] for path in paths]
    if switches["reject_duplicate_paths"] and len(set(path_ids)) < len(path_ids):
        raise invalid("A pathId is used twice.")
    return paths


def with_kept_quiet_times(
    paths: Sequence[JsonObject], stored: Sequence[JsonObject]
) -> list[JsonObject]:
    """Absent quiet times are taken from the stored path; `[]` removes them.

    Contract: everbridge section 5, rules 6 and 7. ASSUMED: the stored path is the one with the same
    pathId; of several with that pathId, the first that has quiet times.
    """
    frames = {
        path["pathId"]: path["quietTimeFrames"]
        for path in reversed(stored)
        if path.get("quietTimeFrames")
    }
    kept = []
    for path in paths:
        mine = path.get("quietTimeFrames", frames.get(path["pathId"], []))
        bare = {name: value for name, value in path.items() if name != "quietTimeFrames"}
        kept.append({**bare, "quietTimeFrames": mine} if mine else bare)
    return kept


def _read_path(element: JsonObject, store: Store) -> JsonObject:
    known = _resolve(element, store)
    value = read_text(element.get("value"), "value") if element.get("value") is not None else ""
    if not value:
        raise invalid(f"The path {known['prompt']} has no value.")
    country = element.get("countryCode")
    if country is not None:
        country = read_text(country, "countryCode") or None
    skip = element.get("skipValidation")
    validate = skip is None or not read_boolean(skip, "skipValidation")
    if known["formatFlag"] == "P":
        value, country = read_phone(value, country, validate=validate)
    elif known["formatFlag"] == "E":
        _check_email(value)
    path: JsonObject = {"pathId": known["pathId"], "value": value}
    if country is not None:
        path["countryCode"] = country
    path.update(_read_options(element, validate=validate))
    if element.get("quietTimeFrames") is not None:
        path["quietTimeFrames"] = [
            _read_frame(read_object(frame)) for frame in read_list(element["quietTimeFrames"])
        ]
    return path


def _resolve(element: JsonObject, store: Store) -> JsonObject:
    """The contact path that the element names; pathId beats prompt (section 5, rule 12)."""
    path_id, prompt = element.get("pathId"), element.get("prompt")
    if path_id is not None:
        known = store.contact_paths.get(read_long(path_id, "pathId"))
    elif prompt is not None:
        known = store.contact_path_prompted(read_text(prompt, "prompt"))
    else:
        raise invalid("A path needs a pathId or a prompt.")
    if known is None:
        raise invalid(f"Contact path {prompt if path_id is None else path_id} is invalid.")
    return known


def _read_options(element: JsonObject, *, validate: bool) -> JsonObject:
    """The fields beside value and country, with their defaults (ASSUMED: they are read back)."""
    wait, enabled, status = (element.get(name) for name in ("waitTime", "pathEnable", "status"))
    if status is not None and status not in _MEMBER_STATUSES:
        raise invalid(f"status {status} is invalid.")
    options: JsonObject = {
        "waitTime": 0 if wait is None else read_long(wait, "waitTime"),
        "skipValidation": not validate,
        "pathEnable": True if enabled is None else read_boolean(enabled, "pathEnable"),
        "status": "A" if status is None else status,
    }
    for name in ("phoneExt", "systemRequirement"):
        if element.get(name) is not None:
            options[name] = read_text(element[name], name)
    return options


def _read_frame(frame: JsonObject) -> JsonObject:
    """A quiet time. ASSUMED: all its fields are required, and its days not empty."""
    missing = [name for name in ("name", "days", *_FRAME_LIMITS) if frame.get(name) is None]
    if missing:
        raise invalid(f"A quiet time has no {missing[0]}.")
    days = [read_whole(day, 1, 7, "days") for day in read_list(frame["days"])]
    if not days:
        raise invalid("A quiet time has no days.")
    hours = {name: read_whole(frame[name], 0, limit, name) for name, limit in _FRAME_LIMITS.items()}
    return {"name": read_text(frame["name"], "name"), "days": days, **hours}


def _check_email(value: str) -> None:
    """ASSUMED: an e-mail path wants one `@` with something on both sides and no blanks."""
    local, _, domain = value.partition("@")
    if not local or not domain or "@" in domain or " " in value:
        raise invalid("The e-mail address of a path is invalid: it needs one @.")
