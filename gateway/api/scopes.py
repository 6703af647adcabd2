"""Which scope each field of the schema needs; a field at the root that is not listed here is an error.

A field is looked at before its resolver runs, wherever it stands in an operation, and one that the
caller may not see is null with an error of its own: the others are answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError
from strawberry.extensions import FieldExtension
from strawberry.types.base import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from gateway.callers.caller import Scope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from gateway.api.context import Info
    from gateway.callers.caller import Caller

ROOTS = {"Query", "Mutation", "Subscription"}

LEAD_PARTS = ("contact", "company")
"""What upsertLead can write beside the lead."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a field needs: one of some scopes; none of them where any caller may have it."""

    one_of: tuple[Scope, ...] = ()
    beside: Scope | None = None
    """Needed as well where the input has one of LEAD_PARTS."""
    for_people: Scope | None = None
    """Without it the field's resolver leaves out what the field holds of people, but their ids."""

    def missing(self, caller: Caller, arguments: Mapping[str, Any]) -> tuple[Scope, ...]:
        """The scopes of which the caller needs one and has none."""
        if self.one_of and caller.scopes.isdisjoint(self.one_of):
            return self.one_of
        if self.beside is not None and self.beside not in caller.scopes:
            given = (getattr(arguments["input"], part) for part in LEAD_PARTS)
            if any(part is not None and part.value is not None for part in given):
                return (self.beside,)
        return ()


CONTACTS = (Scope.CONTACTS_READ, Scope.CONTACTS_WRITE)
LEADS = (Scope.LEADS_READ, Scope.LEADS_WRITE)
ANY_CALLER = Need()

NEEDS: Mapping[str, Need] = {
    "Query.contact": Need(one_of=(Scope.CONTACTS_READ,)),
    "Query.lead": Need(one_of=(Scope.LEADS_READ,)),
    "Query.leadOptions": Need(one_of=LEADS),
    "Query.groups": Need(one_of=CONTACTS),
    "Query.recordTypes": Need(one_of=CONTACTS),
    "Query.contactPaths": Need(one_of=CONTACTS),
    "Query.customFields": Need(one_of=(*CONTACTS, *LEADS)),
    "Query.companies": Need(one_of=(*CONTACTS, *LEADS)),
    "Query.importJob": Need(one_of=CONTACTS),
    "Query.operation": ANY_CALLER,
    "Query.operations": ANY_CALLER,
    "Query.backends": ANY_CALLER,
    "Mutation.upsertContact": Need(one_of=(Scope.CONTACTS_WRITE,)),
    "Mutation.upsertContacts": Need(one_of=(Scope.CONTACTS_WRITE,)),
    "Mutation.upsertLead": Need(one_of=(Scope.LEADS_WRITE,), beside=Scope.CONTACTS_WRITE),
    "Mutation.resolveStep": Need(one_of=(Scope.ADMIN,)),
    "Subscription.operation": ANY_CALLER,
    "UpsertContactPayload.contact": Need(one_of=(Scope.CONTACTS_READ,)),
    "UpsertLeadPayload.lead": Need(one_of=(Scope.LEADS_READ,)),
    "Lead.contact": Need(one_of=(Scope.CONTACTS_READ,)),
    "Lead.raw": Need(for_people=Scope.CONTACTS_READ),
    "ImportJob.errorsUrl": Need(one_of=(Scope.ADMIN,)),
    # A call that replaces a record carries what the backend has stored of a person.
    "BackendCall.body": Need(one_of=(Scope.CONTACTS_READ,)),
}


class NeedsScope(FieldExtension):
    """Looks at the caller before a field's resolver runs."""

    def __init__(self, name: str, need: Need) -> None:
        self.name = name
        self.need = need

    def resolve(self, next_: Callable[..., Any], source: Any, info: Info, **arguments: Any) -> Any:
        """The field, for a caller who may have it."""
        self.check(info.context.caller, arguments)
        return next_(source, info, **arguments)

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info, **arguments: Any
    ) -> Any:
        """The same, of a resolver that is awaited."""
        self.check(info.context.caller, arguments)
        return await next_(source, info, **arguments)

    def check(self, caller: Caller, arguments: Mapping[str, Any]) -> None:
        """All that is done before the resolver; raises GraphQLError for a caller who may not have it."""
        missing = self.need.missing(caller, arguments)
        if missing:
            raise _refusal(self.name, missing)


def guard(types: Iterable[type], needs: Mapping[str, Need] = NEEDS) -> None:
    """Let the types' fields look at the caller; to be called before a schema is made of them.

    Raises ValueError for a field at the root that `needs` does not list.
    """
    for kind in types:
        definition = get_object_definition(kind, strict=True)
        for field in definition.fields:
            name = f"{definition.name}.{field.graphql_name or to_camel_case(field.python_name)}"
            need = needs.get(name)
            if need is None and definition.name in ROOTS:
                raise ValueError(f"gateway/api/scopes.py does not say what {name} needs.")
            guarded = any(isinstance(one, NeedsScope) for one in field.extensions)
            if need is not None and need.one_of and not guarded:
                field.extensions.insert(0, NeedsScope(name.partition(".")[2], need))


def _refusal(name: str, missing: tuple[Scope, ...]) -> GraphQLError:
    scopes = " or ".join(missing)
    return GraphQLError(
        f"{name} needs the scope {scopes}, which this caller does not have.",
        extensions={"code": "MISSING_SCOPE", "scopes": [scope.value for scope in missing]},
    )
