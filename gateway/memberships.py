"""Groups: what groupsName, addGroupsName and removeGroupsName come to, alike for every backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.entries import CatalogName
from gateway.model import title
from gateway.names import Wanted
from gateway.results import Problem, ProblemCode
from gateway.write import input_name

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gateway.model import Backend
    from gateway.names import Resolution
    from gateway.write import ContactWrite, Write

BY_NAME = ("groups_name", "add_groups_name", "remove_groups_name")


class Memberships(NamedTuple):
    """The memberships that a write asks for in one backend, by the backend's ids."""

    exact: tuple[str, ...] | None = None
    """The whole set, in the order given; None leaves those that are not named as they are."""
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    """The input fields that asked for it."""
    ignored: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def asked(self) -> bool:
        """Whether the write says anything of memberships here."""
        return self.exact is not None or bool(self.add or self.remove)

    def joining(self, current: Collection[str]) -> list[str]:
        """The ids to join, in the order given."""
        wanted = (*self.exact, *self.add) if self.exact else self.add
        if not current:
            return list(wanted)
        held = set(current)
        return [group for group in wanted if group not in held]

    def leaving(self, current: Collection[str]) -> list[str]:
        """The ids to leave, in the order of `current`."""
        if self.exact is not None:
            kept = set(self.exact)
            return [group for group in current if group not in kept]
        return [group for group in current if group in self.remove] if self.remove else []

    @property
    def joining_fields(self) -> tuple[str, ...]:
        """The input fields that a call which joins groups carries."""
        return _without(self.named, "removeGroupsName")

    @property
    def leaving_fields(self) -> tuple[str, ...]:
        """The input fields that a call which leaves a group carries."""
        return _without(self.named, "addGroupsName")

    def changed(self, current: Collection[str]) -> list[str]:
        """The input fields that change something, given the present memberships."""
        if not self.named:
            return []
        return self.moved(joins=bool(self.joining(current)), leaves=bool(self.leaving(current)))

    def moved(self, *, joins: bool, leaves: bool) -> list[str]:
        """The same where it is known whether there is anything to join, and to leave."""
        by_field = {"addGroupsName": joins, "removeGroupsName": leaves}
        return [name for name in self.named if by_field.get(name, joins or leaves)]


NOTHING_ASKED = Memberships()


def _without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(one for one in names if one != name) if name in names else names


def wanted_groups(write: ContactWrite, native: str) -> list[Wanted]:
    """The group names, and the catalog to check native ids against."""
    by_id = write.given(native)
    if by_id is not None:
        ids = [str(group) for group in by_id.value or []]
        return [Wanted(catalog=CatalogName.GROUPS, entry_id=group) for group in ids]
    return write.once(_wanted_by_name)


def _wanted_by_name(write: ContactWrite) -> list[Wanted]:
    return [
        Wanted(
            catalog=CatalogName.GROUPS, name=group, field=write.fixed_path(name, place), shared=True
        )
        for name, groups in write.once(_named).items()
        for place, group in enumerate(groups)
    ]


def _named(write: Write) -> dict[str, Sequence[str]]:
    """The groups given by name, by the input field that has any."""
    return {name: groups for name in BY_NAME if (groups := write.items(name))}


def memberships(
    write: ContactWrite, resolution: Resolution, backend: Backend, native: str
) -> Memberships:
    """What the write asks for, with names resolved; `native` is the input field of ids.

    Names that the backend does not know are ignored. When it knows none of a non-empty
    groupsName the whole field is ignored, so that its memberships stay.
    """
    by_id = write.given(native)
    if by_id is not None:
        return _by_id(write, resolution, backend, native, by_id.value or [])
    wish = write.get("groups_name")
    asked = write.once(_named)
    if wish is None and not asked:
        return NOTHING_ASKED
    ignored: list[str] = []
    ids: dict[str, tuple[str, ...]] = {}  # by name, each id once, in order
    for name, groups in asked.items():
        known: dict[str, None] = {}
        for group in groups:
            found = resolution.id(CatalogName.GROUPS, group)
            if found is None:
                ignored.append(f"{input_name(name)}.{group}")
            else:
                known[found] = None
        if known:
            ids[name] = tuple(known)
    exact: tuple[str, ...] | None = None
    if wish is not None:
        exact = ids.get("groups_name", ())
        if wish.value and not exact:
            exact = None
            ignored = [
                "groupsName",
                *(name for name in ignored if not name.startswith("groupsName.")),
            ]
    add, remove = ids.get("add_groups_name", ()), ids.get("remove_groups_name", ())
    both = set(add).intersection(remove) if remove else ()
    named = [input_name(name) for name in ids]
    if exact is not None and "groupsName" not in named:
        named.insert(0, "groupsName")
    return Memberships(
        exact=exact,
        add=add,
        remove=remove,
        named=tuple(named),
        ignored=tuple(ignored),
        problems=tuple(_both_ways(write, resolution, backend, both)) if both else (),
    )


def _both_ways(
    write: ContactWrite, resolution: Resolution, backend: Backend, ids: Collection[str]
) -> list[Problem]:
    """A problem for each group that is joined by one spelling of its name and left by another."""
    return [
        Problem(
            backend=backend,
            code=ProblemCode.INVALID,
            message=f"{group!r} is to be joined and left at once: {title(backend)} has one group "
            "for the two names.",
            field=write.field_path("remove_groups_name", place),
        )
        for place, group in enumerate(write.items("remove_groups_name"))
        if resolution.id(CatalogName.GROUPS, group) in ids
    ]


def _by_id(
    write: ContactWrite,
    resolution: Resolution,
    backend: Backend,
    native: str,
    ids: Sequence[str],
) -> Memberships:
    """Native ids win: the names given beside them are reported as ignored."""
    return Memberships(
        exact=tuple(dict.fromkeys(str(group) for group in ids)),
        named=(input_name(native),),
        ignored=tuple(input_name(name) for name in BY_NAME if write.given(name) is not None),
        problems=tuple(unknown_ids(write, resolution, backend, CatalogName.GROUPS, native, ids)),
    )


def unknown_ids(
    write: Write,
    resolution: Resolution,
    backend: Backend,
    catalog: CatalogName,
    native: str,
    ids: Sequence[str],
) -> list[Problem]:
    """A problem for each native id that a catalog does not have."""
    return [
        Problem(
            backend=backend,
            code=ProblemCode.NOT_FOUND,
            message=(
                f"{title(backend)} has no {group!r} among the ids of its {catalog.value}: give an "
                "id that it has, or the name."
            ),
            field=write.field_path(native, place),
        )
        for place, group in enumerate(ids)
        if resolution.entry(catalog, str(group)) is None
    ]
