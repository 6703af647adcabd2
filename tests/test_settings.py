"""Settings from the environment, `.env` and gateway.toml, and every problem in them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from gateway.errors import SettingsError
from gateway.settings import PREFIX, load_settings, variable

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and an environment without settings."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problems() -> list[str]:
    with pytest.raises(SettingsError) as raised:
        load_settings()
    return raised.value.problems


def test_nothing_need_be_set() -> None:
    settings = load_settings()
    assert settings.ivvy_api_key is None
    assert settings.sendgrid_identifier == "email"
    assert variable("ivvy_api_key") == "GATEWAY_IVVY_API_KEY"


def test_the_environment_wins_over_env_file_and_that_over_toml(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "gateway.toml").write_text(
        'default_country = "de"\nplan_wait_seconds = 3.0\ncatalog_ttl_seconds = 7.0\n'
    )
    (folder / ".env").write_text("GATEWAY_PLAN_WAIT_SECONDS=4\nGATEWAY_CATALOG_TTL_SECONDS=8\n")
    monkeypatch.setenv("GATEWAY_CATALOG_TTL_SECONDS", "9")
    monkeypatch.setenv("GATEWAY_EVERBRIDGE_USERNAME", "")  # empty is not set
    settings = load_settings()
    assert settings.default_country == "DE"
    assert settings.plan_wait_seconds == 4
    assert settings.catalog_ttl_seconds == 9


def test_a_toml_file_that_cannot_be_read_is_a_problem_of_the_settings(folder: Path) -> None:
    (folder / "gateway.toml").write_text("this is = = no toml")
    [problem] = problems()
    assert "gateway.toml" in problem


def test_a_name_in_a_file_that_is_no_setting_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "gateway.toml").write_text('GATEWAY_MAX_DEPTH = 7\ncolour = "red"\nmax_aliases = 9\n')
    (folder / ".env").write_text("GATEWAY_PRODUCTON=true\nGATEWAY_KEY=cgw_1\nPATH_OF_OTHERS=1\n")
    monkeypatch.setenv("GATEWAY_SERVICE_HOST", "10.0.0.1")  # as Kubernetes sets it
    assert problems() == [
        "gateway.toml: GATEWAY_MAX_DEPTH is no setting: did you mean max_depth?",
        "gateway.toml: colour is no setting.",
        ".env: GATEWAY_PRODUCTON is no setting: did you mean GATEWAY_PRODUCTION?",
    ]


def test_an_address_loses_its_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_SENDGRID_BASE_URL", "https://api.example.com/")
    assert load_settings().sendgrid_base_url == "https://api.example.com"


def test_every_field_that_is_wrong_is_told_by_its_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GATEWAY_DEFAULT_COUNTRY", "Germany")
    monkeypatch.setenv("GATEWAY_EVERBRIDGE_BASE_URL", "api.example.com")
    monkeypatch.setenv("GATEWAY_IVVY_BATCH_CALLBACK_URL", "example.com/done")
    monkeypatch.setenv("GATEWAY_PLAN_WAIT_SECONDS", "0")
    found = problems()
    assert [text.partition(":")[0] for text in sorted(found)] == [
        "GATEWAY_DEFAULT_COUNTRY",
        "GATEWAY_EVERBRIDGE_BASE_URL",
        "GATEWAY_IVVY_BATCH_CALLBACK_URL",
        "GATEWAY_PLAN_WAIT_SECONDS",
    ]


def test_every_backend_that_is_configured_in_part_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_IVVY_API_KEY", "key")
    monkeypatch.setenv("GATEWAY_EVERBRIDGE_ORGANIZATION_ID", "1")
    monkeypatch.setenv("GATEWAY_EVERBRIDGE_USERNAME", "ada")
    found = problems()
    assert len(found) == 2
    assert "GATEWAY_IVVY_BASE_URL and GATEWAY_IVVY_API_SECRET" in found[0]
    assert "GATEWAY_EVERBRIDGE_PASSWORD" in found[1]


def test_what_is_wrong_hides_nothing_that_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("GATEWAY_IVVY_API_KEY=key\nGATEWAY_EVERBRIDGE_USERNAME=\n")
    (folder / "gateway.toml").write_text('jwt_issuer = "https://login.example.com/"\nauth = 5\n')
    monkeypatch.setenv("GATEWAY_EVERBRIDGE_ORGANIZATION_ID", "not-said-again")
    monkeypatch.setenv("GATEWAY_EVERBRIDGE_PASSWORD", "secret")
    assert [text.partition(" ")[0] for text in problems()] == [
        "GATEWAY_EVERBRIDGE_ORGANIZATION_ID:",
        "GATEWAY_AUTH:",
        "iVvy",
        "Everbridge",
        "JWTs",
    ]
    assert "set GATEWAY_EVERBRIDGE_USERNAME too" in problems()[3]  # the id is wrong, not missing


@pytest.mark.parametrize("name", ["auth", "cors_origins", "jwt_algorithms"])
def test_a_file_may_hold_what_is_no_text(folder: Path, name: str) -> None:
    for value in ("5", "[5]", "true"):
        (folder / "gateway.toml").write_text(f"{name} = {value}\n")
        [problem] = problems()
        assert problem.startswith(f"{variable(name)}: Input should be")


def test_a_backend_may_be_configured_in_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_EVERBRIDGE_ORGANIZATION_ID", "1")
    monkeypatch.setenv("GATEWAY_EVERBRIDGE_TOKEN_URL", "https://api.example.com/tokens")
    monkeypatch.setenv("GATEWAY_EVERBRIDGE_CLIENT_ID", "id")
    monkeypatch.setenv("GATEWAY_EVERBRIDGE_CLIENT_SECRET", "secret")
    assert load_settings().everbridge_client_id == "id"


def test_secrets_are_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_SENDGRID_API_KEY", "SG.very-secret")
    assert "very-secret" not in repr(load_settings())
    monkeypatch.setenv("GATEWAY_DEFAULT_COUNTRY", "Germany")
    assert "very-secret" not in "".join(problems())


def test_what_a_file_ends_with_is_no_part_of_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "SENDGRID_API_KEY": " SG.key\n",
        "EVERBRIDGE_ORGANIZATION_ID": "12\n",
        "EVERBRIDGE_USERNAME": "user\n",
        "EVERBRIDGE_PASSWORD": " a password \r\n",
        "DATABASE_URL": "temporary\n",
        "PLAN_WAIT_SECONDS": "3\n",
    }
    for name, value in given.items():
        monkeypatch.setenv(PREFIX + name, value)
    settings = load_settings()
    key, password = settings.sendgrid_api_key, settings.everbridge_password
    assert key is not None
    assert password is not None
    assert (key.get_secret_value(), password.get_secret_value()) == ("SG.key", " a password ")
    assert (settings.database_url, settings.plan_wait_seconds) == ("temporary", 3)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SENDGRID_API_KEY", "SG.one\ntwo", "It has a line break"),
        ("EVERBRIDGE_USERNAME", "one\x7f", "It has a line break or another control character"),
        ("EVERBRIDGE_BASE_URL", "https://me:secret@example.com/?x=1", "What stands behind"),
        ("EVERBRIDGE_BASE_URL", "https://", "'https:' is not an address"),
        ("SENDGRID_BASE_URL", "https://a b", "'https://a b' is not an address such as"),
        ("SENDGRID_BASE_URL", "https://example.com?", "What stands behind"),
        ("SENDGRID_BASE_URL", "https://example.com/#", "What stands behind"),
        ("SENDGRID_BASE_URL", "https://example.com:99999", "Port out of range"),
        ("SENDGRID_BASE_URL", "https://example.com:no", "Port could not be cast"),
        (
            "IVVY_BATCH_CALLBACK_URL",
            "https://example.com:0/?x",
            "'https://example.com:0/?x' is not an",
        ),
        ("IVVY_LEAD_FIELDS", "Budget", "It is no JSON (unexpected character"),
        ("IVVY_LEAD_FIELDS", "[702]", 'It is no JSON object: give the fields by name, such as {"'),
        ("IDEMPOTENCY_HOURS", "inf", "Input should be at most 87,600 hours"),
        ("KEEP_OPERATIONS_DAYS", "1e9", "Input should be at most 36,500 days"),
        ("STUCK_MINUTES", "1e20", "Input should be at most 525,600 minutes"),
        ("SHUTDOWN_SECONDS", "inf", "Input should be at most 31,536,000 seconds"),
        ("LEASE_SECONDS", "nan", "Input should be greater than 0"),
    ],
)
def test_what_would_fail_in_the_midst_of_a_write_is_told_at_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    first = problems()[0]
    assert first.startswith(f"{PREFIX}{name}: {told}")
    assert "secret" not in first


def test_an_operation_has_more_time_than_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_REQUEST_TIMEOUT_SECONDS", "60")
    [problem] = problems()
    assert problem.startswith(
        "GATEWAY_OPERATION_TIMEOUT_SECONDS is 60, and must be more than "
        "GATEWAY_REQUEST_TIMEOUT_SECONDS, which is 60:"
    )
    monkeypatch.setenv("GATEWAY_OPERATION_TIMEOUT_SECONDS", "60.5")
    assert load_settings().request_timeout_seconds == 60
    monkeypatch.setenv("GATEWAY_OPERATION_TIMEOUT_SECONDS", "long")
    [problem] = problems()
    assert "valid number" in problem


def test_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_CORS_ORIGINS", "https://App.example.com/, *,")
    assert load_settings().cors_origins == ("https://app.example.com", "*")
    monkeypatch.setenv("GATEWAY_CORS_ORIGINS", "https://app.example.com/page")
    [problem] = problems()
    assert problem.startswith("GATEWAY_CORS_ORIGINS: ")


def test_lead_fields_are_ids_with_an_optional_type(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "gateway.toml").write_text('[ivvy_lead_fields]\nBudget = "702 NUMBER"\nNote = 703\n')
    assert load_settings().ivvy_lead_fields == {"Budget": "702 NUMBER", "Note": "703"}
    monkeypatch.setenv("GATEWAY_IVVY_LEAD_FIELDS", '{"Budget": "many"}')
    [problem] = problems()
    assert "'Budget'" in problem
    monkeypatch.setenv("GATEWAY_IVVY_LEAD_FIELDS", "[]")
    assert len(problems()) == 1


def test_ways_to_tell_callers_apart_are_named_in_any_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("JWKS_URL", "ISSUER", "AUDIENCE"):
        monkeypatch.setenv(f"GATEWAY_JWT_{name}", "https://login.example.com/")
    monkeypatch.setenv("GATEWAY_AUTH", " JWT , keys")
    assert load_settings().auth == "keys,jwt"
    monkeypatch.setenv("GATEWAY_AUTH", "none,keys")
    [problem] = problems()
    assert problem.startswith("GATEWAY_AUTH: ")


def test_jwts_are_set_up_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not load_settings().has_jwt
    monkeypatch.setenv("GATEWAY_AUTH", "jwt")
    [problem] = problems()
    assert "GATEWAY_JWT_JWKS_URL and GATEWAY_JWT_ISSUER and GATEWAY_JWT_AUDIENCE" in problem
    monkeypatch.setenv("GATEWAY_AUTH", "auto")
    monkeypatch.setenv("GATEWAY_JWT_ISSUER", "https://login.example.com/")
    [problem] = problems()
    assert "GATEWAY_JWT_JWKS_URL and GATEWAY_JWT_AUDIENCE" in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWT_ALGORITHMS", "RS256,HS256"),
        ("JWT_ALGORITHMS", "none"),
        ("JWT_ALGORITHMS", ","),
        ("JWT_JWKS_URL", "http://login.example.com/jwks"),
        ("JWT_JWKS_URL", "https://"),
    ],
)
def test_what_would_trust_anybody_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"GATEWAY_{name}", value)
    assert any(problem.startswith(f"GATEWAY_{name}: ") for problem in problems())


@pytest.mark.parametrize("text", ["abc", "0", "12345678901234567", "1000000000000001/x", "１２"])  # noqa: RUF001
def test_an_organization_of_everbridge_has_at_most_16_digits(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"GATEWAY_EVERBRIDGE_{name}", "x")
    monkeypatch.setenv("GATEWAY_EVERBRIDGE_ORGANIZATION_ID", text)
    [problem] = problems()
    assert "GATEWAY_EVERBRIDGE_ORGANIZATION_ID" in problem
    assert "at most 16" in problem
    monkeypatch.setenv("GATEWAY_EVERBRIDGE_ORGANIZATION_ID", " 1000000000000001 ")
    assert load_settings().everbridge_organization_id == "1000000000000001"
