"""Two gateways on one account: what one has accepted, the other knows before SendGrid shows it."""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING

import httpx
import pytest
from structlog.testing import capture_logs

from gateway.backends.sendgrid.adapter import SendGridAdapter
from gateway.errors import NotWrittenError
from gateway.model import MissingPolicy
from gateway.results import Outcome
from gateway.store.errors import StoreUnavailableError
from gateway.store.notes import Note
from gateway.upstream import Sender
from tests.backends.sendgrid.sending import contact, write_of
from tests.backends.sendgrid.upserting import upserted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gateway.backends.sendgrid.shared_memory import KeepsNotes
    from tests.backends.sendgrid.conftest import Account

ADA, MARY, ROSALIND, NEW = (
    *("ada@example.com", "mary@example.com"),
    *("rosalind@example.com", "new@example.com"),
)


class Kept:
    """What the store does, without a database."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.kept: dict[tuple[str, str], tuple[float, Note]] = {}
        self.times = 0
        self.away = False
        self.slow = False
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        """Done once, when notes have been looked for and are not yet told of."""

    async def keep(self, notes: Sequence[Note]) -> None:
        await self._answer()
        self.times += 1
        for note in notes:
            at, _ = self.kept.get((note.subject, note.source), (self._account.now, note))
            self.kept[note.subject, note.source] = at, note

    async def recall(self, subjects: Sequence[str], seconds: float) -> list[Note]:
        await self._answer()
        now = self._account.now
        found = [
            Note(subject=note.subject, source=note.source, content=note.content, age=now - at)
            for at, note in self.kept.values()
            if note.subject in subjects and now - at < seconds
        ]
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return found

    async def _answer(self) -> None:
        if self.away:
            raise StoreUnavailableError("no network")
        if self.slow:
            await asyncio.sleep(60)
        await asyncio.sleep(0)


def beside(account: Account, kept: KeepsNotes) -> Account:
    """Another gateway on the same account, both of which leave each other notes."""
    other = copy.copy(account)
    other.adapter = SendGridAdapter(
        Sender(account.adapter.dialect, httpx.AsyncClient(transport=account.wire)),
        account.adapter.dialect,
        catalog_ttl=300.0,
        identifier=account.identifier,
        window=account.window,
    )
    for one in (account, other):
        one.adapter.share(kept, "default")
    return other


@pytest.fixture
def kept(account: Account) -> Kept:
    return Kept(account)


@pytest.fixture
def other(account: Account, kept: Kept) -> Account:
    return beside(account, kept)


async def test_an_exact_set_leaves_what_another_gateway_has_joined(
    account: Account, other: Account
) -> None:
    held = account.lists_of(ADA)
    await account.write(email=ADA, add_groups_name=["Berlin Office"])
    result = await other.write(email=ADA, groups_name=sorted(held))
    assert result.outcome is Outcome.ACCEPTED
    await account.settled()
    assert account.lists_of(ADA) == held


async def test_an_exact_set_joins_again_what_another_gateway_has_left(
    account: Account, other: Account
) -> None:
    held = account.lists_of(ADA)
    await account.write(email=ADA, groups_name=[])
    await other.write(email=ADA, groups_name=sorted(held))
    await account.settled()
    assert account.lists_of(ADA) == held


async def test_a_field_is_written_over_what_another_gateway_is_changing(
    account: Account, other: Account
) -> None:
    lists = sorted(account.lists_of(MARY))
    await account.write(email=MARY, first_name="X")
    await other.write(email=MARY, first_name="Mary", groups_name=lists)
    await account.settled()
    assert account.held(MARY).texts["first_name"] == "Mary"


async def test_a_contact_that_another_gateway_has_made_is_no_new_one(
    account: Account, other: Account
) -> None:
    await account.write(
        email=NEW, sendgrid={"anonymous_id": "anon-1"}, add_groups_name=["Newsletter"]
    )
    skip = {"if_missing": MissingPolicy.SKIP}
    again = await other.write(email=NEW, first_name="N", how=skip)
    [sent] = other.wire.contacts()[-1]
    assert (again.outcome, sent["anonymous_id"]) == (Outcome.ACCEPTED, "anon-1")
    with pytest.raises(NotWrittenError, match="does not show this contact yet"):
        await other.write(email=NEW, groups_name=["VIP"])
    await account.settled()
    assert account.held(NEW).texts["first_name"] == "N"


async def test_what_one_call_has_accepted_is_told_at_once(sharing: Account) -> None:
    kept = Kept(sharing)
    other = beside(sharing, kept)
    people = [f"p{number}@example.com" for number in range(40)]
    await asyncio.gather(
        *(upserted(sharing, contact(email=one, add_groups_name=["VIP"])) for one in people)
    )
    assert len(sharing.wire.sent()) == 1
    assert (len(kept.kept), kept.times) == (40, 1)
    with pytest.raises(NotWrittenError):
        await other.write(email=people[7], groups_name=[])


async def test_merged_writes_are_told_as_one(sharing: Account) -> None:
    kept = Kept(sharing)
    other = beside(sharing, kept)
    anonymous = contact(email=NEW, sendgrid={"anonymous_id": "anon-1"})
    plans = [await sharing.plan(write_of(one)) for one in (anonymous, contact(email=NEW))]
    calls = [call for plan in plans for call in plan.calls]
    await asyncio.gather(*(sharing.adapter.send(call, sharing.exchange()) for call in calls))
    assert (len(sharing.wire.sent()), kept.times) == (1, 1)
    await other.write(email=NEW, last_name="P", groups_name=["VIP"])
    [sent] = sharing.wire.contacts()[-1]
    assert sent["anonymous_id"] == "anon-1"


async def test_of_two_gateways_writes_the_later_one_counts(
    account: Account, other: Account
) -> None:
    await account.write(email=ROSALIND, groups_name=[])
    account.pass_time(1)
    await other.write(email=ROSALIND, add_groups_name=["VIP"])
    account.pass_time(1)
    await account.write(email=ROSALIND, remove_groups_name=["VIP"])
    await account.settled()
    assert account.lists_of(ROSALIND) == set()


async def test_what_is_learned_late_and_was_accepted_early_does_not_win(
    account: Account, other: Account
) -> None:
    await account.write(email=ADA, groups_name=[])
    account.pass_time(1)
    # A plain patch looks at no notes, so the second gateway has its own in mind first.
    await other.write(email=ADA, add_groups_name=["VIP"])
    result = await other.write(email=ADA, groups_name=[])
    assert [call.method for call in result.calls] == ["DELETE"]
    await account.settled()
    assert account.lists_of(ADA) == set()


async def test_what_another_gateway_is_told_between_the_notes_and_the_contact_counts(
    account: Account, other: Account, kept: Kept
) -> None:
    held = account.lists_of(ADA)
    kept.meanwhile = lambda: account.write(email=ADA, add_groups_name=["Berlin Office"])
    result = await other.write(email=ADA, groups_name=sorted(held))
    assert [call.method for call in result.calls] == ["DELETE"]
    await account.settled()
    assert account.lists_of(ADA) == held


async def test_a_job_that_has_ended_is_asked_after_once(account: Account, other: Account) -> None:
    await account.write(email=ADA, add_groups_name=["Berlin Office"])
    await account.settled()
    lists = sorted(account.lists_of(ADA))
    outcomes = [(await other.write(email=ADA, groups_name=lists)).outcome for _ in range(3)]
    assert outcomes == [Outcome.UNCHANGED] * 3
    assert len([path for _, path in account.wire.calls if "/imports/" in path]) == 1
    assert len(other.adapter.memory) == 0


async def test_many_jobs_are_asked_after_side_by_side(account: Account, other: Account) -> None:
    for number in range(20):
        await account.write(email=ADA, first_name=f"N{number}")
    await account.settled()
    await other.write(email=MARY, add_groups_name=["VIP"])  # the lists' names are known from now on
    lists = sorted(account.lists_of(ADA))
    account.wire.open.clear()
    writing = asyncio.create_task(other.write(email=ADA, first_name="N19", groups_name=lists))
    async with asyncio.timeout(5):
        while len(_asked(account)) < 16:  # noqa: ASYNC110 - no event tells of the last
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert len(_asked(account)) == 16, "and no more at a time"
    account.wire.open.set()
    assert (await writing).outcome is Outcome.UNCHANGED
    assert len(_asked(account)) == len(set(_asked(account))) == 20


def _asked(account: Account) -> list[str]:
    return [path for _, path in account.wire.calls if "/imports/" in path]


async def test_only_so_many_ended_jobs_are_known(
    account: Account, other: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.backends.sendgrid.shared_memory.MOST_ENDED", 1)
    for person in (ADA, MARY):
        await account.write(email=person, first_name="N")
    await account.settled()
    for person in (ADA, MARY, ADA):
        result = await other.write(
            email=person, first_name="N", groups_name=sorted(account.lists_of(person))
        )
        assert result.outcome is Outcome.UNCHANGED


@pytest.mark.parametrize("how", ["away", "slow"])
async def test_without_the_store_each_knows_its_own(
    account: Account, other: Account, kept: Kept, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("gateway.backends.sendgrid.shared_memory.LONGEST_WAIT", 0.01)
    setattr(kept, how, True)
    held = account.lists_of(ADA)
    result = await account.write(email=ADA, add_groups_name=["Berlin Office"])
    assert result.outcome is Outcome.ACCEPTED
    unknowing = await other.write(email=ADA, groups_name=sorted(held))
    assert unknowing.outcome is Outcome.UNCHANGED
    knowing = await account.write(email=ADA, groups_name=sorted(held))
    assert [call.method for call in knowing.calls] == ["DELETE"]


async def test_that_the_store_is_away_is_logged_once_for_many(account: Account, kept: Kept) -> None:
    account.adapter.share(kept, "default")
    kept.away = True
    with capture_logs() as lines:
        for _ in range(3):
            await account.write(email=ADA, first_name="N", groups_name=[])
    assert sorted(line["event"] for line in lines if line["log_level"] == "warning") == [
        "accepted write not told to other processes",
        "accepted writes of others not known",
    ]
