"""What a lead looks like to a caller, and the names that its fields take."""

from __future__ import annotations

from typing import cast

import strawberry
from strawberry import ID, Maybe
from strawberry.scalars import JSON

from gateway.api.catalog_types import CatalogEntry
from gateway.api.context import Info
from gateway.api.lists import entries
from gateway.api.refusals import nobody_asked
from gateway.callers.caller import Scope
from gateway.entries import CatalogName, Entry
from gateway.lead_records import LeadRecord
from gateway.lookup import ContactKeys, NobodyAskedError
from gateway.model import Backend, described
from gateway.records import Contact


@strawberry.input(one_of=True, description="The key to find a lead by: exactly one of these.")
class LeadKey:
    """By what a lead is asked for."""

    external_id: Maybe[ID] = described(
        "Its key in the caller's own system, if the gateway has linked a lead to that key."
    )
    ivvy_id: Maybe[ID] = described("iVvy's own id.")


@strawberry.type(description="A sales person.")
class Owner:
    """A sales person."""

    id: ID = strawberry.field(description="The user's id.")
    name: str = strawberry.field(description="Full name.")
    email: str | None = strawberry.field(default=None, description="E-mail address.")

    @classmethod
    def of(cls, entry: Entry) -> Owner:
        """From a catalog's entry."""
        return cls(id=ID(entry.id), name=entry.name, email=next(iter(entry.aliases), None))


@strawberry.type(description="A lead as its backend holds it.")
class Lead:
    """A lead as its backend holds it."""

    id: ID = strawberry.field(description="The backend's own id.")
    external_id: ID | None = strawberry.field(
        default=None, description="The lead's key in the caller's own system."
    )
    backend: Backend = strawberry.field(description="The backend that holds it.")
    name: str | None = strawberry.field(default=None, description="What the lead is called.")
    description: str | None = strawberry.field(default=None, description="More about it.")
    type_name: str | None = strawberry.field(default=None, description="The lead's type.")
    stage_name: str | None = strawberry.field(default=None, description="The lead's stage.")
    stage_reason_name: str | None = strawberry.field(
        default=None, description="The reason for the stage."
    )
    source_name: str | None = strawberry.field(
        default=None, description="Where the lead comes from."
    )
    industry_name: str | None = strawberry.field(
        default=None, description="Always null, because iVvy does not show a lead's industry."
    )
    quality_name: str | None = strawberry.field(default=None, description="How good the lead is.")
    channel_name: str | None = strawberry.field(
        default=None, description="The way the lead came in."
    )
    owner: Owner | None = strawberry.field(default=None, description="The sales person.")
    company: CatalogEntry | None = strawberry.field(
        default=None, description="The company that the lead belongs to."
    )
    record: strawberry.Private[LeadRecord]
    written: strawberry.Private[bool]
    """Whether this request has written it: then nothing of it is taken from an earlier read."""

    @classmethod
    def of(cls, record: LeadRecord, external_id: str | None, *, written: bool = False) -> Lead:
        """From a record and the externalId that stands for it."""
        owner = record.owner
        return cls(
            id=ID(record.id),
            external_id=None if external_id is None else ID(external_id),
            backend=record.backend,
            name=record.name,
            description=record.description,
            type_name=record.type_name,
            stage_name=record.stage_name,
            stage_reason_name=record.stage_reason_name,
            source_name=record.source_name,
            quality_name=record.quality_name,
            channel_name=record.channel_name,
            owner=None
            if owner is None
            else Owner(id=ID(owner.id), name=owner.name, email=owner.email),
            company=None
            if record.company_id is None
            else CatalogEntry(id=ID(record.company_id), name=record.company_name or ""),
            record=record,
            written=written,
        )

    @strawberry.field(description="The sub type; looked up in the list of types by its id.")
    async def subtype_name(self, info: Info) -> str | None:
        """The sub type's name."""
        if self.record.subtype_id is None:
            return None
        types = await entries(info.context, self.backend, CatalogName.LEAD_TYPES)
        children = (child for entry in types for child in entry.children)
        return next((child.name for child in children if child.id == self.record.subtype_id), None)

    @strawberry.field(
        description="The backend's own record; of the contact in it only the id, for callers "
        "without contacts:read."
    )
    def raw(self, info: Info) -> JSON:
        """The backend's own record, as much of it as the caller may read."""
        whole = Scope.CONTACTS_READ in info.context.caller.scopes
        return JSON(dict(self.record.raw if whole else self.record.raw_without_people))

    @strawberry.field(
        description="The contact that the lead belongs to, or the person at its company, as every "
        "backend holds it; read only when selected."
    )
    async def contact(self, info: Info) -> Contact | None:
        """The contact of the lead, read anew with those of other leads of the request."""
        if self.record.contact_id is None:
            return None
        keys = ContactKeys(native_ids=((self.backend, self.record.contact_id),))
        if self.written:
            [found] = await info.context.read_contacts([keys])
        else:
            found = await _loaded(info, keys)
        if isinstance(found, NobodyAskedError):
            raise nobody_asked(found, "id")
        return found


async def _loaded(info: Info, keys: ContactKeys) -> Contact | NobodyAskedError | None:
    try:
        return cast("Contact | None", await info.context.contacts.load(keys))
    except NobodyAskedError as error:
        return error


@strawberry.type(description="A type of leads, with its sub types.")
class LeadType:
    """A type of leads."""

    id: ID = strawberry.field(description="The backend's id.")
    name: str = strawberry.field(description="Its name there.")
    subtypes: list[CatalogEntry] = strawberry.field(
        description="Where there are any, a lead of this type needs one."
    )

    @classmethod
    def of(cls, entry: Entry) -> LeadType:
        """From a catalog's entry."""
        parts = [CatalogEntry.of(child) for child in entry.children]
        return cls(id=ID(entry.id), name=entry.name, subtypes=parts)


@strawberry.type(description="A stage of leads, with its reasons.")
class LeadStage:
    """A stage of leads."""

    id: ID = strawberry.field(description="The backend's id.")
    name: str = strawberry.field(description="Its name there.")
    reasons: list[CatalogEntry] = strawberry.field(description="Reasons for being in it.")

    @classmethod
    def of(cls, entry: Entry) -> LeadStage:
        """From a catalog's entry."""
        parts = [CatalogEntry.of(child) for child in entry.children]
        return cls(id=ID(entry.id), name=entry.name, reasons=parts)


@strawberry.type(
    description=(
        "The names that a lead's fields may have. Each list is nullable, so that one "
        "failure does not take away the others."
    )
)
class LeadOptions:
    """The names that a lead's fields take."""

    backend: strawberry.Private[Backend]

    async def _entries(self, info: Info, name: CatalogName) -> list[CatalogEntry]:
        return [CatalogEntry.of(one) for one in await entries(info.context, self.backend, name)]

    @strawberry.field(description="Types, for typeName and subtypeName.")
    async def types(self, info: Info) -> list[LeadType] | None:
        """Types with their sub types."""
        found = await entries(info.context, self.backend, CatalogName.LEAD_TYPES)
        return [LeadType.of(entry) for entry in found]

    @strawberry.field(description="Stages of leads, for stageName and stageReasonName.")
    async def stages(self, info: Info) -> list[LeadStage] | None:
        """Stages with their reasons."""
        found = await entries(info.context, self.backend, CatalogName.LEAD_STAGES)
        return [LeadStage.of(entry) for entry in found]

    @strawberry.field(description="Sources, for sourceName.")
    async def sources(self, info: Info) -> list[CatalogEntry] | None:
        """Where leads come from."""
        return await self._entries(info, CatalogName.LEAD_SOURCES)

    @strawberry.field(description="Industries, for industryName.")
    async def industries(self, info: Info) -> list[CatalogEntry] | None:
        """Industries."""
        return await self._entries(info, CatalogName.INDUSTRIES)

    @strawberry.field(description="Qualities, for qualityName.")
    async def qualities(self, info: Info) -> list[CatalogEntry] | None:
        """How good leads are."""
        return await self._entries(info, CatalogName.LEAD_QUALITIES)

    @strawberry.field(description="Channels, for channelName.")
    async def channels(self, info: Info) -> list[CatalogEntry] | None:
        """The ways leads come in."""
        return await self._entries(info, CatalogName.LEAD_CHANNELS)

    @strawberry.field(description="Active users, for ownerName.")
    async def owners(self, info: Info) -> list[Owner] | None:
        """Sales people."""
        found = await entries(info.context, self.backend, CatalogName.OWNERS)
        return [Owner.of(entry) for entry in found]
