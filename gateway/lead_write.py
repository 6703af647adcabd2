"""A lead's write: the lead, and the contact and the company that are written with it.

Whatever way an input names its contact (inline, or by an id in `ivvy`), one ContactWrite says it; the
same for the company. Those two are always patched, whatever the mode of the lead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gateway.fixed import fixed
from gateway.write import ContactWrite, Write

if TYPE_CHECKING:
    from strawberry import Maybe

    from gateway.lead_model import CompanyInput, LeadInput
    from gateway.values import Phone

CONTACT_AT = ("contact",)
COMPANY_AT = ("company",)


@fixed
class CompanyWrite(Write):
    """One company to be written with a lead, with e-mail and phone read."""

    input: CompanyInput
    targets_chosen: bool = False
    email: Maybe[str | None] = None
    phone: Maybe[Phone | None] = None

    held_here: ClassVar[frozenset[str]] = frozenset({"email", "phone"})


@fixed
class LeadWrite(Write):
    """One lead to be written."""

    input: LeadInput
    targets_chosen: bool = False
    contact: ContactWrite | None = None
    """What is said of the person; None where the input names none."""
    contact_id_from: str | None = None
    """The lead's own field that holds the contact's id, such as ivvy.contact_id."""
    company: CompanyWrite | None = None
    """What is said of the company; None where the input names none."""
    company_id_from: str | None = None
    """The lead's own field that holds the company's id."""

    kept_by_absence: ClassVar[frozenset[str]] = frozenset(
        {"external_id", "contact", "company", "ivvy"}
    )

    @property
    def contact_inline(self) -> bool:
        """Whether the input has a contact object, and not only an id."""
        given = self.input.contact
        return given is not None and given.value is not None

    @property
    def company_inline(self) -> bool:
        """Whether the input has a company object, and not only an id."""
        given = self.input.company
        return given is not None and given.value is not None

    @property
    def links_inline(self) -> bool:
        """Whether the input has both as objects, which links the two to each other."""
        return self.contact_inline and self.company_inline

    @property
    def contact_path(self) -> list[str]:
        """Where the input names the contact."""
        if self.contact_inline or self.contact_id_from is None:
            return self.field_path("contact")
        return self.field_path(self.contact_id_from)

    @property
    def company_path(self) -> list[str]:
        """Where the input names the company."""
        if self.company_inline or self.company_id_from is None:
            return self.field_path("company")
        return self.field_path(self.company_id_from)

    def of_lead(self, path: list[str]) -> list[str]:
        """A path of the contact or company, or where the lead's own field gave that id."""
        source = None
        if path == [*CONTACT_AT, "ivvy", "id"]:
            source = self.contact_id_from
        elif path == [*COMPANY_AT, "ivvy", "id"]:
            source = self.company_id_from
        return path if source is None else self.field_path(source)
