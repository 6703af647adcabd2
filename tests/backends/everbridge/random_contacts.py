"""Random contacts as Everbridge holds them, and random inputs, for the property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from gateway.model import Weekday
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
    custom,
    frame,
    path,
)

CONTACT_ID = 1300000000000001
PROMPTS = {entry.id: entry.name for entry in CATALOGS[next(iter(CATALOGS))].entries}


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
                "gisLocation": st.fixed_dictionaries(
                    {"lat": st.floats(-90, 90), "lon": st.floats(-9, 9)}
                ),
            }
        ),
        optional(
            suite=words,
            city=words,
            state=words,
            postalCode=words,
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
        "paths": draw(stored_paths(extra, twins=not real)),
        "address": draw(stored_addresses(extra)),
        "contactAttributes": draw(stored_attributes(extra)),
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
    return st.one_of(values, values, values, st.none())


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
def paths_over(draw: st.DrawFn, held: dict[str, Any]) -> list[Any]:
    """Paths of an input, mostly of those that are stored."""
    ids = [row["pathId"] for row in held["paths"]] + [HOME_EMAIL, BUSINESS, SMS, APP, MOBILE]
    rows = []
    for path_id in draw(st.lists(st.sampled_from(ids), max_size=3, unique=True)):
        values = given_numbers if path_id not in (WORK_EMAIL, HOME_EMAIL, APP) else emails
        how = st.sampled_from([{"path_id": str(path_id)}, {"prompt": PROMPTS[str(path_id)]}])
        more = optional(
            extension=given_or_null(st.sampled_from(["1", "33"])),
            quiet_time_frames=given_or_null(given_frames),
        )
        rows.append(path(draw(values), **draw(how), **draw(more)))
    return rows


@st.composite
def addresses_over(draw: st.DrawFn, held: dict[str, Any]) -> list[Any]:
    """Addresses of an input: parts of those that are stored, and whole ones."""
    parts: dict[str, st.SearchStrategy[Any]] = {
        "line1": words,
        "line2": given_or_null(st.sampled_from(["2a", "Behind the old mill"])),
        "city": given_or_null(words),
        "region": given_or_null(words),
        "postal_code": given_or_null(words),
        "country_code": st.sampled_from(["GB", "FR"]),
    }
    positions = [{}, {}, {"latitude": 1.5, "longitude": 2.5}, {"latitude": None, "longitude": None}]
    rows = []
    names = [row["locationName"] for row in held["address"]]
    for place, name in enumerate(draw(st.permutations(names))[: draw(st.integers(0, 3))]):
        in_place = place < len(names) and names[place] == name and draw(st.booleans())
        known = {} if in_place else {"location_name": name}
        rows.append({**known, **draw(optional(**parts)), **draw(st.sampled_from(positions))})
    if draw(st.booleans()):
        whole = draw(st.fixed_dictionaries(parts))
        rows.append({"location_name": "Barn", **whole, **draw(st.sampled_from(positions))})
    return [address(**row) for row in rows]


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


def inputs_over(held: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The fields of an input for a contact that is stored so."""
    return merged(
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
            paths=given_or_null(paths_over(held)),
            addresses=given_or_null(addresses_over(held)),
            custom_fields=given_or_null(given_customs),
        ),
        groups,
    )
