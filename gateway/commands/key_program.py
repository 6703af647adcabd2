"""The options of `gateway keys`; `keys.py` does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

KeyFile = Annotated[
    Path | None,
    typer.Option(
        help="Write the key to this file, which only its owner can read, instead of showing it."
    ),
]

keys = typer.Typer(no_args_is_help=True, help="API keys of the gateway's own callers.")


@keys.command("create")
def create_key(
    name: Annotated[
        str, typer.Argument(help="The caller's name; one caller may have several keys.")
    ],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="What the key may do, separated by commas: contacts:read, contacts:write, leads:read, "
            "leads:write, admin (everything). At least one is needed."
        ),
    ] = None,
    days: Annotated[float | None, typer.Option(help="Days after which it expires.")] = None,
    file: KeyFile = None,
    if_missing: Annotated[
        bool,
        typer.Option(
            "--if-missing",
            help="Do nothing when there is a working key of that name with these scopes already; with "
            "--file: when that file holds one.",
        ),
    ] = False,
) -> None:
    """Make a key and show it, this once. Only the key goes to standard output, messages to standard error."""
    import asyncio

    from gateway.commands.keys import create_key, wanted_key
    from gateway.settings import load_settings

    wanted = wanted_key(name, scope or [], days=days, file=file, if_missing=if_missing)
    made = asyncio.run(create_key(load_settings(), wanted))
    for line in made.told:
        typer.echo(line, err=True)
    if made.key is not None:
        typer.echo(made.key)


@keys.command("list")
def list_keys() -> None:
    """Show every key, with what it may do and when it was last used."""
    import asyncio

    from gateway.commands.keys import list_keys
    from gateway.settings import load_settings

    for line in asyncio.run(list_keys(load_settings())):
        typer.echo(line)


@keys.command("revoke")
def revoke_key(
    key: Annotated[str, typer.Argument(help="The key's id, or the name of a caller with one key.")],
) -> None:
    """End a key; exit code 1 when there is none to end."""
    import asyncio

    from gateway.commands.keys import revoke_key
    from gateway.settings import load_settings

    done, told = asyncio.run(revoke_key(load_settings(), key))
    typer.echo(told, err=not done)
    if not done:
        raise typer.Exit(1)
