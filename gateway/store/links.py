"""Which lead of iVvy an externalId means, and which creates are without an answer.

A create goes intent → call → link. The intent is on disk before the call leaves, so that a crash at
any point leaves either nothing sent, or an intent that the next call sees; never a lead that nobody
knows of. What an open intent means must be found out (by looking the lead up) or told to the caller
as UNKNOWN: only `drop_link`, for a create that surely did not happen, lets another one begin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from gateway.store.database import Statement, from_json, known_time, to_json
from gateway.store.link_records import Begun, Intent, LinkConflict, Linked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.store.database import Database, Json, Row, Transaction
    from gateway.store.link_records import LinkState


class LeadLinks:
    """The link table.

    `account` names the iVvy account: the ids of two accounts have nothing to do with each other.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin_link(
        self,
        account: str,
        external_id: str,
        *,
        holder: str,
        payload: Json,
        payload_version: int,
        answer_by: datetime,
        now: datetime,
    ) -> Begun | Linked | Intent:
        """Begin a create, unless there is a link or somebody's open intent: then that is given."""
        intent = Intent(
            account=account,
            external_id=external_id,
            id=uuid4().hex,
            holder=holder,
            begun_at=now,
            answer_by=answer_by,
            payload=payload,
            payload_version=payload_version,
            unknown=False,
            note=None,
        )
        return await self._database.write(_begin, intent)

    async def finish_link(
        self, intent: Intent, lead_id: str, now: datetime
    ) -> Linked | LinkConflict:
        """The create's lead is known: link it.

        A conflict means that somebody has settled the intent otherwise meanwhile. The lead exists
        then without a link, and the caller must be told.
        """
        return await self._database.write(_finish, intent, lead_id, now)

    async def drop_link(self, intent: Intent) -> bool:
        """The create surely did not happen: forget the intent. False when it is no longer open."""
        return await self._database.write(_drop, intent)

    async def mark_unknown(self, intent: Intent, note: str, now: datetime) -> bool:
        """Nobody knows whether the create happened: say so. False when it is no longer open."""
        return await self._database.write(_mark_unknown, intent, note, now)

    async def adopt_link(
        self, account: str, external_id: str, lead_id: str, *, holder: str, now: datetime
    ) -> Linked | LinkConflict:
        """Link a lead that exists, and so settle an open intent that nobody waits for any more."""
        return await self._database.write(_adopt, account, external_id, lead_id, holder, now)

    async def read_link(self, account: str, external_id: str) -> LinkState:
        """What is known of an externalId."""
        return await self._database.read(_read, account, external_id)

    async def read_link_of_lead(self, account: str, lead_id: str) -> Linked | None:
        """The link that leads to a lead."""
        return await self._database.read(_read_of_lead, account, lead_id)

    async def read_open_intents(self, limit: int = 100) -> list[Intent]:
        """Intents without an end, over all accounts, oldest first: somebody must look at them."""
        return await self._database.read(_read_open, limit)

    async def remove_link(self, link: Linked) -> bool:
        """Forget a link, for one whose lead is gone. False when it no longer stands so."""
        return await self._database.write(_remove, link)


def _begin(intent: Intent) -> Transaction[Begun | Linked | Intent]:
    rows = yield Statement(
        "INSERT INTO lead_link (account, external_id, state, intent_id, holder, begun_at,"
        " answer_by, payload, payload_version, changed_at)"
        " VALUES ($1, $2, 'INTENT', $3, $4, $5, $6, $7, $8, $5)"
        " ON CONFLICT (account, external_id) DO NOTHING RETURNING account",
        (
            intent.account,
            intent.external_id,
            intent.id,
            intent.holder,
            intent.begun_at,
            intent.answer_by,
            to_json(intent.payload),
            intent.payload_version,
        ),
    )
    if rows:
        return Begun(intent=intent)
    standing = yield from _locked(intent.account, intent.external_id)
    if standing is None:  # dropped between the two statements: now there is nothing in the way
        return (yield from _begin(intent))
    return standing


def _finish(intent: Intent, lead_id: str, now: datetime) -> Transaction[Linked | LinkConflict]:
    standing = yield from _locked(intent.account, intent.external_id)
    if isinstance(standing, Linked) and standing.lead_id == lead_id:
        return standing
    if standing is not None and not _is_same(standing, intent):
        return LinkConflict(wanted=lead_id, standing=standing)
    # An intent that somebody has dropped although the create was under way: the lead is there all
    # the same, and nobody has claimed the externalId since.
    return (yield from _link(intent, lead_id, now))


def _adopt(
    account: str, external_id: str, lead_id: str, holder: str, now: datetime
) -> Transaction[Linked | LinkConflict]:
    standing = yield from _locked(account, external_id)
    if isinstance(standing, Linked):
        same = standing.lead_id == lead_id
        return standing if same else LinkConflict(wanted=lead_id, standing=standing)
    if standing is not None and standing.is_running(now):
        return LinkConflict(wanted=lead_id, standing=standing)
    adopted = standing or Intent(
        account=account,
        external_id=external_id,
        id=uuid4().hex,
        holder=holder,
        begun_at=now,
        answer_by=now,
        payload={},
        payload_version=0,
        unknown=False,
        note=None,
    )
    return (yield from _link(adopted, lead_id, now))


def _link(intent: Intent, lead_id: str, now: datetime) -> Transaction[Linked | LinkConflict]:
    """Write the link over its intent, unless the lead is linked to another externalId."""
    others = yield Statement(
        "SELECT * FROM lead_link WHERE account = $1 AND lead_id = $2 {for_update}",
        (intent.account, lead_id),
    )
    if others:
        return LinkConflict(wanted=lead_id, standing=_linked(others[0]))
    rows = yield Statement(
        "INSERT INTO lead_link (account, external_id, state, lead_id, intent_id, holder, begun_at,"
        " answer_by, payload, payload_version, note, changed_at)"
        " VALUES ($1, $2, 'LINKED', $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        " ON CONFLICT (account, external_id) DO UPDATE"
        " SET state = 'LINKED', lead_id = excluded.lead_id, changed_at = excluded.changed_at"
        " WHERE lead_link.intent_id = excluded.intent_id AND lead_link.lead_id IS NULL"
        " RETURNING *",
        (
            intent.account,
            intent.external_id,
            lead_id,
            intent.id,
            intent.holder,
            intent.begun_at,
            intent.answer_by,
            to_json(intent.payload),
            intent.payload_version,
            intent.note,
            now,
        ),
    )
    if rows:
        return _linked(rows[0])
    standing = yield from _locked(intent.account, intent.external_id)
    assert standing is not None  # noqa: S101 - the row was in the way a statement ago
    return LinkConflict(wanted=lead_id, standing=standing)


def _drop(intent: Intent) -> Transaction[bool]:
    rows = yield Statement(
        "DELETE FROM lead_link WHERE account = $1 AND external_id = $2 AND intent_id = $3"
        " AND lead_id IS NULL RETURNING account",
        (intent.account, intent.external_id, intent.id),
    )
    return bool(rows)


def _mark_unknown(intent: Intent, note: str, now: datetime) -> Transaction[bool]:
    rows = yield Statement(
        "UPDATE lead_link SET state = 'UNKNOWN', note = $4, changed_at = $5"
        " WHERE account = $1 AND external_id = $2 AND intent_id = $3 AND lead_id IS NULL"
        " RETURNING account",
        (intent.account, intent.external_id, intent.id, note, now),
    )
    return bool(rows)


def _remove(link: Linked) -> Transaction[bool]:
    rows = yield Statement(
        "DELETE FROM lead_link WHERE account = $1 AND external_id = $2 AND lead_id = $3"
        " RETURNING account",
        (link.account, link.external_id, link.lead_id),
    )
    return bool(rows)


def _locked(account: str, external_id: str) -> Transaction[LinkState]:
    rows = yield Statement(
        "SELECT * FROM lead_link WHERE account = $1 AND external_id = $2 {for_update}",
        (account, external_id),
    )
    return _state(rows)


def _read(account: str, external_id: str) -> Transaction[LinkState]:
    rows = yield Statement(
        "SELECT * FROM lead_link WHERE account = $1 AND external_id = $2", (account, external_id)
    )
    return _state(rows)


def _read_of_lead(account: str, lead_id: str) -> Transaction[Linked | None]:
    rows = yield Statement(
        "SELECT * FROM lead_link WHERE account = $1 AND lead_id = $2", (account, lead_id)
    )
    return _linked(rows[0]) if rows else None


def _read_open(limit: int) -> Transaction[list[Intent]]:
    rows = yield Statement(
        "SELECT * FROM lead_link WHERE lead_id IS NULL ORDER BY begun_at, external_id LIMIT $1",
        (limit,),
    )
    return [_intent(row) for row in rows]


def _is_same(standing: Linked | Intent, intent: Intent) -> bool:
    return isinstance(standing, Intent) and standing.id == intent.id


def _state(rows: Sequence[Row]) -> LinkState:
    if not rows:
        return None
    return _intent(rows[0]) if rows[0]["lead_id"] is None else _linked(rows[0])


def _linked(row: Row) -> Linked:
    return Linked(
        account=row["account"],
        external_id=row["external_id"],
        lead_id=row["lead_id"],
        linked_at=known_time(row["changed_at"]),
    )


def _intent(row: Row) -> Intent:
    return Intent(
        account=row["account"],
        external_id=row["external_id"],
        id=row["intent_id"],
        holder=row["holder"],
        begun_at=known_time(row["begun_at"]),
        answer_by=known_time(row["answer_by"]),
        payload=from_json(row["payload"]),
        payload_version=row["payload_version"],
        unknown=row["state"] == "UNKNOWN",
        note=row["note"],
    )
