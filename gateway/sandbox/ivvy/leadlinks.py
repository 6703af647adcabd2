"""Whom a lead belongs to: a company with a person there, or a contact (contract: section 6.1).

The company's presence decides the kind. Inline objects are saved by the rules of their own calls;
the caller takes everything back when a problem was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sandbox.ivvy import companies, contacts
from gateway.sandbox.ivvy.errors import AnswerError, explain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.sandbox.ivvy.store import Row, Store

LINK_KEYS = ("companyId", "company", "companyLeadContactId", "contactId", "contact")


class LeadLinks:
    """One lead's company and contact, worked out from a write; what is wrong goes to `problems`."""

    def __init__(self, store: Store, given: Mapping[str, object], stored: Row) -> None:
        self._store = store
        self._given = given
        self._stored = stored
        self.problems: list[str] = []
        self.of_company = stored["companyId"] is not None

    def settle(self, *, creating: bool) -> Row:
        """Give companyId and contactId after the write.

        ASSUMED: an update that sends none of the keys leaves both as they are.
        """
        if not creating and all(self._given.get(key) is None for key in LINK_KEYS):
            return {}
        self.of_company = self._is_of_company()
        if self.of_company:
            return self._company_lead()
        return self._contact_lead()

    def _is_of_company(self) -> bool:
        if self._sent("companyId", "company"):
            return True
        if self._stored["companyId"] is None:
            return False
        # ASSUMED: contactId or contact alone turns a company's lead into a contact's, by the rule
        # that the company's presence decides; switch `lead_contact_alone`.
        keeps = self._store.switches["lead_contact_alone"] == "keep_company"
        return keeps or not self._sent("contactId", "contact")

    def _sent(self, *keys: str) -> bool:
        return any(self._given.get(key) is not None for key in keys)

    def _company_lead(self) -> Row:
        if self._sent("companyId", "company"):
            company = self._record("company", "companies", self._given.get("companyId"))
        else:
            company = self._store.get("companies", self._stored["companyId"])
        key = self._person_key()
        if key is None and not self._sent("contact"):
            # Only the company was sent: its stored person must be one of the new company's.
            key = self._stored["contactId"]
        contact = self._record("contact", "contacts", key)
        if contact is None and key is None and not self._sent("contact"):
            self.problems.append("companyLeadContactId is required for a lead of a company")
        if company is not None and contact is not None:
            self._check_membership(company, contact)
        return _links(company, contact)

    def _person_key(self) -> object:
        """Give the person's id. ASSUMED: either key is taken, since the vendor's pages disagree."""
        rule = self._store.switches["lead_contact_key"]
        keys = ("companyLeadContactId", "contactId") if rule == "both" else (rule,)
        sent = [self._given[key] for key in keys if self._given.get(key) is not None]
        if len(set(sent)) > 1:
            self.problems.append("companyLeadContactId and contactId name different contacts")
        return sent[0] if sent else None

    def _check_membership(self, company: Row, contact: Row) -> None:
        if company["id"] in contact["companies"]:
            return
        if self._sent("company") and self._sent("contact"):
            # Both inline: the contact is linked to the company (documented).
            companies.join(self._store, contact, company["id"])
            return
        self.problems.append(f"Contact {contact['id']} does not belong to company {company['id']}")

    def _contact_lead(self) -> Row:
        key = self._given.get("contactId")
        if not self._sent("contactId", "contact"):
            if self._stored["contactId"] is not None:
                # ASSUMED: companyLeadContactId alone says nothing to a contact's lead.
                return {}
            self.problems.append("contactId is required for a lead of a contact")
        contact = self._record("contact", "contacts", key)
        return _links(None, contact)

    def _record(self, inline: str, table: str, key: object) -> Row | None:
        """Give the record of an id, an inline object, or both.

        ASSUMED: an inline object satisfies the matching id's rule; an id beside it is its id.
        """
        body = self._given.get(inline)
        if not isinstance(body, dict):
            row = self._store.get(table, key) if key is not None else None
            if row is None and key is not None:
                self.problems.append(f"{inline} {key} does not exist")
            return row
        if key is not None:
            if body.get("id") not in (None, key, str(key)):
                self.problems.append(f"{inline}: the id differs from the one beside it")
            body = {**body, "id": key}
        try:
            row, _ = _SAVE[inline](self._store, body)
        except AnswerError as error:
            self.problems += [f"{inline}: {sentence}" for sentence in explain(error)]
            return None
        return row


def _links(company: Row | None, contact: Row | None) -> Row:
    return {
        "companyId": None if company is None else company["id"],
        "contactId": None if contact is None else contact["id"],
    }


_SAVE: Mapping[str, Callable[[Store, Mapping[str, object]], tuple[Row, bool]]] = {
    "company": companies.save,
    "contact": contacts.save,
}
