"""Seed data, persistence, reset, and the promises of the table of switches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gateway.sandbox.everbridge as package
from gateway.sandbox.everbridge import Everbridge
from gateway.sandbox.everbridge.switches import SWITCHES, defaults

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from gateway.sandbox.backend import SimulatedBackend
    from gateway.sandbox.clock import ManualClock

    Body = Callable[..., dict[str, Any]]
    Read = Callable[[str], Awaitable[dict[str, Any]]]

CONTACTS = "contacts/1000000000000001"


def test_it_is_a_simulated_backend(everbridge: Everbridge) -> None:
    backend: SimulatedBackend = everbridge
    assert backend.name == "everbridge"


async def test_the_seeded_people_are_there(read: Read) -> None:
    emails = {}
    for external_id in ("E-1001", "E-1002", "E-1003"):
        contact = await read(external_id)
        values = [path["value"] for path in contact["paths"]]
        emails[contact["firstName"]] = next(value for value in values if "@" in value)
    assert emails == {
        "Ada": "ada@example.com",
        "Grace": "grace@example.com",
        "Alan": "alan@example.com",
    }


async def test_the_rich_contact_has_what_could_be_lost(read: Read) -> None:
    ada = await read("E-1001")
    assert len(ada["paths"]) == 5
    assert sum("quietTimeFrames" in path for path in ada["paths"]) == 2
    assert len(ada["contactAttributes"]) == 5
    assert all("gisLocation" in address for address in ada["address"])
    for name in ("topics", "groups", "businessName", "vip", "ssoUserId", "preferredLanguage"):
        assert ada[name]


async def test_every_seeded_contact_can_be_put_back_as_it_is(
    rest: httpx.AsyncClient, everbridge: Everbridge
) -> None:
    before = everbridge.dump()
    contacts = (await rest.get(CONTACTS, params={"pageSize": 1000})).json()["page"]["data"]
    for contact in contacts:
        answer = await rest.put(f"{CONTACTS}/{contact['id']}", json=contact)
        assert answer.status_code == 200, answer.text

    def comparable(state: dict[str, Any]) -> dict[int, dict[str, Any]]:
        return {
            contact["id"]: {
                name: value
                for name, value in contact.items()
                if not name.startswith("lastModified") and value != []
            }
            for contact in state["contacts"]
        }

    assert comparable(everbridge.dump()) == comparable(before)


async def test_a_dump_is_json_and_loads_into_another_sandbox(
    rest: httpx.AsyncClient, body: Body, everbridge: Everbridge, clock: ManualClock
) -> None:
    first = (await rest.post(CONTACTS, json=body(externalId="E-1"))).json()["id"]
    state = json.loads(json.dumps(everbridge.dump()))
    assert state == everbridge.dump()
    other = Everbridge(clock)
    other.load(state)
    assert other.dump() == state
    second = (await rest.post(CONTACTS, json=body(externalId="E-2"))).json()["id"]
    assert second != first
    assert other.dump() == state  # nothing is shared between the two


async def test_new_ids_go_on_after_a_load(
    rest: httpx.AsyncClient, body: Body, everbridge: Everbridge
) -> None:
    first = (await rest.post(CONTACTS, json=body(externalId="E-1"))).json()["id"]
    await rest.delete(f"{CONTACTS}/{first}")
    everbridge.load(everbridge.dump())
    assert (await rest.post(CONTACTS, json=body(externalId="E-2"))).json()["id"] > first


async def test_reset_brings_back_seed_data_and_switches(
    rest: httpx.AsyncClient, everbridge: Everbridge
) -> None:
    seed, switches = everbridge.dump(), everbridge.switches
    await rest.delete(f"{CONTACTS}/1300000000000001")
    everbridge.switches["ignore_filters"] = True
    everbridge.reset()
    assert everbridge.dump() == seed
    assert everbridge.switches is switches
    assert everbridge.switches == defaults()


def test_the_readme_documents_every_switch_with_its_default() -> None:
    folder = Path(package.__file__).parent
    text = "".join(
        readme.read_text()
        for readme in (folder / "README.md", folder.parent / "README.md")
        if readme.exists()
    )
    for switch in SWITCHES:
        row = f"| `{switch.name}` | `{json.dumps(switch.default)}` | {switch.meaning} |"
        assert row in text
