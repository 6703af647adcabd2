"""The tables, as the migrations that make them."""

from __future__ import annotations

from gateway.store.migrations import Migration

LEAD_LINKS = (
    # A lead of iVvy has no externalId: this table is the only place that knows which lead it is.
    # An intent is a row without a lead: a create that was begun and whose end is not known here.
    """
    CREATE TABLE lead_link (
        account text NOT NULL,
        external_id text NOT NULL,
        state text NOT NULL CHECK (state IN ('INTENT', 'UNKNOWN', 'LINKED')),
        lead_id text,
        intent_id text NOT NULL,
        holder text NOT NULL,
        begun_at {time} NOT NULL,
        answer_by {time} NOT NULL,
        payload {json} NOT NULL,
        payload_version {int} NOT NULL,
        note text,
        changed_at {time} NOT NULL,
        PRIMARY KEY (account, external_id),
        CHECK ((state = 'LINKED') = (lead_id IS NOT NULL))
    ) {strict}
    """,
    "CREATE UNIQUE INDEX lead_link_lead ON lead_link (account, lead_id) WHERE lead_id IS NOT NULL",
    "CREATE INDEX lead_link_open ON lead_link (begun_at) WHERE lead_id IS NULL",
)

LEASES = (
    # The row outlives its holder: released_at and the fence tell who reads it next what happened.
    """
    CREATE TABLE lease (
        key text PRIMARY KEY,
        fence {int} NOT NULL,
        previous {int} NOT NULL,
        holder text,
        held_until {time},
        released_at {time},
        touched_at {time} NOT NULL
    ) {strict}
    """,
    "CREATE INDEX lease_idle ON lease (touched_at) WHERE holder IS NULL",
)

OPERATIONS = (
    """
    CREATE TABLE operation (
        id text PRIMARY KEY,
        caller text NOT NULL,
        kind text NOT NULL,
        status text NOT NULL CHECK (status IN
            ('PENDING', 'RUNNING', 'SUCCEEDED', 'PARTIAL', 'FAILED', 'NEEDS_ATTENTION')),
        payload {json} NOT NULL,
        payload_version {int} NOT NULL,
        submitted_at {time} NOT NULL,
        completed_at {time},
        total {int} NOT NULL,
        completed {int} NOT NULL,
        failed {int} NOT NULL,
        attention {int} NOT NULL,
        revision {int} NOT NULL
    ) {strict}
    """,
    "CREATE INDEX operation_of_caller ON operation (caller, submitted_at, id)",
    "CREATE INDEX operation_newest ON operation (submitted_at, id)",
    "CREATE INDEX operation_open ON operation (submitted_at) WHERE completed_at IS NULL",
    "CREATE INDEX operation_ended ON operation (completed_at) WHERE completed_at IS NOT NULL",
    """
    CREATE TABLE item (
        operation_id text NOT NULL REFERENCES operation (id),
        position {int} NOT NULL,
        external_id text,
        status text NOT NULL,
        ended {int} NOT NULL,
        failed {int} NOT NULL,
        attention {int} NOT NULL,
        payload {json} NOT NULL,
        result {json},
        PRIMARY KEY (operation_id, position)
    ) {strict}
    """,
    "CREATE INDEX item_status ON item (operation_id, status, position)",
    # id is the order of acceptance. due_at is the next attempt's time, or a lease's end.
    """
    CREATE TABLE step (
        id {identity},
        operation_id text NOT NULL,
        position {int} NOT NULL,
        backend text NOT NULL,
        name text NOT NULL,
        record_key text NOT NULL,
        state text NOT NULL CHECK (state IN ('QUEUED', 'FOLLOWING', 'NEEDS_ATTENTION', 'DONE')),
        holds {int} NOT NULL,
        attempts {int} NOT NULL,
        due_at {time} NOT NULL,
        owner text,
        fence {int} NOT NULL,
        outcome text,
        intent {json},
        result {json},
        jobs {json} NOT NULL,
        FOREIGN KEY (operation_id, position) REFERENCES item (operation_id, position)
    ) {strict}
    """,
    "CREATE INDEX step_of_item ON step (operation_id, position)",
    "CREATE INDEX step_due ON step (due_at, id) WHERE state IN ('QUEUED', 'FOLLOWING')",
    "CREATE INDEX step_order ON step (backend, record_key, id) WHERE holds = 1",
    # The last word on order: two steps on one record are never in hand at the same time.
    """
    CREATE UNIQUE INDEX step_in_hand ON step (backend, record_key)
        WHERE holds = 1 AND owner IS NOT NULL
    """,
    "CREATE INDEX step_attention ON step (id) WHERE state = 'NEEDS_ATTENTION'",
    # Of no use any more, and written by older gateways alone, which may run beside this one.
    """
    CREATE TABLE event (
        operation_id text NOT NULL REFERENCES operation (id),
        number {int} NOT NULL,
        at {time} NOT NULL,
        step_id {int},
        kind text NOT NULL,
        detail {json},
        PRIMARY KEY (operation_id, number)
    ) {strict}
    """,
)

IDEMPOTENCY_KEYS = (
    """
    CREATE TABLE idempotency_key (
        caller text NOT NULL,
        key text NOT NULL,
        input_hash text NOT NULL,
        fence {int} NOT NULL,
        holder text,
        held_until {time},
        receipt {json},
        receipt_version {int},
        operation_id text,
        created_at {time} NOT NULL,
        expires_at {time} NOT NULL,
        PRIMARY KEY (caller, key)
    ) {strict}
    """,
    "CREATE INDEX idempotency_key_expiry ON idempotency_key (expires_at)",
)

API_KEYS = (
    # Rows stay when their key is revoked: what it wrote is told by its id.
    """
    CREATE TABLE api_key (
        id text PRIMARY KEY,
        name text NOT NULL,
        hash text NOT NULL UNIQUE,
        scopes text NOT NULL,
        created_at {time} NOT NULL,
        expires_at {time},
        last_used_at {time},
        revoked_at {time}
    ) {strict}
    """,
)

SHARED = (
    # Leases and turns go by the database's clock, in microseconds: what other machines' clocks say
    # matters to neither. A lease is nothing that outlives its process.
    "DROP TABLE lease",
    """
    CREATE TABLE lease (
        key text PRIMARY KEY,
        fence {int} NOT NULL,
        holder text,
        held_until {int},
        released_at {int},
        wanted_by text,
        wanted_until {int},
        touched_at {int} NOT NULL
    ) {strict}
    """,
    "CREATE INDEX lease_idle ON lease (touched_at) WHERE holder IS NULL",
    # When each turn that was given away is free again, in order.
    """
    CREATE TABLE quota (
        name text PRIMARY KEY,
        turns {json} NOT NULL
    ) {strict}
    """,
)

NOTES = (
    # What processes tell each other of what is under way; of no use some minutes later.
    """
    CREATE {unlogged} TABLE note (
        subject text NOT NULL,
        source text NOT NULL,
        content {json} NOT NULL,
        kept_at {int} NOT NULL,
        PRIMARY KEY (subject, source)
    ) {strict}
    """,
    "CREATE INDEX note_age ON note (kept_at)",
)

CLAIMS = (
    # Bulks, their jobs and single writes are claimed apart, each whenever another may have news: none
    # is to go past thousands of another's. An older process claims without its index, and more slowly.
    "DROP INDEX step_due",
    """
    CREATE INDEX step_due_bulk ON step (due_at, id)
        WHERE state = 'QUEUED' AND name = 'BULK_CONTACT'
    """,
    """
    CREATE INDEX step_due_followed ON step (due_at, id)
        WHERE state = 'FOLLOWING' AND name = 'BULK_CONTACT'
    """,
    """
    CREATE INDEX step_due_singly ON step (due_at, id)
        WHERE state IN ('QUEUED', 'FOLLOWING') AND name <> 'BULK_CONTACT'
    """,
)

MIGRATIONS = (
    Migration(name="lead links", statements=LEAD_LINKS),
    Migration(name="leases", statements=LEASES),
    Migration(name="operations", statements=OPERATIONS),
    Migration(name="idempotency keys", statements=IDEMPOTENCY_KEYS),
    Migration(name="API keys", statements=API_KEYS),
    Migration(name="leases and quotas by the database's clock", statements=SHARED),
    Migration(name="notes", statements=NOTES),
    Migration(name="what is due of bulks, and of all others", statements=CLAIMS),
)
"""Every version of the schema, in order."""
