"""What a write does not mention is never sent, whatever is stored and whatever is given."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from strawberry import Some

from gateway.entries import CatalogName
from gateway.model import AddressInput, CustomFieldInput
from tests.backends.sendgrid.sending import (
    CATALOGS,
    NEWSLETTER,
    contact,
    plan,
    seen,
    stored,
    unread,
    write_of,
)

KEYS = {
    "first_name": {"first_name"},
    "last_name": {"last_name"},
    "phone": {"phone_number"},
    "country_code": {"country"},
    "alternate_emails": {"alternate_emails"},
    "addresses": {
        *("address_line_1", "address_line_2", "city", "state_province_region", "postal_code"),
        "country",
    },
    "custom_fields": {"custom_fields"},
}
"""What each input field may touch."""

TEXTS = st.text("abc", min_size=1, max_size=4)
OR_NULL = st.none()
PARTS = st.fixed_dictionaries(
    {}, optional={"line1": TEXTS | OR_NULL, "city": TEXTS | OR_NULL, "postal_code": TEXTS}
)


def _address(parts: dict[str, Any]) -> AddressInput:
    return AddressInput(**{name: Some(value) for name, value in parts.items()})


ADDRESSES = PARTS.map(_address)
INPUTS = st.fixed_dictionaries(
    {},
    optional={
        "first_name": TEXTS | OR_NULL,
        "last_name": TEXTS | OR_NULL,
        "phone": st.sampled_from(["+447700900123", "+12025550101"]) | OR_NULL,
        "country_code": st.sampled_from(["DE", "GB"]) | OR_NULL,
        "alternate_emails": st.lists(TEXTS.map("{}@example.org".format), max_size=3) | OR_NULL,
        "addresses": st.lists(ADDRESSES, max_size=2) | OR_NULL,
        "custom_fields": st.lists(
            st.sampled_from(["shift", "notes"]).map(
                lambda name: CustomFieldInput(name=name, values=["x"])
            ),
            max_size=2,
            unique_by=lambda item: item.name,
        ),
    },
)
STORED = st.fixed_dictionaries(
    {
        "first_name": TEXTS | st.just(""),
        "last_name": TEXTS | st.just(""),
        "city": TEXTS | st.just(""),
        "country": st.sampled_from(["", "DE"]),
        "custom_fields": st.dictionaries(st.sampled_from(["shift", "notes"]), TEXTS),
        "list_ids": st.lists(st.just(NEWSLETTER), max_size=1),
    }
)


@given(fields=INPUTS, record=STORED, read=st.booleans())
def test_a_patch_sends_nothing_that_it_does_not_mention(
    fields: dict[str, Any], record: dict[str, Any], read: bool
) -> None:
    write = write_of(contact(email="ada@example.com", **fields))
    made = plan(write, seen(stored(**record)) if read else unread())
    allowed = {"email"}.union(*(KEYS[name] for name in fields))
    ids = {entry.name: entry.id for entry in CATALOGS[CatalogName.CUSTOM_FIELDS].entries}
    named = {ids[item.name] for item in fields.get("custom_fields", [])}
    for call in made.calls:
        assert list(call.body) == ["contacts"]
        [sent] = call.body["contacts"]
        assert set(sent) <= allowed
        assert set(sent.get("custom_fields", {})) <= named
        assert None not in sent.values()


@given(fields=INPUTS, record=STORED)
def test_a_patch_that_has_arrived_is_unchanged(
    fields: dict[str, Any], record: dict[str, Any]
) -> None:
    write = write_of(contact(email="ada@example.com", **fields))
    before = stored(**record)
    after = dict(before.raw)
    for call in plan(write, seen(before)).calls:
        [sent] = call.body["contacts"]
        custom = after["custom_fields"] | sent.get("custom_fields", {})
        names = {entry.id: entry.name for entry in CATALOGS[CatalogName.CUSTOM_FIELDS].entries}
        after |= sent | {"custom_fields": {names.get(key, key): custom[key] for key in custom}}
    assert plan(write, seen(stored(**after))).calls == ()
