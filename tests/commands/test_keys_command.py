"""`gateway keys`: by itself, and beside a gateway that serves on the same database."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from typer.testing import CliRunner

from gateway.__main__ import cli
from gateway.callers.keys import MISS_SECONDS, digest
from gateway.commands.keys import closed, create_key, list_keys, revoke_key, wanted_key
from gateway.dev import sandbox_settings
from gateway.errors import SettingsError
from gateway.store.opening import open_store
from tests.harness import SANDBOX
from tests.program import HERE, gateway_dev

if TYPE_CHECKING:
    from gateway.commands.keys import Made, Wanted
    from gateway.settings import Settings
    from gateway.store.api_keys import StoredKey

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return sandbox_settings(SANDBOX, database_url=f"sqlite:///{tmp_path / 'gateway.sqlite3'}")


def wanted(name: str = "crm", *scopes: str, **more: Any) -> Wanted:
    given = {"days": None, "file": None, "if_missing": False, **more}
    return wanted_key(name, scopes or ("contacts:write",), **given)


async def stored_keys(settings: Settings) -> list[StoredKey]:
    async with open_store(settings.database_url, serving=False) as store:
        return await store.api_keys.list_keys()


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(".")]


# ---------------------------------------------------------------- making


async def test_a_key_is_shown_once_and_stored_hashed(settings: Settings, tmp_path: Path) -> None:
    made = await create_key(settings, wanted("crm", "leads:read, contacts:write", "leads:read"))
    assert made.key is not None
    [stored] = await stored_keys(settings)
    assert stored.hash == digest(made.key)
    assert stored.scopes == ("contacts:write", "leads:read")
    assert stored.id in made.key
    assert made.key not in "".join([*await list_keys(settings), *made.told])
    secret = made.key.rpartition(stored.id)[2].lstrip("_")
    assert secret.encode() not in everything_in(tmp_path)


async def test_auto_says_that_a_running_gateway_has_to_start_again(settings: Settings) -> None:
    assert any("next start" in line for line in (await create_key(settings, wanted())).told)
    asking = settings.model_copy(update={"auth": "keys"})
    assert not any("next start" in line for line in (await create_key(asking, wanted())).told)


async def test_a_key_can_end_by_itself(settings: Settings) -> None:
    await create_key(settings, wanted(days=1.5))
    [stored] = await stored_keys(settings)
    assert stored.expires_at is not None
    assert stored.expires_at - stored.created_at == timedelta(days=1.5)
    assert "works until" in (await list_keys(settings))[1]


@pytest.mark.parametrize("days", [0, -1, 36_501, float("inf"), float("nan")])
def test_a_key_is_good_for_days_that_a_calendar_has(days: float) -> None:
    with pytest.raises(SettingsError, match=r"--days must be more than 0, and at most 36,500\."):
        wanted(days=days)


def test_all_that_is_wrong_with_a_key_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        wanted(" ", "contacts:red", "x", days=0, file=tmp_path / "no" / "key")
    told = refused.value.problems
    assert len(told) == 5
    assert "'contacts:red' is no scope: give some of contacts:read" in told[0]
    with pytest.raises(SettingsError, match="needs a scope"):
        wanted_key("crm", [], days=None, file=None, if_missing=False)


async def test_a_key_in_a_file_is_for_its_owner_alone(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "key"
    made = await create_key(settings, wanted(file=file))
    [stored] = await stored_keys(settings)
    assert made.key is None
    assert digest(file.read_text().strip()) == stored.hash
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not leftovers(tmp_path)


async def test_if_missing_makes_one_key_however_often_it_is_asked(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    for _time in range(2):
        made = await create_key(settings, wanted(file=file, if_missing=True))
    assert "There is key" in made.told[0]
    assert len(await stored_keys(settings)) == 1


async def test_if_missing_without_a_file_looks_for_the_name_and_the_scopes(
    settings: Settings,
) -> None:
    async def make(*scopes: str, name: str = "crm") -> Made:
        return await create_key(settings, wanted(name, *scopes, if_missing=True))

    assert (await make("contacts:write", "leads:write")).key
    assert not (await make("contacts:write")).key
    assert (await make("admin")).key
    assert not (await make("leads:read")).key  # admin has it
    assert (await make("leads:read", name="other")).key


@pytest.mark.parametrize("why", ["no file", "another key", "revoked", "other scopes"])
async def test_if_missing_makes_a_new_key_where_the_files_is_no_good(
    settings: Settings, tmp_path: Path, why: str
) -> None:
    file = tmp_path / "key"
    await create_key(settings, wanted(file=file))
    if why == "no file":
        file.unlink()
    elif why == "another key":
        file.write_text("cgw_x_y\n")
    elif why == "revoked":
        await revoke_key(settings, "crm")
    scopes = ("contacts:read",) if why == "other scopes" else ("contacts:write",)
    await create_key(settings, wanted("crm", *scopes, file=file, if_missing=True))
    new = (await stored_keys(settings))[-1]
    assert digest(file.read_text().strip()) == new.hash
    assert new.scopes == scopes


async def test_a_file_that_cannot_be_written_leaves_no_key_that_works(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(SettingsError, match="No key was made"):
        await create_key(settings, wanted(file=tmp_path / "folder"))
    [stored] = await stored_keys(settings)
    assert not stored.works(datetime.now(UTC))
    assert not leftovers(tmp_path)

    def full(*_named: Any, **_more: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    with pytest.raises(SettingsError, match="No space left"):
        await create_key(settings, wanted(file=tmp_path / "key"))


async def test_a_file_that_cannot_be_read_is_told(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        await create_key(settings, wanted(file=tmp_path, if_missing=True))


# ---------------------------------------------------------------- listing and revoking


async def test_the_list_tells_the_state_of_each_key(settings: Settings) -> None:
    assert await list_keys(settings) == ["There is no key yet."]
    await create_key(settings, wanted("one"))
    await create_key(settings, wanted("two", days=1e-9))
    await create_key(settings, wanted("three", "admin"))
    assert (await revoke_key(settings, "three"))[0]
    head, one, two, three = await list_keys(settings)
    assert head.split() == ["ID", "NAME", "STATE", "LAST", "USED", "CREATED", "SCOPES"]
    assert [line.split()[1:4] for line in (one, two, three)] == [
        ["one", "works", "never"],
        ["two", "expired", "never"],
        ["three", "revoked", "never"],
    ]
    assert len({line.index(word) for line, word in ((head, "SCOPES"), (three, "admin"))}) == 1


async def test_a_key_is_revoked_by_its_id_or_by_the_name_of_its_caller(settings: Settings) -> None:
    for name in ("crm", "crm", "other"):
        await create_key(settings, wanted(name))
    first, second, _other = await stored_keys(settings)
    done, told = await revoke_key(settings, "crm")
    assert not done
    assert first.id in told
    assert second.id in told
    assert (await revoke_key(settings, first.id))[0]
    assert await revoke_key(settings, first.id) == (False, f"'{first.id}' no longer works.")
    assert (await revoke_key(settings, "crm"))[0]
    done, told = await revoke_key(settings, "nobody")
    assert (done, "neither the id nor the name" in told) == (False, True)


async def test_without_a_lasting_store_there_are_no_keys() -> None:
    with pytest.raises(SettingsError, match="temporary"):
        await create_key(sandbox_settings(SANDBOX), wanted())


async def test_a_store_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    settings = sandbox_settings(SANDBOX, database_url=f"sqlite:///{tmp_path / 'no' / 'file'}")
    with pytest.raises(SettingsError):
        await list_keys(settings)


# ---------------------------------------------------------------- serving to others


async def test_a_host_that_others_reach_is_served_once_callers_can_be_told_apart(
    settings: Settings,
) -> None:
    with pytest.raises(SettingsError) as refused:
        await closed(settings, "0.0.0.0")
    for way in ("gateway keys create", "GATEWAY_JWT_JWKS_URL", "127.0.0.1", "GATEWAY_AUTH=none"):
        assert way in str(refused.value)
    await create_key(settings, wanted())
    assert (await closed(settings, "0.0.0.0")).auth == "keys"
    jwt = {"jwt_jwks_url": "https://x.example.com/", "jwt_issuer": "i", "jwt_audience": "a"}
    both = settings.model_copy(update=jwt)
    assert (await closed(both, "0.0.0.0")).auth == "keys,jwt"
    alone = sandbox_settings(SANDBOX, **jwt)
    assert (await closed(alone, "0.0.0.0")).auth == "jwt"
    with pytest.raises(SettingsError):
        await closed(sandbox_settings(SANDBOX), "0.0.0.0")
    for auth in ("none", "keys"):
        chosen = settings.model_copy(update={"auth": auth})
        assert await closed(chosen, "0.0.0.0") is chosen


# ---------------------------------------------------------------- the program


def gateway(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    url = {"GATEWAY_DATABASE_URL": f"sqlite:///{folder / 'gateway.sqlite3'}"}
    return subprocess.run(
        [*HERE, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**kept, **url, "PYTHONPATH": str(ROOT)},
    )


def asked(address: str, key: str) -> int:
    body = {"query": "{ __typename }"}
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.post(f"{address}/graphql", json=body, headers=headers).status_code


def test_keys_are_made_listed_and_revoked_beside_a_gateway_that_serves(tmp_path: Path) -> None:
    made = gateway(tmp_path, "keys", "create", "crm", "--scope", "contacts:read,leads:read")
    assert made.returncode == 0, made.stderr
    assert "is shown this once" in made.stderr
    [first] = made.stdout.split()
    url = f"sqlite:///{tmp_path / 'gateway.sqlite3'}"
    with gateway_dev(tmp_path / "log", GATEWAY_DATABASE_URL=url) as address:
        assert asked(address, first) == 200
        assert asked(address, "wrong") == 401
        arguments = ("--scope", "admin", "--file", "key", "--if-missing", "--days", "2")
        made = gateway(tmp_path, "keys", "create", "ops", *arguments)
        assert (made.returncode, made.stdout) == (0, "")
        time.sleep(MISS_SECONDS)  # the ring may have been read just before
        assert asked(address, (tmp_path / "key").read_text().strip()) == 200
        revoked = gateway(tmp_path, "keys", "revoke", "crm")
        assert (revoked.returncode, "is revoked" in revoked.stdout) == (0, True)
    assert first not in (tmp_path / "log").read_text()


def test_serve_refuses_an_address_that_others_reach_and_says_what_to_do(tmp_path: Path) -> None:
    done = gateway(tmp_path, "serve", "--host", "0.0.0.0", "--port", "1")
    assert done.returncode == 2
    assert "gateway keys create" in done.stderr


def test_the_program_says_by_its_exit_code_whether_a_key_was_revoked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATEWAY_DATABASE_URL", f"sqlite:///{tmp_path / 'gateway.sqlite3'}")
    program = CliRunner()
    made = program.invoke(cli, ["keys", "create", "crm", "--scope", "admin"])
    assert made.exit_code == 0
    assert made.stdout.startswith("cgw_")
    assert "crm" in program.invoke(cli, ["keys", "list"]).stdout
    codes = [program.invoke(cli, ["keys", "revoke", "crm"]).exit_code for _time in range(2)]
    assert codes == [0, 1]
