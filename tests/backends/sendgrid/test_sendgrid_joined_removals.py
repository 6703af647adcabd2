"""In a bulk, contacts leave a list in one call of up to a hundred."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.backends.sendgrid.client import remove_from_list
from gateway.errors import BackendFailure
from gateway.results import Outcome, ProblemCode
from gateway.sandbox.sendgrid.store import Contact
from gateway.sending.gathering import Gathering
from tests.backends.sendgrid.coalescing import send, send_all

if TYPE_CHECKING:
    from tests.backends.sendgrid.coalescing import Sent
    from tests.backends.sendgrid.conftest import Account

NOBODY = "99999999-9999-4999-8999-999999999999"


def list_of(account: Account, name: str) -> str:
    [found] = [one.id for one in account.sendgrid.store.lists.values() if one.name == name]
    return found


def members(account: Account, count: int) -> list[str]:
    """The ids of new contacts."""
    now = account.clock.now()
    ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(count)]
    for one in ids:
        account.sendgrid.store.add(Contact(one, now, now))
    return ids


async def leave(account: Account, list_id: str, ids: list[str]) -> list[Sent]:
    bulk = Gathering(quiet=0.02, longest=1.0)
    calls = [remove_from_list(list_id, [one]) for one in ids]
    return await send_all(account, calls, [account.exchange(gathering=bulk) for _ in calls])


def sizes(paths: list[str]) -> list[int]:
    return [path.count("%2C") + 1 for path in paths]


async def test_contacts_leave_a_list_together(account: Account) -> None:
    vip, ids = list_of(account, "VIP"), members(account, 150)
    addresses: list[str] = []
    account.wire.stub = lambda request: addresses.append(str(request.url))
    sent = await leave(account, vip, ids)
    assert sizes(addresses) == [100, 50]
    assert max(map(len, addresses)) < 4_100
    assert len({one.job for one in sent}) == 2
    for one, contact_id in zip(sent, ids, strict=True):
        path = f"/v3/marketing/lists/{vip}/contacts?contact_ids={contact_id}"
        assert (one.call.method, one.call.path) == ("DELETE", path)
        assert (one.call.status_code, one.call.attempts, one.call.body) == (202, 1, None)


async def test_each_list_has_calls_of_its_own(account: Account) -> None:
    [one, other] = members(account, 2)
    bulk = Gathering(quiet=0.02, longest=1.0)
    vip, news = list_of(account, "VIP"), list_of(account, "Newsletter")
    calls = [remove_from_list(*call) for call in ((vip, [one]), (news, [one]), (vip, [other]))]
    await send_all(account, calls, [account.exchange(gathering=bulk) for _ in calls])
    assert [path for _, path in account.wire.calls] == [
        f"/lists/{vip}/contacts", f"/lists/{news}/contacts",
    ]  # fmt: skip


async def test_a_contact_that_sendgrid_does_not_know_spoils_no_other(account: Account) -> None:
    vip, ids = list_of(account, "VIP"), members(account, 31)
    sent = await leave(account, vip, [*ids, NOBODY])
    assert all(one.job for one in sent[:-1])
    assert (sent[-1].failure.outcome, sent[-1].problem.code) == (
        Outcome.REJECTED, ProblemCode.NOT_FOUND,
    )  # fmt: skip
    assert len(account.wire.calls) <= 1 + 2 * 5 + 1, "whether the list is there is asked once"
    assert account.wire.calls[-1] == ("GET", f"/lists/{vip}")


async def test_a_list_that_is_gone_is_told_to_all_with_two_calls(account: Account) -> None:
    sent = await leave(account, NOBODY, members(account, 20))
    answers = [one.answer for one in sent if not isinstance(one.answer, BackendFailure)]
    assert [answer.status for answer in answers] == [404] * 20
    assert {one.call.status_code for one in sent} == {404}
    gone = f"/lists/{NOBODY}"
    assert account.wire.calls == [("DELETE", f"{gone}/contacts"), ("GET", gone)]


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(403, json={"errors": []}),
        httpx.Response(404, html="<html>"),
    ],
)
async def test_a_removal_stays_refused_where_nobody_can_tell_of_its_list(
    account: Account, answer: httpx.Response
) -> None:
    account.wire.stub = lambda request: answer if request.method == "GET" else None
    [sent] = await leave(account, NOBODY, members(account, 1))
    assert (sent.failure.outcome, sent.problem.code) == (Outcome.REJECTED, ProblemCode.NOT_FOUND)


async def test_whether_a_list_is_gone_is_waited_for_within_the_callers_time(
    account: Account,
) -> None:
    account.wire.gated = {"GET"}
    account.wire.open.clear()
    call = remove_from_list(NOBODY, members(account, 1))
    sent = await send(account, call, account.exchange(0.1))
    assert sent.problem.code is ProblemCode.NOT_FOUND
    account.wire.open.set()


async def test_a_direct_removal_leaves_alone_and_at_once(sharing: Account) -> None:
    [one] = members(sharing, 1)
    assert (await send(sharing, remove_from_list(list_of(sharing, "VIP"), [one]))).job


@pytest.mark.usefixtures("no_waiting")
async def test_a_removal_that_fails_is_everybodys_own_failure(account: Account) -> None:
    account.wire.stub = lambda _request: httpx.Response(500)
    sent: list[Any] = await leave(account, list_of(account, "VIP"), members(account, 3))
    assert {one.failure.outcome for one in sent} == {Outcome.UNKNOWN}
    assert len(account.wire.calls) == 4
