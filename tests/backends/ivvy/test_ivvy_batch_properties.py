"""What a bulk stores is what the same writes store one by one, over random inputs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strawberry import Some

from gateway.checks import check_contact
from gateway.model import (
    CustomFieldInput,
    EmailStatus,
    ExternalUrlInput,
    SmsStatus,
)
from tests.backends.bulk import bulk_upsert
from tests.backends.ivvy.conftest import open_desk
from tests.backends.ivvy.writing import contact

if TYPE_CHECKING:
    from gateway.model import ContactInput
    from gateway.results import BackendResult
    from tests.backends.ivvy.conftest import Desk

names = st.text("abcdeß'", min_size=1, max_size=6)
group_names = st.lists(st.sampled_from(["Newsletter", "Berlin Office"]), unique=True, max_size=2)


def inputs(key: str) -> st.SearchStrategy[ContactInput]:
    """Inputs for the contact with this externalId, which may be new."""
    groups: st.SearchStrategy[dict[str, Any]] = st.one_of(
        st.just({}),
        st.fixed_dictionaries({"groups_name": group_names | st.none()}),
        st.fixed_dictionaries({"add_groups_name": group_names}),
        st.fixed_dictionaries({"remove_groups_name": group_names}),
    )
    fields = st.fixed_dictionaries(
        {},
        optional={
            "first_name": names,
            "last_name": names,
            "email": st.just(f"{key.lower()}@example.com"),
            "phone": st.sampled_from(["+44 7700 900101", "07700 900199", None]),
            "email_status": st.sampled_from(EmailStatus),
            "sms_status": st.sampled_from(SmsStatus),
            "privacy_consent": st.booleans(),
            "custom_fields": st.lists(
                st.sampled_from(
                    [
                        CustomFieldInput(name="Shift", values=["Day"]),
                        CustomFieldInput(name="Badge number", values=["7"]),
                        CustomFieldInput(name="Shift", values=[]),
                    ]
                ),
                max_size=1,
            ),
            "external_urls": st.none()
            | st.lists(
                st.builds(
                    ExternalUrlInput, ref=st.just("a"), url=st.just(Some("https://example.com/a"))
                ),
                max_size=1,
            ),
        },
    )
    return st.tuples(fields, groups).map(
        lambda both: contact(external_id=key, **both[0], **both[1])
    )


@st.composite
def bulks(draw: st.DrawFn) -> list[ContactInput]:
    keys = draw(
        st.lists(st.sampled_from(["E-1001", "E-1002", "N-1", "N-2"]), min_size=2, unique=True)
    )
    made = [draw(inputs(key)) for key in keys]
    return [one for one in made if not check_contact(one, default_country="GB")[1]]


switches = st.fixed_dictionaries(
    {},
    optional={
        "batch_order": st.just("reverse"),
        "batch_request_echo": st.sampled_from(["reduced", "job"]),
        "batch_omits": st.lists(st.integers(0, 3), unique=True),
        "batch_on_failure": st.just("stop"),
        "ids_as_strings": st.just(True),
        "business_errors": st.just("error_object"),
    },
)


async def after(
    many: list[ContactInput], turned: dict[str, Any], *, together: bool
) -> tuple[list[Any], list[dict[str, Any]]]:
    """The receipts, and what is stored."""
    async with open_desk() as desk:
        desk.switches.update(turned, batch_seconds=0)
        if together:
            results = await bulk_upsert(desk.adapter, many)
        else:
            results = [await desk.write(one) for one in many]
        return [told(result) for result in results], stored(desk)


def told(result: BackendResult) -> Any:
    """What a receipt says, but for its calls and the ids of new contacts."""
    problems = [(problem.code, problem.field, problem.message) for problem in result.errors]
    fields = (result.changed_fields, result.ignored_fields)
    return (result.outcome, result.matched_by, fields, problems)


def stored(desk: Desk) -> list[dict[str, Any]]:
    """The contacts, without ids and the times at which they were written."""
    rows = [
        {key: value for key, value in row.items() if not key.endswith("Date") and key != "id"}
        for row in desk.held()
    ]
    for row in rows:
        row["groups"] = sorted(each["groupId"] for each in row["groups"])
        row["privacyConsentData"] = bool(row["privacyConsentData"])
    return sorted(rows, key=lambda row: str((row["externalId"], row["email"])))


@given(many=bulks(), turned=switches)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_bulk_stores_what_single_writes_store(
    many: list[ContactInput], turned: dict[str, Any]
) -> None:
    alone = asyncio.run(after(many, {}, together=False))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("gateway.backends.ivvy.batch_run.SHORTEST", 0.0)
        patched.setattr("gateway.sending.tries.BACKOFF_BASE", 0.0)
        joint = asyncio.run(after(many, turned, together=True))
    assert joint == alone
