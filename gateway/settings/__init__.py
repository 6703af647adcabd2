"""Every setting, in tables by subject: read once at start from the environment, `.env` or gateway.toml."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import (
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from gateway.errors import SettingsError
from gateway.model import Backend, title
from gateway.settings.backends import BACKEND_SETTINGS, PASSWORDS, BackendSettings
from gateway.settings.callers import CallerSettings, jwt_gap
from gateway.settings.delivery import TEMPORARY, DeliverySettings
from gateway.settings.surface import SurfaceSettings
from gateway.settings.watching import WatchingSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic_core import ErrorDetails

__all__ = ["BACKEND_SETTINGS", "PREFIX", "TEMPORARY", "Settings", "load_settings", "variable"]

PREFIX = "GATEWAY_"
TOML, ENV = Path("gateway.toml"), Path(".env")
OF_CLIENTS = ("GATEWAY_KEY", "GATEWAY_URL", "GATEWAY_TOKEN")
"""What `gateway import` and the examples read."""
LONGEST = {"seconds": 31_536_000, "minutes": 525_600, "hours": 87_600, "days": 36_500}
"""The longest time that can be set, by its unit."""


class Settings(
    SurfaceSettings, CallerSettings, WatchingSettings, DeliverySettings, BackendSettings
):
    """The gateway's settings; each is GATEWAY_ and its name in capitals in the environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV,
        extra="ignore",
        env_ignore_empty=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over `.env`, and that over gateway.toml."""
        toml = TomlConfigSettingsSource(settings_cls, TOML)
        return (init_settings, env_settings, dotenv_settings, toml, file_secret_settings)

    @field_validator("*", mode="before")
    @classmethod
    def _without_ends(cls, value: object, info: ValidationInfo) -> object:
        """Without the line break that a file or a secret ends with; a password may end with a space."""
        if not isinstance(value, str):
            return value
        return value.rstrip("\r\n") if info.field_name in PASSWORDS else value.strip()

    @field_validator("*")
    @classmethod
    def _no_longer_than_ever(cls, value: object, info: ValidationInfo) -> object:
        """A time that no clock can hold would fail later, in the midst of a write."""
        unit = (info.field_name or "").rpartition("_")[2]
        if isinstance(value, float) and value > LONGEST.get(unit, value):
            raise ValueError(f"Input should be at most {LONGEST[unit]:,} {unit}")
        return value

    @model_validator(mode="wrap")
    @classmethod
    def _all_at_once(cls, values: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        """What is missing is told together with what is wrong."""
        try:
            settings = read(values)
        except ValidationError as error:
            told = [_again(item) for item in error.errors(include_input=False, include_url=False)]
            raise ValidationError.from_exception_data(
                error.title, told + cls._gaps(values)
            ) from None
        if gaps := cls._gaps(vars(settings)):
            raise ValidationError.from_exception_data(cls.__name__, gaps)
        return settings

    @classmethod
    def _gaps(cls, values: Mapping[str, Any]) -> list[InitErrorDetails]:
        """What is missing of a backend, or of JWTs, that are configured in part; times that do not fit."""
        given = {name: field.default for name, field in cls.model_fields.items()} | {
            name: value.strip() if isinstance(value, str) else value
            for name, value in values.items()
        }
        backends = [gap for backend in Backend if (gap := _backend_gap(backend, given))]
        return [_problem(gap) for gap in (*backends, jwt_gap(given), _cut_off(given)) if gap]


def _cut_off(given: Mapping[str, Any]) -> str | None:
    """Why a write would be ended before it can tell what it did."""
    names = ("operation_timeout_seconds", "request_timeout_seconds")
    try:
        longest, request = (float(given[name]) for name in names)
    except (TypeError, ValueError):
        return None  # which is told by itself
    if not longest <= request:
        return None
    return (
        f"{variable(names[0])} is {longest:g}, and must be more than {variable(names[1])}, which is "
        f"{request:g}: a write would be cut off before it can tell what it did."
    )


def _backend_gap(backend: Backend, given: Mapping[str, Any]) -> str | None:
    sets = BACKEND_SETTINGS[backend]
    missing = [[name for name in names if not given[name]] for names in sets]
    started = any(len(gap) < len(names) for gap, names in zip(missing, sets, strict=True))
    if not started or not all(missing):
        return None
    needed = min(missing, key=len)
    return f"{title(backend)} is configured in part: set {' and '.join(map(variable, needed))} too."


def _problem(text: str, loc: tuple[int | str, ...] = ()) -> InitErrorDetails:
    kind = PydanticCustomError("setting", "{text}", {"text": text})
    return InitErrorDetails(type=kind, loc=loc, input=None)  # a value may be a secret


def _again(item: ErrorDetails) -> InitErrorDetails:
    return _problem(item["msg"], item["loc"])


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def load_settings() -> Settings:
    """The settings as they are now; raises SettingsError with every problem."""
    try:
        unknown = _unknown_names()
        settings = Settings()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"gateway.toml or .env cannot be read: {error}"]) from None
    except ValidationError as error:
        problems: list[str] = []
        for item in error.errors(include_input=False, include_url=False):
            text = item["msg"].removeprefix("Value error, ")
            name = variable(str(item["loc"][0])) + ": " if item["loc"] else ""
            problems += [name + line for line in text.splitlines()]
        raise SettingsError([*unknown, *problems]) from None
    if unknown:
        raise SettingsError(unknown)
    return settings


def _unknown_names() -> list[str]:
    """What stands in the two files and is no setting; the environment is others' as well."""
    known = Settings.model_fields
    toml = TomlConfigSettingsSource(Settings, TOML).toml_data
    told = [f"{TOML}: {name} is no setting{_hint(name, str)}" for name in toml if name not in known]
    for name in map(str.upper, DotEnvSettingsSource(Settings, ENV).env_vars):
        own = name.removeprefix(PREFIX).lower()
        if name.startswith(PREFIX) and own not in known and name not in OF_CLIENTS:
            told.append(f"{ENV}: {name} is no setting{_hint(name, variable)}")
    return told


def _hint(name: str, spelled: Callable[[str], str]) -> str:
    own = name.upper().removeprefix(PREFIX).lower()
    close = get_close_matches(own, Settings.model_fields, n=1, cutoff=0.8)
    return f": did you mean {spelled(close[0])}?" if close else "."
