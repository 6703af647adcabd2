"""Over random stored contacts and random inputs: what is not mentioned is the same afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.checks import check_contact
from gateway.model import Weekday, WriteMode
from gateway.results import Outcome
from tests.backends.everbridge.vendor_model import Model, Simulated
from tests.backends.everbridge.writing import (
    APP,
    BADGE,
    BERLIN,
    BUSINESS,
    CATALOGS,
    EMPLOYEE,
    HOME_EMAIL,
    JOINED,
    LANGUAGES,
    MOBILE,
    NEWSLETTER,
    NOTES,
    RESIDENT,
    SHIFT,
    SMS,
    WARDENS,
    WORK_EMAIL,
    address,
    contact,
    custom,
    frame,
    path,
    plan,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.model import ContactInput
    from tests.backends.everbridge.vendor_model import World

CONTACT_ID = 1300000000000001
PROMPTS = {entry.id: entry.name for entry in CATALOGS[next(iter(CATALOGS))].entries}

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


# ---------------------------------------------------------------- random stored contacts

words = st.text("abcdefgh XYZäß'", min_size=1, max_size=8).filter(lambda text: text.strip() == text)
unknown_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**53) | words | st.floats(-9, 9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
unknown = st.dictionaries(words.map(lambda word: f"x{word}"), unknown_values, max_size=2)
known_only: st.SearchStrategy[dict[str, Any]] = st.just({})

phones = st.sampled_from(
    [("7700900101", "GB"), ("3023125101", "DE"), ("2025550101", "US"), ("7700900102", "GB")]
)
emails = st.sampled_from(["ada@example.com", "Ada@Example.org", "x.y@example.net"])
frames = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Night", "Lunch", "Weekend"]),
        "days": st.lists(st.integers(1, 7), min_size=1, max_size=3, unique=True),
        "fromHour": st.integers(0, 23),
        "fromMin": st.integers(0, 59),
        "toHour": st.integers(0, 23),
        "toMin": st.integers(0, 59),
    }
)


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda each: {k: v for part in each for k, v in part.items()})


SERVER_SAYS = {"waitTime": 0, "skipValidation": False, "pathEnable": True, "status": "A"}
"""What every stored path holds, whether or not it was ever written."""


@st.composite
def stored_paths(draw: st.DrawFn, extra: Any, *, twins: bool) -> list[dict[str, Any]]:
    ids = [WORK_EMAIL, HOME_EMAIL, MOBILE, BUSINESS, SMS, APP]
    rows = []
    for path_id in draw(st.lists(st.sampled_from(ids), max_size=5, unique=not twins)):
        row: dict[str, Any] = {"pathId": path_id}
        if path_id in (WORK_EMAIL, HOME_EMAIL):
            row["value"] = draw(emails)
        elif path_id == APP:
            row["value"] = draw(words)
        else:
            row["value"], row["countryCode"] = draw(phones)
        options = optional(
            waitTime=st.integers(0, 9),
            skipValidation=st.booleans(),
            pathEnable=st.booleans(),
            status=st.sampled_from("AD"),
            phoneExt=st.sampled_from(["1", "22"]),
            systemRequirement=words,
            quietTimeFrames=st.lists(frames, min_size=1, max_size=2, unique_by=lambda f: f["name"]),
        )
        rows.append({**draw(extra), **row, **SERVER_SAYS, **draw(options)})
    return rows


def stored_addresses(extra: Any) -> st.SearchStrategy[list[dict[str, Any]]]:
    row = merged(
        extra,
        st.fixed_dictionaries(
            {
                "locationName": st.sampled_from(["Office", "Home", "Primary", "Address 2"]),
                "streetAddress": words,
                "country": st.sampled_from(["GB", "DE"]),
            }
        ),
        optional(
            suite=words,
            city=words,
            state=words,
            postalCode=words,
            gisLocation=st.fixed_dictionaries({"lat": st.floats(-90, 90), "lon": st.floats(-9, 9)}),
            source=st.sampled_from(["MANUAL", "AUTO"]),
            locationId=st.integers(1, 10**15),
            assetExternalId=words,
        ),
    )
    return st.lists(row, max_size=3, unique_by=lambda each: each["locationName"])


ATTRIBUTES: list[tuple[int, str, st.SearchStrategy[list[Any]]]] = [
    (SHIFT, "Shift", st.sampled_from([["Day"], ["Night"]])),
    (BADGE, "Badge number", st.sampled_from([[16324267], [12.5], ["007"]])),
    (NOTES, "Notes", words.map(lambda word: [word])),
    (LANGUAGES, "Languages", st.sampled_from([["German"], ["French", "English"]])),
    (JOINED, "Joined", st.just(["2015-12-10"])),
]


@st.composite
def stored_attributes(draw: st.DrawFn, extra: Any) -> list[dict[str, Any]]:
    chosen = draw(st.lists(st.sampled_from(ATTRIBUTES), max_size=4, unique_by=lambda a: a[0]))
    return [
        {**draw(extra), "orgAttrId": attribute_id, "name": name, "values": draw(values)}
        for attribute_id, name, values in chosen
    ]


@st.composite
def stored_contacts(draw: st.DrawFn, *, real: bool) -> dict[str, Any]:
    """A contact as a GET shows it; a `real` one holds only what the simulation keeps."""
    extra = known_only if real else unknown
    held = {
        **draw(extra),
        "id": CONTACT_ID,
        "organizationId": 1000000000000001,
        "status": "A",
        "createdDate": 1767603600000,
        "lastModifiedDate": 1767690000000,
        "externalId": "E-1001",
        "firstName": draw(words),
        "lastName": draw(words),
        "recordTypeId": draw(st.sampled_from([EMPLOYEE, RESIDENT])),
        **draw(
            optional(
                middleInitial=st.sampled_from("AB"),
                suffix=words,
                country=st.sampled_from(["GB", "DE"]),
                timezoneId=st.sampled_from(["Europe/London", "Europe/Berlin"]),
                businessName=words,
                vip=st.booleans(),
                ssoUserId=words,
                userId=st.integers(1, 10**15),
                groups=st.lists(st.sampled_from([NEWSLETTER, BERLIN, WARDENS]), unique=True),
                topics=st.lists(st.integers(1, 10**15), max_size=2, unique=True),
                paths=stored_paths(extra, twins=not real),
                address=stored_addresses(extra),
                contactAttributes=stored_attributes(extra),
            )
        ),
    }
    paths = held.get("paths", [])
    twins = len({each["pathId"] for each in paths}) < len(paths)
    if (real or twins) and any(each.get("quietTimeFrames") for each in paths):
        held.setdefault("timezoneId", "Europe/London")
    return held


# ---------------------------------------------------------------- random inputs


def given_or_null(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


given_numbers = st.sampled_from(["+44 7700 900101", "07700 900199", "+49 30 23125 101"])
given_frames = st.lists(
    st.builds(
        frame,
        st.sampled_from([None, "Night", "Lunch"]),
        st.sampled_from(Weekday),
        begin=st.integers(0, 23),
        end=st.integers(0, 23),
    ),
    max_size=2,
    unique_by=lambda each: each.name.value if each.name else None,
)


@st.composite
def given_paths(draw: st.DrawFn) -> list[Any]:
    ids = draw(
        st.lists(st.sampled_from([HOME_EMAIL, BUSINESS, SMS, APP, MOBILE]), max_size=3, unique=True)
    )
    rows = []
    for path_id in ids:
        values = given_numbers if path_id not in (HOME_EMAIL, APP) else emails
        how = st.sampled_from([{"path_id": str(path_id)}, {"prompt": PROMPTS[str(path_id)]}])
        more = optional(
            extension=given_or_null(st.sampled_from(["1", "33"])),
            quiet_time_frames=given_or_null(given_frames),
        )
        rows.append(path(draw(values), **draw(how), **draw(more)))
    return rows


given_addresses = st.lists(
    merged(
        optional(
            location_name=st.sampled_from(["Office", "Home", "Barn"]),
            line1=words,
            line2=given_or_null(st.sampled_from(["2a", "Behind the old mill"])),
            city=given_or_null(words),
            region=given_or_null(words),
            postal_code=given_or_null(words),
            country_code=st.sampled_from(["GB", "FR"]),
        ),
        st.sampled_from(
            [{}, {"latitude": 1.5, "longitude": 2.5}, {"latitude": None, "longitude": None}]
        ),
    ),
    max_size=3,
    unique_by=lambda each: each.get("location_name", id(each)),
)
given_customs = st.lists(
    st.sampled_from(
        [
            custom("Shift", "day"),
            custom("Shift"),
            custom("Badge number", "7"),
            custom("Notes", "x"),
            custom("languages", "French", "German"),
            custom("Joined"),
        ]
    ),
    max_size=3,
    unique_by=lambda each: each.name,
)
group_names = st.lists(
    st.sampled_from(["Newsletter", "berlin office", "Fire Wardens", "VIP"]), max_size=3, unique=True
)
groups = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"groups_name": given_or_null(group_names)}),
    st.fixed_dictionaries({"add_groups_name": group_names}),
    st.fixed_dictionaries({"remove_groups_name": group_names}),
)
inputs = merged(
    optional(
        first_name=words,
        last_name=words,
        middle_initial=given_or_null(st.sampled_from("AC")),
        suffix=given_or_null(words),
        country_code=given_or_null(st.sampled_from(["gb", "FR"])),
        timezone_id=given_or_null(st.sampled_from(["Europe/London", "Asia/Tokyo"])),
        record_type_name=st.sampled_from(["Employee", "resident"]),
        email=given_or_null(emails),
        phone=given_or_null(given_numbers),
        paths=given_or_null(given_paths()),
        addresses=given_or_null(given_addresses.map(lambda rows: [address(**row) for row in rows])),
        custom_fields=given_or_null(given_customs),
    ),
    groups,
)

many = settings(
    max_examples=100,
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
    fields = data.draw(inputs)
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
    fields = data.draw(inputs) | {"first_name": "Ada", "last_name": "Byron"}
    fields = {k: v for k, v in fields.items() if k not in {"add_groups_name", "remove_groups_name"}}
    done = written(world, held, contact(external_id="E-1001", **fields), mode=WriteMode.REPLACE)
    if done is None:
        return
    before, after = done
    assert kept(after, UNIFIED) == kept(before, UNIFIED)
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
