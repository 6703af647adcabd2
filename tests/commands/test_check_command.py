"""`gateway check`, against the sandbox in-process and over real sockets."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from gateway.backends.ivvy.adapter import IvvyAdapter
from gateway.backends.ivvy.client import IvvyDialect
from gateway.backends.ivvy.clock import with_offset
from gateway.calls import Reply
from gateway.commands.check import Report, check, passed, told
from gateway.dev import sandbox_settings
from gateway.errors import NotWrittenError
from gateway.model import Backend
from gateway.results import Problem, ProblemCode
from gateway.upstream import Exchange, Sender
from tests.harness import SANDBOX, InProcess, free_port, serving

if TYPE_CHECKING:
    from gateway.sandbox.app import Sandbox
    from gateway.sandbox.clock import ManualClock

ROOT = Path(__file__).parents[2]
NOTHING_CONFIGURED = {
    "ivvy_base_url": None,
    "ivvy_api_key": None,
    "ivvy_api_secret": None,
    "everbridge_organization_id": None,
    "everbridge_username": None,
    "everbridge_password": None,
    "sendgrid_api_key": None,
}


async def reports_of(sandbox: Sandbox, **settings: Any) -> dict[Backend, Report]:
    reports = await check(
        sandbox_settings(SANDBOX, **settings), dict.fromkeys(Backend, InProcess(sandbox))
    )
    return {report.backend: report for report in reports}


async def wrong_with(sandbox: Sandbox, backend: Backend, **settings: Any) -> str:
    """The one thing that is wrong with a backend, the others being well."""
    reports = await reports_of(sandbox, **settings)
    assert not passed(reports.values())
    assert {name for name, report in reports.items() if report.wrong} == {backend}
    [text] = reports[backend].wrong
    return text


async def test_three_backends_that_work_pass_with_the_sizes_of_their_lists(
    sandbox: Sandbox,
) -> None:
    reports = await reports_of(sandbox)
    assert passed(reports.values())
    text = told(reports.values())
    assert "iVvy at http://sandbox/ivvy" in text
    assert "companies 134" in text
    assert "groups 134, custom fields 5, record types 2, contact paths 7" in text
    assert "WRONG" not in text
    assert "contacts may be read" in text
    assert text.index("groups 3") < text.index("companies 134"), "in the order of our words"


async def test_nothing_is_written_by_a_check(sandbox: Sandbox) -> None:
    await reports_of(sandbox)
    calls = sandbox.calls.shown()
    assert calls
    assert [call for call in calls if call["method"] in {"PUT", "DELETE", "PATCH"}] == []
    actions = {call["query"].get("action", "get") for call in calls if call["backend"] == "ivvy"}
    assert all(action.startswith("get") for action in actions)


async def test_a_backend_that_is_not_configured_is_named_with_its_settings_and_passes(
    sandbox: Sandbox,
) -> None:
    reports = await reports_of(sandbox, sendgrid_api_key=None)
    assert passed(reports.values())
    assert "SendGrid: not configured. To use it set GATEWAY_SENDGRID_API_KEY." in told(
        reports.values()
    )


async def test_a_check_without_any_backend_fails(sandbox: Sandbox) -> None:
    reports = await reports_of(sandbox, **NOTHING_CONFIGURED)
    assert not passed(reports.values())
    text = told(reports.values())
    assert "GATEWAY_EVERBRIDGE_USERNAME and GATEWAY_EVERBRIDGE_PASSWORD, or" in text
    assert text.endswith("No backend is configured.")


async def test_a_wrong_secret_of_ivvy_is_told_with_the_settings_to_look_at(
    sandbox: Sandbox,
) -> None:
    text = await wrong_with(sandbox, Backend.IVVY, ivvy_api_secret=SecretStr("not-the-secret"))
    assert "GATEWAY_IVVY_API_SECRET" in text
    assert "The signature does not match" in text
    assert "not-the-secret" not in text


async def test_an_unknown_organization_is_told_apart_from_a_wrong_password(
    sandbox: Sandbox,
) -> None:
    text = await wrong_with(
        sandbox, Backend.EVERBRIDGE, everbridge_organization_id="1000000000000009"
    )
    assert "knows no organization 1000000000000009" in text
    assert "GATEWAY_EVERBRIDGE_ORGANIZATION_ID" in text
    text = await wrong_with(sandbox, Backend.EVERBRIDGE, everbridge_password=SecretStr("wrong"))
    assert "GATEWAY_EVERBRIDGE_PASSWORD" in text
    assert "organization" not in text
    assert "Password Invalid" in text


async def test_a_refused_client_of_everbridges_token_service_is_told(sandbox: Sandbox) -> None:
    text = await wrong_with(
        sandbox,
        Backend.EVERBRIDGE,
        everbridge_username=None,
        everbridge_password=None,
        everbridge_token_url=f"{SANDBOX}/everbridge/authorization/v1/tokens",
        everbridge_client_id="sandbox-client",
        everbridge_client_secret=SecretStr("wrong"),
    )
    assert "GATEWAY_EVERBRIDGE_CLIENT_SECRET" in text


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("SG.unknown.key", "does not know the key"),
        ("SG.sandbox.mail-only", "needs the Marketing permission"),
    ],
)
async def test_sendgrids_401_and_403_are_told_apart(sandbox: Sandbox, key: str, words: str) -> None:
    text = await wrong_with(sandbox, Backend.SENDGRID, sendgrid_api_key=SecretStr(key))
    assert words in text
    assert "GATEWAY_SENDGRID_API_KEY" in text
    assert key not in text


async def test_an_everbridge_that_fails_is_told_with_its_own_words(sandbox: Sandbox) -> None:
    sandbox.faults.add(
        {"backend": "everbridge", "times": 99, "status": 500,
         "body": {"status": 500, "message": "Fatal error on handling request"}}
    )  # fmt: skip
    text = await wrong_with(sandbox, Backend.EVERBRIDGE)
    assert "Fatal error on handling request" in text


async def test_sendgrid_is_asked_by_the_identifier_that_is_set(sandbox: Sandbox) -> None:
    reports = await reports_of(sandbox, sendgrid_identifier="external_id")
    assert passed(reports.values())
    paths = [call["path"] for call in sandbox.calls.shown()]
    assert "/v3/marketing/contacts/search/identifiers/external_id" in paths


async def test_a_list_that_may_not_be_read_is_told_beside_those_that_may(sandbox: Sandbox) -> None:
    sandbox.faults.add(
        {"backend": "everbridge", "path": "/recordTypes/1000000000000001", "times": 9,
         "status": 403, "body": {"status": 403, "message": "Access is denied"}}
    )  # fmt: skip
    reports = await reports_of(sandbox, everbridge_record_type=None)
    [text] = reports[Backend.EVERBRIDGE].wrong
    assert text.startswith("record types cannot be read:")
    assert "Access is denied" in text
    assert any("contact paths 7" in good for good in reports[Backend.EVERBRIDGE].good)


async def test_names_in_the_settings_that_everbridge_lacks_are_told(sandbox: Sandbox) -> None:
    reports = await reports_of(
        sandbox, everbridge_email_path="Work Mail", everbridge_record_type="Robot"
    )
    path, record_type = reports[Backend.EVERBRIDGE].wrong
    assert path.startswith("GATEWAY_EVERBRIDGE_EMAIL_PATH is 'Work Mail'")
    assert "Did you mean 'Work Email'" in path
    assert record_type.startswith("GATEWAY_EVERBRIDGE_RECORD_TYPE is 'Robot'")
    assert "Did you mean" not in record_type


async def test_a_name_in_the_settings_that_everbridge_has_twice_is_told(sandbox: Sandbox) -> None:
    table = sandbox.everbridge.dump()["recordTypes"]
    sandbox.faults.add(
        {"backend": "everbridge", "path": "/recordTypes/1000000000000001", "times": 1,
         "status": 200, "body": {"message": "OK", "page": {"data": [*table, *(
             {**row, "id": row["id"] + 10} for row in table)]}}}
    )  # fmt: skip
    reports = await reports_of(sandbox)
    [text] = reports[Backend.EVERBRIDGE].wrong
    assert "Everbridge has 2 of that name" in text


# ---------------------------------------------------------------- over real sockets


def run_check(**variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    return subprocess.run(
        [sys.executable, "-m", "gateway", "check"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT / "tests",  # no .env and no gateway.toml there
        env={**kept, **variables, "PYTHONPATH": str(ROOT)},
    )


def variables(address: str, **more: str) -> dict[str, str]:
    return {
        "GATEWAY_IVVY_BASE_URL": f"{address}/ivvy",
        "GATEWAY_IVVY_API_KEY": "sandbox-key",
        "GATEWAY_IVVY_API_SECRET": "sandbox-secret",
        "GATEWAY_SENDGRID_BASE_URL": f"{address}/sendgrid",
        "GATEWAY_SENDGRID_API_KEY": "SG.sandbox.key",
        **more,
    }


def test_the_program_exits_with_0_when_all_is_well(sandbox: Sandbox) -> None:
    with serving(Starlette(routes=sandbox.routes)) as address:
        done = run_check(**variables(address))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"iVvy at {address}/ivvy" in done.stdout
    assert "Everbridge: not configured" in done.stdout
    assert "All is well" in done.stdout


def test_the_program_exits_with_1_and_names_what_is_wrong(sandbox: Sandbox) -> None:
    with serving(Starlette(routes=sandbox.routes)) as address:
        done = run_check(**variables(address, GATEWAY_IVVY_API_SECRET="wrong"))
    assert done.returncode == 1
    assert "WRONG  iVvy refuses the key" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_program_tells_an_address_where_nobody_answers() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    done = run_check(
        GATEWAY_SENDGRID_BASE_URL=address,
        GATEWAY_SENDGRID_API_KEY="SG.sandbox.key",
        GATEWAY_REQUEST_TIMEOUT_SECONDS="5",
    )
    assert done.returncode == 1
    assert "could not be reached" in done.stdout
    assert "Check GATEWAY_SENDGRID_BASE_URL" in done.stdout


# ---------------------------------------------------------------- the clock


async def test_a_clock_that_is_off_is_told_in_words(sandbox: Sandbox, clock: ManualClock) -> None:
    clock.advance(600)  # iVvy's time is ten minutes later than ours
    text = await wrong_with(sandbox, Backend.IVVY)
    assert text.startswith("iVvy found the request's time more than 5 minutes off: check this")


async def test_the_offset_is_told_by_the_answers_date(sandbox: Sandbox) -> None:
    with serving(Starlette(routes=sandbox.routes)) as address:
        dialect = IvvyDialect(
            base_url=f"{address}/ivvy",
            api_key="sandbox-key",
            api_secret="sandbox-secret",
            clock=lambda: datetime.now(UTC) + timedelta(minutes=12),
        )
        async with httpx.AsyncClient() as http:
            adapter = IvvyAdapter(Sender(dialect, http), dialect, catalog_ttl=300.0)
            with pytest.raises(NotWrittenError) as raised:
                await adapter.probe(Exchange(deadline=time.monotonic() + 30))
    assert raised.value.problem.message == (
        "iVvy found the request's time more than 5 minutes off: check this machine's clock, which "
        "is 12 minutes ahead of iVvy's."
    )


def stale(date: str | None) -> str:
    problem = Problem(code=ProblemCode.UNAUTHORIZED, message="Off.", backend_code="23005")
    headers = {} if date is None else {"date": date}
    reply = Reply(status=401, headers=headers, body=None, text="")
    return with_offset(problem, reply, datetime(2026, 11, 21, 12, 0, tzinfo=UTC)).message


def test_the_offset_is_told_only_where_the_answer_has_a_time() -> None:
    assert stale("Sat, 21 Nov 2026 12:07:00 GMT") == "Off, which is 7 minutes behind iVvy's."
    assert stale("Sat, 21 Nov 2026 11:59:00 GMT") == "Off, which is 1 minute ahead of iVvy's."
    assert stale("Sat, 21 Nov 2026 12:00:10 GMT") == "Off."
    assert stale("Sat, 21 Nov 2026 12:07:00 -0000") == "Off."
    assert stale("yesterday") == "Off."
    assert stale(None) == "Off."


def test_a_check_leaves_the_database_alone_which_a_serving_gateway_may_hold() -> None:
    run_check()
    assert not list((ROOT / "tests").glob("*.sqlite3*"))
