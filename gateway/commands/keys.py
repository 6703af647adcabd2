"""What `gateway keys` does: short transactions beside a gateway that serves, or without one."""

from __future__ import annotations

import os
import tempfile
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.callers.caller import Scope, scopes_of
from gateway.callers.door import chosen_ways
from gateway.callers.keys import digest, new_key, utc_now
from gateway.errors import SettingsError
from gateway.settings import TEMPORARY
from gateway.store.errors import StoreError
from gateway.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from gateway.settings import Settings
    from gateway.store.api_keys import ApiKeys, StoredKey

LONGEST_NAME = 100
MOST_DAYS = 36_500
"""For which a key can be good, unless it is good for ever."""
AUTO = (
    "GATEWAY_AUTH is auto: a gateway that is running now, and had no key when it started, asks for "
    "keys from its next start on."
)


@dataclass(frozen=True, kw_only=True)
class Made:
    """What became of `gateway keys create`."""

    key: str | None
    """To be shown, this once; None where it is in the file, or no key was made."""
    told: list[str]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The key that is asked for."""

    name: str
    scopes: tuple[str, ...]
    days: float | None = None
    file: Path | None = None
    if_missing: bool = False


def wanted_key(
    name: str, scopes: Sequence[str], *, days: float | None, file: Path | None, if_missing: bool
) -> Wanted:
    """The key asked for; raises SettingsError with all that is wrong."""
    named = [part for text in scopes for part in text.replace(",", " ").split()]
    problems = [
        f"{scope!r} is no scope: give some of {', '.join(Scope)}."
        for scope in named
        if scope not in frozenset(Scope)
    ]
    if not named:
        problems.append(f"A key needs a scope: give --scope with some of {', '.join(Scope)}.")
    if not (0 < len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()):
        problems.append(f"The name must have 1 to {LONGEST_NAME} printable characters.")
    if days is not None and not 0 < days <= MOST_DAYS:
        problems.append(f"--days must be more than 0, and at most {MOST_DAYS:,}.")
    if file is not None and not file.absolute().parent.is_dir():
        problems.append(f"There is no folder {file.absolute().parent} for the key's file.")
    if problems:
        raise SettingsError(problems)
    chosen = tuple(scope.value for scope in Scope if scope.value in named)
    return Wanted(name=name, scopes=chosen, days=days, file=file, if_missing=if_missing)


async def create_key(settings: Settings, wanted: Wanted) -> Made:
    """Make a key, unless it is to be made only if missing and is there."""
    async with _opened(settings) as keys:
        now = utc_now()
        if wanted.if_missing and (known := await _known(keys, wanted, now)) is not None:
            where = f" in {wanted.file}" if wanted.file else ""
            return Made(key=None, told=[f"There is key {known.id} of {known.name!r}{where}."])
        lives_for = None if wanted.days is None else timedelta(days=wanted.days)
        text, stored = new_key(wanted.name, wanted.scopes, now, lives_for)
        await keys.add(stored)
        if wanted.file is not None:
            try:
                _write(wanted.file, text)
            except OSError as error:
                await keys.revoke(stored.id, utc_now())
                problem = f"{wanted.file} cannot be written: {error.strerror}. No key was made."
                raise SettingsError([problem]) from error
    where = f"is in {wanted.file}" if wanted.file else "is shown this once"
    told = [f"Key {stored.id} of {stored.name!r}, with {', '.join(stored.scopes)}, {where}."]
    if settings.auth == "auto":
        told.append(AUTO)
    return Made(key=None if wanted.file else text, told=told)


async def list_keys(settings: Settings) -> list[str]:
    """A line for each key that there ever was, under a head."""
    async with _opened(settings) as keys:
        found, now = await keys.list_keys(), utc_now()
    if not found:
        return ["There is no key yet."]
    rows: list[tuple[str, ...]] = [("ID", "NAME", "STATE", "LAST USED", "CREATED", "SCOPES")]
    rows += [_row(key, now) for key in found]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]


async def revoke_key(settings: Settings, named: str) -> tuple[bool, str]:
    """Whether a key was ended, by its id or by the name of a caller with one key; and what to say."""
    async with _opened(settings) as keys:
        now = utc_now()
        found = [key for key in await keys.list_keys() if named in {key.id, key.name}]
        working = [key for key in found if key.works(now)]
        if len(working) > 1:
            ids = ", ".join(key.id for key in working)
            return False, f"{named!r} has several keys: revoke them by their ids, {ids}."
        if not working or not await keys.revoke(working[0].id, now):
            known = "no longer works" if found else "is neither the id nor the name of a key"
            return False, f"{named!r} {known}."
    return True, (
        f"Key {working[0].id} of {working[0].name!r} is revoked; running gateways know within "
        "seconds."
    )


async def closed(settings: Settings, host: str) -> Settings:
    """The settings for a host that others reach: with auto, callers are told apart from the start.

    Raises SettingsError where nothing tells them apart.
    """
    if settings.auth != "auto":
        return settings
    ways: frozenset[str] = frozenset({"jwt"} if settings.has_jwt else ())
    if settings.database_url != TEMPORARY:
        async with _opened(settings) as keys:
            ways = await chosen_ways(settings, keys)
    if not ways:
        problem = (
            f"Serving on {host} would let in everybody on that network. Make a key (gateway keys "
            "create NAME --scope contacts:write), or set GATEWAY_JWT_JWKS_URL, GATEWAY_JWT_ISSUER "
            "and GATEWAY_JWT_AUDIENCE; or serve on 127.0.0.1. Where a proxy in front checks "
            "callers, GATEWAY_AUTH=none lets in everybody."
        )
        raise SettingsError([problem])
    return settings.model_copy(update={"auth": ",".join(sorted(ways, reverse=True))})


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[ApiKeys]:
    if settings.database_url == TEMPORARY:
        raise SettingsError(
            ["GATEWAY_DATABASE_URL is temporary: a key would be forgotten at once."]
        )
    try:
        async with open_store(settings.database_url, serving=False) as store:
            yield store.api_keys
    except StoreError as error:
        raise SettingsError([str(error)]) from error


async def _known(keys: ApiKeys, wanted: Wanted, now: datetime) -> StoredKey | None:
    """A key of that name that may do what is asked for: the one in the file, where one is named."""
    text = None
    if wanted.file is not None:
        try:
            text = wanted.file.read_text().strip()
        except FileNotFoundError:
            pass
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError([f"{wanted.file} cannot be read: {error}"]) from error
    for key in await keys.list_keys(working_at=now):
        fits = key.name == wanted.name and scopes_of(wanted.scopes) <= scopes_of(key.scopes)
        if fits and (wanted.file is None or (text is not None and key.hash == digest(text))):
            return key
    return None


def _write(path: Path, text: str) -> None:
    """Put a key into a file for its owner's eyes, whole or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{text}\n")
        Path(name).replace(path)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _row(key: StoredKey, now: datetime) -> tuple[str, ...]:
    state = "works" if key.works(now) else "revoked" if key.revoked_at else "expired"
    if key.expires_at is not None and state == "works":
        state = f"works until {_shown(key.expires_at)}"
    used, created = _shown(key.last_used_at), _shown(key.created_at)
    return (key.id, key.name, state, used, created, " ".join(key.scopes))


def _shown(time: datetime | None) -> str:
    return "never" if time is None else time.strftime("%Y-%m-%d %H:%M:%SZ")
