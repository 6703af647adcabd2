"""Notes of contacts, companies and leads (contract: sections 5.9 and 6.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.ivvy import errors
from gateway.sandbox.ivvy.contacts import written
from gateway.sandbox.ivvy.errors import AnswerError, ApiError, RefusedError
from gateway.sandbox.ivvy.paging import PAGING, sliced
from gateway.sandbox.ivvy.parameters import Parameter, read, text, whole_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sandbox.ivvy.store import Row, Store

_NOTE_UNKNOWN: Final = 24434
_LEAD_UNKNOWN: Final = 24441


@dataclass(frozen=True, kw_only=True)
class Notes:
    """Notes on one kind of record; `owner_key` and `text_key` differ between the kinds."""

    table: str
    owners: str
    owner_key: str
    text_key: str

    def write(self, store: Store, params: Mapping[str, Any]) -> Row:
        """Answer addOrUpdate…Note: `{success, id}`."""
        creating = params.get("id") is None
        parameters = (
            Parameter(name="id", convert=whole_number),
            Parameter(name=self.owner_key, convert=whole_number, required="create"),
            Parameter(name=self.text_key, convert=text, required="create"),
        )
        given = read(params, parameters, store.switches, creating=creating)
        if self.owner_key in given and store.get(self.owners, given[self.owner_key]) is None:
            raise self._unknown(_LEAD_UNKNOWN, f"{self.owner_key} does not exist")
        changed = {**given, "modifiedDate": store.stamp()}
        if creating:
            # The sandbox's key belongs to the account's first user.
            author = next(iter(store.tables["users"]))["id"]
            new = {"createdByUserId": author, "createdDate": store.stamp(), **changed}
            return written(store.add(self.table, new)["id"])
        stored = store.get(self.table, given["id"])
        if stored is None:
            raise self._unknown(_NOTE_UNKNOWN, "The note does not exist")
        return written(store.put(self.table, {**stored, **changed})["id"])

    def read(self, store: Store, params: Mapping[str, Any]) -> Row:
        """Answer get…NoteList: a collection of one record's notes."""
        parameters = (
            Parameter(name=self.owner_key, convert=whole_number, required="always"),
            *PAGING,
        )
        given = read(params, parameters, store.switches)
        if store.get(self.owners, given[self.owner_key]) is None:
            message = f"{self.owner_key} does not exist"
            # ASSUMED: the pages name no failure of the list calls.
            raise ApiError(400, errors.UNKNOWN_NOTE_TARGET, message)
        owner = given[self.owner_key]
        rows = [row for row in store.tables[self.table] if row[self.owner_key] == owner]
        return sliced(store, rows, given, self._view)

    def _unknown(self, lead_code: int, message: str) -> AnswerError:
        """Give the failure. ASSUMED: contact and company notes fail as their records do."""
        if self.owners == "leads":
            return ApiError(400, lead_code, message)
        return RefusedError(message)

    def _view(self, row: Row) -> Row:
        dates = {key: f"{row[key]} UTC" for key in ("createdDate", "modifiedDate")}
        keys = ("id", self.owner_key, self.text_key, "createdByUserId")
        return {**{key: row[key] for key in keys}, **dates}


CONTACT: Final = Notes(
    table="contactNotes", owners="contacts", owner_key="contactId", text_key="noteText"
)
COMPANY: Final = Notes(
    table="companyNotes", owners="companies", owner_key="companyId", text_key="noteText"
)
# The key is `note` here, `noteText` on the two others.
LEAD: Final = Notes(table="leadNotes", owners="leads", owner_key="leadId", text_key="note")

Action = Callable[["Store", "Mapping[str, Any]"], Any]
CONTACT_NAMESPACE: Final[Mapping[str, Action]] = {
    "addOrUpdateContactNote": CONTACT.write,
    "getContactNoteList": CONTACT.read,
    "addOrUpdateCompanyNote": COMPANY.write,
    "getCompanyNoteList": COMPANY.read,
}
CRM: Final[Mapping[str, Action]] = {
    "addOrUpdateLeadNote": LEAD.write,
    "getLeadNoteList": LEAD.read,
}
