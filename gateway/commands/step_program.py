"""The options of `gateway steps`; `steps.py` does the work."""

from __future__ import annotations

from typing import Annotated

import typer

steps = typer.Typer(no_args_is_help=True, help="Stored writes that wait for a person's decision.")


@steps.command("list")
def list_steps() -> None:
    """Show the stored writes that wait for a person, oldest last."""
    import asyncio

    from gateway.commands.steps import list_stuck
    from gateway.settings import load_settings

    for line in asyncio.run(list_stuck(load_settings())):
        typer.echo(line)


@steps.command("resolve")
def resolve_step(
    step_id: Annotated[str, typer.Argument(help="The step's id, as the list shows it.")],
    resolution: Annotated[
        str,
        typer.Argument(
            metavar="AS",
            help="WRITTEN: it is in the backend. NOT_WRITTEN: it is not; try again. RETRY: try again. "
            "GIVE_UP: stop trying.",
        ),
    ],
    record_id: Annotated[
        str | None, typer.Option(help="The backend's id of the record, for WRITTEN.")
    ] = None,
) -> None:
    """Say what is to become of a step, like the mutation resolveStep; exit code 1 when that fails."""
    import asyncio

    from gateway.commands.steps import resolve
    from gateway.logs import configure_logs
    from gateway.settings import load_settings
    from gateway.telemetry.redaction import secrets_in

    settings = load_settings()
    configure_logs(secrets_in(settings))
    done, told = asyncio.run(resolve(settings, step_id, resolution, record_id))
    typer.echo(told, err=not done)
    if not done:
        raise typer.Exit(1)
