"""The `gateway` program as a whole."""

from __future__ import annotations

from importlib.metadata import version

from typer.testing import CliRunner

from gateway.__main__ import cli


def test_the_program_says_which_version_it_is() -> None:
    done = CliRunner().invoke(cli, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"contact-gateway {version('contact-gateway')}\n")


def test_the_program_without_a_command_shows_those_that_there_are() -> None:
    done = CliRunner().invoke(cli, [])
    assert "serve" in done.output
    assert "import" in done.output
