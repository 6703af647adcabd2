"""What the simulated SendGrid account holds: contacts, lists, custom fields, jobs. No HTTP."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

IDENTIFIERS = ("email", "phone_number_id", "external_id", "anonymous_id")

RESERVED_TEXTS = (
    *("first_name", "last_name", "address_line_1", "address_line_2", "city"),
    *("state_province_region", "country", "postal_code", "phone_number", "whatsapp", "line"),
    *("facebook", "unique_name"),
)
"""Plain fields of a contact; unset is "" (contract: sendgrid section 6, contact object)."""

RESERVED_FIELDS = (
    *("first_name", "last_name", "email", "alternate_emails", "address_line_1", "address_line_2"),
    *("city", "state_province_region", "postal_code", "country", "phone_number", "whatsapp"),
    *("line", "facebook", "unique_name", "email_domains", "last_clicked", "last_opened"),
    *("last_emailed", "singlesend_id", "automation_id", "created_at", "updated_at", "contact_id"),
    *("phone_number_id", "external_id", "anonymous_id", "list_ids", "segment_ids"),
)
"""In the order of their ids `_rf0_T` to `_rf28_T`, as recorded live."""

RESERVED_DATES = frozenset({"last_clicked", "last_opened", "last_emailed"}) | {
    "created_at",
    "updated_at",
}
READ_ONLY_RESERVED = frozenset(RESERVED_FIELDS[15:24])

JobKind = Literal["upsert", "delete", "delete_identifier", "remove_from_list"]


@dataclass(slots=True)
class Contact:
    """One stored contact. `custom_fields` is keyed by field id."""

    id: str
    created_at: datetime
    updated_at: datetime
    identifiers: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    alternate_emails: list[str] = field(default_factory=list)
    custom_fields: dict[str, str | float] = field(default_factory=dict)
    list_ids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ContactList:
    """A list; which contacts are on it is kept with the contacts."""

    id: str
    name: str


@dataclass(slots=True)
class CustomField:
    """A custom field; PUT knows it from `ready_at` on."""

    id: str
    name: str
    field_type: str
    ready_at: datetime


@dataclass(slots=True)
class Job:
    """One accepted write. `payload` is what its kind needs; `errors` has one entry a failure."""

    id: str
    kind: JobKind
    payload: dict[str, Any]
    requested: int
    started_at: datetime
    applied_at: datetime | None = None
    finished_at: datetime | None = None
    created: int = 0
    updated: int = 0
    deleted: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)


class Store:
    """The account's state, with its look-ups kept in step."""

    def __init__(self) -> None:
        self.contacts: dict[str, Contact] = {}
        self.lists: dict[str, ContactList] = {}
        self.fields: dict[str, CustomField] = {}
        self.jobs: dict[str, Job] = {}
        self.open_jobs: dict[str, Job] = {}
        self.fields_made = 0
        self._owners: dict[tuple[str, str], str] = {}
        self._alternates: dict[str, dict[str, None]] = {}

    def owner(self, kind: str, value: str) -> Contact | None:
        """Give the contact that holds this identifier, e-mails in lower case."""
        found = self._owners.get((kind, value))
        return None if found is None else self.contacts[found]

    def by_alternate(self, address: str) -> Contact | None:
        """Give the contact with this alternate address, in lower case; of several the last one."""
        found = self._alternates.get(address)
        return self.contacts[next(reversed(found))] if found else None

    def add(self, contact: Contact) -> None:
        """Take a contact in, with its identifiers and alternate addresses."""
        self.contacts[contact.id] = contact
        for kind, value in contact.identifiers.items():
            self._owners[kind, value] = contact.id
        self.set_alternates(contact, contact.alternate_emails)

    def set_alternates(self, contact: Contact, addresses: list[str]) -> None:
        """Give a contact these alternate addresses and no others."""
        for address in contact.alternate_emails:
            self._alternates.get(address, {}).pop(contact.id, None)
        contact.alternate_emails = addresses
        for address in addresses:
            self._alternates.setdefault(address, {})[contact.id] = None

    def identify(self, contact: Contact, kind: str, value: str) -> None:
        """Give a contact one identifier more."""
        contact.identifiers[kind] = value
        self._owners[kind, value] = contact.id

    def unidentify(self, contact: Contact, kind: str) -> None:
        """Take one identifier from a contact."""
        del self._owners[kind, contact.identifiers.pop(kind)]

    def remove(self, contact_id: str) -> bool:
        """Delete a contact; False when there is none."""
        contact = self.contacts.pop(contact_id, None)
        if contact is None:
            return False
        self.set_alternates(contact, [])
        for kind, value in contact.identifiers.items():
            del self._owners[kind, value]
        return True

    def members(self, list_id: str) -> list[Contact]:
        """Give the contacts on a list."""
        return [contact for contact in self.contacts.values() if list_id in contact.list_ids]

    def member_counts(self) -> dict[str, int]:
        """Give the number of contacts by list id; lists without any are left out."""
        counts: dict[str, int] = {}
        for contact in self.contacts.values():
            for list_id in contact.list_ids:
                counts[list_id] = counts.get(list_id, 0) + 1
        return counts

    def remove_list(self, list_id: str, *, linger: bool = False) -> None:
        """Delete a list and, unless they `linger`, the memberships in it; the contacts stay."""
        del self.lists[list_id]
        for contact in () if linger else self.members(list_id):
            contact.list_ids.remove(list_id)

    def queue(self, kind: JobKind, payload: dict[str, Any], requested: int, now: datetime) -> str:
        """Take in a job that is accepted now; gives its id."""
        job = Job(new_id(), kind, payload, requested, now)
        self.jobs[job.id] = self.open_jobs[job.id] = job
        return job.id

    def make_field(self, name: str, field_type: str, ready_at: datetime) -> CustomField:
        """Define a custom field with the next id.

        ASSUMED: one counter for the account, and a letter for the region that answered, w or e
        (contract: sendgrid section 9).
        """
        self.fields_made += 1
        letter = "we"[self.fields_made % 2]
        made = CustomField(
            f"{letter}{self.fields_made}_{field_type[0]}", name, field_type, ready_at
        )
        self.fields[made.id] = made
        return made

    def remove_field(self, field_id: str) -> None:
        """Delete a custom field and its values."""
        del self.fields[field_id]
        for contact in self.contacts.values():
            contact.custom_fields.pop(field_id, None)

    def dump(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "contacts": [_plain(asdict(contact)) for contact in self.contacts.values()],
            "lists": [asdict(one) for one in self.lists.values()],
            "fields": [_plain(asdict(one)) for one in self.fields.values()],
            "jobs": [_plain(asdict(one)) for one in self.jobs.values()],
            "fields_made": self.fields_made,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Replace everything by what `dump` gave."""
        self.contacts, self._owners, self._alternates = {}, {}, {}
        for row in state["contacts"]:
            self.add(Contact(**_timed(row, "created_at", "updated_at")))
        self.lists = {row["id"]: ContactList(**row) for row in state["lists"]}
        self.fields = {row["id"]: CustomField(**_timed(row, "ready_at")) for row in state["fields"]}
        jobs = (_timed(row, "started_at", "applied_at", "finished_at") for row in state["jobs"])
        self.jobs = {row["id"]: Job(**row) for row in jobs}
        self.open_jobs = {key: job for key, job in self.jobs.items() if job.finished_at is None}
        self.fields_made = state["fields_made"]


def new_id() -> str:
    """Give an id of the form that contacts, lists and jobs have."""
    return str(uuid.uuid4())


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in row.items()
    }


def _timed(row: Mapping[str, Any], *instants: str) -> dict[str, Any]:
    read: Iterable[tuple[str, Any]] = (
        (key, datetime.fromisoformat(row[key]) if row[key] is not None else None)
        for key in instants
    )
    return {**row, **dict(read)}
