"""What a bulk stores is what the same writes store one by one, over random contacts and inputs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.backends.everbridge.arrivals import has_arrived
from gateway.checks import check_contact
from tests.backends.everbridge.bulk_desk import new_desk
from tests.backends.everbridge.random_contacts import CONTACT_ID, inputs_over, stored_contacts
from tests.backends.everbridge.vendor_model import Simulated
from tests.backends.everbridge.writing import contact, plan

if TYPE_CHECKING:
    from gateway.model import ContactInput
    from gateway.results import BackendResult

Receipt = tuple[Any, ...]


def told(result: BackendResult) -> Receipt:
    """What a receipt says, but for its calls and the ids of new contacts."""
    return (
        result.outcome,
        result.matched_by,
        result.changed_fields,
        result.ignored_fields,
        [(problem.code, problem.message, problem.field) for problem in result.errors],
    )


async def after(
    bulk: Bulk, switches: dict[str, Any], *, together: bool
) -> tuple[list[Receipt], dict[str, dict[str, Any]]]:
    """The receipts, and what is stored."""
    async with new_desk() as desk:
        state = desk.sandbox.everbridge.dump()
        desk.sandbox.everbridge.load({**state, "contacts": bulk.stored})
        desk.switches.update(switches)
        results = await (desk.bulk(bulk.inputs) if together else desk.singly(bulk.inputs))
        return [told(result) for result in results], desk.all_held()


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """Stored contacts, inputs for some of them and for new ones, and how Everbridge behaves."""

    stored: list[dict[str, Any]]
    inputs: list[ContactInput]
    refused: dict[str, Any]
    batches: dict[str, Any]


@st.composite
def bulks(draw: st.DrawFn) -> Bulk:
    code = draw(st.sampled_from([0, 0, 200, 300]))
    stored, inputs = [], []
    for n in range(draw(st.integers(2, 5))):
        held = {**draw(stored_contacts(real=True)), "id": CONTACT_ID + n, "externalId": f"R-{n}"}
        if draw(st.booleans()):
            stored.append(held)
        fields = {"first_name": "Ada", "last_name": "Byron", **draw(inputs_over(held))}
        if code:  # which a removal of one contact alone has to believe
            fields = {name: fields[name] for name in fields if "groups" not in name}
        one = contact(**fields, external_id=f"R-{n}")
        if not check_contact(one, default_country="GB")[1]:
            inputs.append(one)
    skipped = sorted(draw(st.sets(st.sampled_from([f"R-{n}" for n in range(5)]), max_size=2)))
    return Bulk(
        stored=stored,
        inputs=inputs,
        refused={"refuses": skipped[:1]},
        batches={"batch_skips": skipped, "batch_code": code, "batch_strict": draw(st.booleans())},
    )


@given(bulk=bulks())
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_bulk_stores_what_single_writes_store(bulk: Bulk) -> None:
    alone = asyncio.run(after(bulk, bulk.refused, together=False))
    assert asyncio.run(after(bulk, {**bulk.refused, **bulk.batches}, together=True)) == alone


@given(data=st.data())
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_was_written_is_seen_to_have_arrived_and_nothing_else_is(data: st.DataObject) -> None:
    held = data.draw(stored_contacts(real=True))
    write = contact(external_id=held["externalId"], **data.draw(inputs_over(held)))
    if check_contact(write, default_country="GB")[1]:
        return
    world = Simulated(held)
    for call in plan(write, world.read()).calls:
        assert not has_arrived(call, world.read())
        world.send(call)
        assert has_arrived(call, world.read())
