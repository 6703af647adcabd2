"""Over random stored contacts and random inputs: what is not mentioned is the same afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.checks import check_contact
from gateway.model import WriteMode
from gateway.results import Outcome
from tests.backends.everbridge.random_contacts import (
    ATTRIBUTES,
    PROMPTS,
    inputs_over,
    stored_contacts,
)
from tests.backends.everbridge.vendor_model import Model, Simulated
from tests.backends.everbridge.writing import (
    BERLIN,
    MOBILE,
    NEWSLETTER,
    WARDENS,
    WORK_EMAIL,
    contact,
    plan,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.model import ContactInput
    from tests.backends.everbridge.vendor_model import World

KEYS = {
    "external_id": {"externalId"},
    "first_name": {"firstName"},
    "last_name": {"lastName"},
    "middle_initial": {"middleInitial"},
    "suffix": {"suffix"},
    "country_code": {"country"},
    "timezone_id": {"timezoneId"},
    "record_type_name": {"recordTypeId", "recordTypeName"},
    "email": {"paths"},
    "phone": {"paths"},
    "paths": {"paths"},
    "addresses": {"address"},
    "custom_fields": {"contactAttributes"},
    "groups_name": {"groups"},
    "add_groups_name": {"groups"},
    "remove_groups_name": {"groups"},
}
"""What each input field may change in Everbridge's JSON."""
UNIFIED = set().union(*KEYS.values()) - {"externalId"}


many = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
worlds = pytest.mark.parametrize(("world", "real"), [(Model, False), (Simulated, True)])


# ---------------------------------------------------------------- what holds


def canonical(value: Any) -> Any:
    """JSON without what says nothing (null, empty), and attributes' numbers as text."""
    if isinstance(value, dict):
        said = {key: canonical(item) for key, item in value.items()}
        if "orgAttrId" in said and "values" in said:
            said["values"] = [str(item) for item in value["values"]]
        return {key: item for key, item in said.items() if item not in (None, "", [], {})}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    return value


def written(
    make: Callable[[dict[str, Any]], World], held: dict[str, Any], write: ContactInput, **how: Any
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The contact before and after the write; None when the input was refused.

    Also holds: a write that changes nothing sends nothing, and the same write again is one.
    """
    _, problems = check_contact(write, default_country="GB", **how)
    if problems:
        return None
    world = make(held)
    before = world.read()
    made = plan(write, before, **how)
    if made.problems:
        assert made.calls == ()
        return None
    for call in made.calls:
        world.send(call)
    after = world.read()
    assert bool(made.calls) == (made.outcome is Outcome.UPDATED)
    assert bool(made.calls) == bool(made.changed)
    again = plan(write, after, **how)
    assert (again.outcome, again.calls, again.changed) == (Outcome.UNCHANGED, (), ())
    return canonical(before), canonical(after)


def kept(contact: dict[str, Any], touched: set[str]) -> dict[str, Any]:
    server = {"lastModifiedDate", "lastModifiedTime", "lastModifiedId", "lastModifiedName"}
    return {key: value for key, value in contact.items() if key not in touched | server}


@worlds
@given(data=st.data())
@many
def test_what_a_patch_does_not_mention_is_the_same_afterwards(
    data: st.DataObject, world: Callable[[dict[str, Any]], World], real: bool
) -> None:
    held = data.draw(stored_contacts(real=real))
    fields = data.draw(inputs_over(held))
    done = written(world, held, contact(external_id="E-1001", **fields))
    if done is None:
        return
    before, after = done
    touched = set().union(*(KEYS[name] for name in fields))
    assert kept(after, touched) == kept(before, touched)
    rest_of_paths_is_kept(before, after, fields)
    rest_of_attributes_is_kept(before, after, fields)
    rest_of_addresses_is_kept(before, after, fields)
    rest_of_groups_is_kept(before, after, fields)


def rest_of_paths_is_kept(before: Any, after: Any, fields: dict[str, Any]) -> None:
    rows, now = before.get("paths", []), after.get("paths", [])
    if "paths" not in fields:
        unified = {WORK_EMAIL} if "email" in fields else set()
        unified |= {MOBILE} if "phone" in fields else set()
        others = [row for row in rows if row["pathId"] not in unified]
        assert [row for row in now if row["pathId"] not in unified] == others
        asked = {}
    else:
        asked = {
            row.path_id.value if row.path_id else row.prompt.value: row
            for row in fields["paths"] or []
        }
    for row in now:
        was = next((each for each in rows if each["pathId"] == row["pathId"]), None)
        mentioned = asked.get(str(row["pathId"])) or asked.get(PROMPTS[str(row["pathId"])])
        if was is None:
            continue
        may = {"value", "countryCode"}
        may |= {"phoneExt"} if mentioned and mentioned.extension else set()
        may |= {"quietTimeFrames"} if mentioned and mentioned.quiet_time_frames else set()
        if [each["pathId"] for each in rows].count(row["pathId"]) == 1:
            assert kept(row, may) == kept(was, may)


def rest_of_attributes_is_kept(before: Any, after: Any, fields: dict[str, Any]) -> None:
    asked = fields.get("custom_fields", [])
    if asked is None:
        assert "contactAttributes" not in after
        return
    named = {each.name.casefold() for each in asked}
    ids = {attribute_id for attribute_id, name, _ in ATTRIBUTES if name.casefold() in named}
    for contact_then, contact_now in ((before, after), (after, before)):
        rows = contact_then.get("contactAttributes", [])
        assert [row for row in rows if row["orgAttrId"] not in ids] == [
            row for row in contact_now.get("contactAttributes", []) if row["orgAttrId"] not in ids
        ]


def rest_of_addresses_is_kept(before: Any, after: Any, fields: dict[str, Any]) -> None:
    parts = {
        "line1": {"streetAddress"},
        "line2": {"suite", "streetAddress"},
        "city": {"city"},
        "region": {"state"},
        "postal_code": {"postalCode"},
        "country_code": {"country"},
        "latitude": {"gisLocation"},
    }
    was = {row["locationName"]: row for row in before.get("address", [])}
    for asked, row in zip(fields.get("addresses") or [], after.get("address", []), strict=False):
        if row["locationName"] in was:
            may = set().union(*(keys for part, keys in parts.items() if getattr(asked, part)))
            assert kept(row, may) == kept(was[row["locationName"]], may)


def rest_of_groups_is_kept(before: Any, after: Any, fields: dict[str, Any]) -> None:
    ids = {"Newsletter": NEWSLETTER, "berlin office": BERLIN, "Fire Wardens": WARDENS}
    then, now = set(before.get("groups", [])), set(after.get("groups", []))
    adding = {ids[name] for name in fields.get("add_groups_name", []) if name in ids}
    leaving = {ids[name] for name in fields.get("remove_groups_name", []) if name in ids}
    exact = fields.get("groups_name", [])
    known = {ids[name] for name in exact or [] if name in ids}
    if "groups_name" in fields and (known or not exact):
        assert now == known
    else:
        assert now == (then | adding) - leaving


@worlds
@given(data=st.data())
@many
def test_what_lies_outside_the_unified_model_survives_a_replace(
    data: st.DataObject, world: Callable[[dict[str, Any]], World], real: bool
) -> None:
    held = data.draw(stored_contacts(real=real))
    fields = data.draw(inputs_over(held)) | {"first_name": "Ada", "last_name": "Byron"}
    fields = {k: v for k, v in fields.items() if k not in {"add_groups_name", "remove_groups_name"}}
    done = written(world, held, contact(external_id="E-1001", **fields), mode=WriteMode.REPLACE)
    if done is None:
        return
    before, after = done
    assert kept(after, UNIFIED) == kept(before, UNIFIED)
    rest_of_addresses_is_kept(before, after, fields)
    absent = set(KEYS) - set(fields)
    for name in absent & {"middle_initial", "suffix", "country_code", "timezone_id", "addresses"}:
        assert not KEYS[name] & after.keys()
    if "custom_fields" in absent:
        assert "contactAttributes" not in after
    if "groups_name" in absent:
        assert "groups" not in after
    if {"paths", "email"} <= absent:
        emails_then = [row for row in before.get("paths", []) if row["pathId"] == WORK_EMAIL]
        assert [row for row in after.get("paths", []) if row["pathId"] != MOBILE] == emails_then
