"""Quiet times of a delivery path: from the input to frames, and what a PUT says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.model import Weekday

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.model import PathInput, QuietTimeFrameInput

KEY = "quietTimeFrames"

_DAYS = {day: number for number, day in enumerate(Weekday, start=1)}
"""1 is Sunday (contract: everbridge section 4.1)."""


def laid_frames(
    given: Sequence[QuietTimeFrameInput], stored: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The frames that the input asks for, in its order.

    A frame without a name takes that of the stored frame in the same place, which may have none,
    else "Quiet time n"; ASSUMED that a name is needed, because PATCH addresses frames by it. What
    the gateway does not know of a stored frame of that name is kept.
    """
    by_name = {frame.get("name"): frame for frame in reversed(stored)}
    claimed = {_name(frame) for frame in given}
    rows = []
    for place, frame in enumerate(given):
        held = stored[place] if place < len(stored) else None
        name = _name(frame) or (_name_in(held, claimed) if held else None)
        if name is None and (held is None or held.get("name")):
            name = f"Quiet time {place + 1}"
        before = by_name.get(name, {}) if name else held or {}
        rows.append({**before, **_laid(frame, name, before)})
    return rows


def gives_frames(path: PathInput) -> bool:
    """Whether a path of the input asks for quiet times."""
    frames = path.quiet_time_frames
    return frames is not None and bool(frames.value)


def said_frames(
    paths: Sequence[dict[str, Any]], stored: Sequence[Mapping[str, Any]], *, timezone: bool
) -> list[dict[str, Any]]:
    """The paths as a PUT must say them, so that every path has exactly its own quiet times.

    Stored frames are sent as they were read: "present replaces" is what the vendor documents,
    while "absent keeps" rests on our assumption of how a stored path is found. Without a time zone
    they are left out, because frames without it are refused (section 5, rules 6 to 8). A path
    without frames says so where it might get those of another path with its pathId.
    """
    framed = {path.get("pathId") for path in (*paths, *stored) if path.get(KEY)}
    if not framed:
        return list(paths)
    rows = [
        path if path.get(KEY) or path.get("pathId") not in framed else {**path, KEY: []}
        for path in paths
    ]
    if timezone:
        return rows
    return [{key: value for key, value in row.items() if key != KEY or not value} for row in rows]


def _laid(
    frame: QuietTimeFrameInput, name: str | None, stored: Mapping[str, Any]
) -> dict[str, Any]:
    days = sorted({_DAYS[day] for day in frame.days})
    kept = stored.get("days")
    return {
        **({"name": name} if name else {}),
        "days": kept if kept and sorted(kept) == days else days,
        "fromHour": frame.from_hour,
        "fromMin": frame.from_minute,
        "toHour": frame.to_hour,
        "toMin": frame.to_minute,
    }


def _name(frame: QuietTimeFrameInput) -> str | None:
    return frame.name.value if frame.name else None


def _name_in(held: Mapping[str, Any], claimed: set[str | None]) -> str | None:
    name = held.get("name")
    return None if name in claimed else name
