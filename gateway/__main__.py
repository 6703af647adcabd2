"""The `gateway` program."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.key_program import keys
from gateway.commands.step_program import steps

if TYPE_CHECKING:
    from starlette.applications import Starlette

cli = typer.Typer(no_args_is_help=True, add_completion=False)

Host = Annotated[str, typer.Option(help="Address to serve on.")]
Version = Annotated[bool, typer.Option("--version", help="Say which version it is.")]
Port = Annotated[int, typer.Option(help="Port to serve on.", min=1, max=65535)]

COLLECT_AFTER = 100_000, 20, 50
"""New objects after which Python looks for garbage. Loading makes hundreds of thousands that stay; to
look through them at every 700th, as it would by itself, took a seventh of the time to start."""

CREDENTIALS = """\
  iVvy        key sandbox-key, secret sandbox-secret, at {address}/ivvy
  Everbridge  organization 1000000000000001, user sandbox, password sandbox,
              at {address}/everbridge/rest
  SendGrid    key SG.sandbox.key, at {address}/sendgrid
  Calls       {address}/_sandbox/calls shows what each of them received
"""


@cli.callback(invoke_without_command=True)
def program(version: Version = False) -> None:
    """One GraphQL API in front of iVvy, Everbridge and SendGrid contacts."""
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"contact-gateway {version_of('contact-gateway')}")
        raise typer.Exit


@cli.command()
def dev(port: Port = 8000) -> None:
    """Run the gateway with three simulated backends and seed data, on this machine only.

    Data are forgotten at the end, unless GATEWAY_DATABASE_URL names a database. No other setting counts.
    """
    from gateway.dev import create_dev_app
    from gateway.logs import configure_logs

    address = f"http://127.0.0.1:{port}"
    typer.echo(
        f"Gateway with its sandbox on {address} (GraphiQL there, GraphQL at /graphql, status page at /status)"
    )
    typer.echo(CREDENTIALS.format(address=address))
    configure_logs(texts=True)  # nobody's data
    _run(create_dev_app(port), "127.0.0.1", port)


@cli.command()
def sandbox(port: Port = 8100, host: Host = "127.0.0.1") -> None:
    """Run the simulated backends alone."""
    from gateway.dev import create_sandbox_app
    from gateway.logs import configure_logs

    address = f"http://{host}:{port}"
    typer.echo(f"Sandbox on {address}")
    typer.echo(CREDENTIALS.format(address=address))
    configure_logs(texts=True)
    _run(create_sandbox_app(), host, port)


@cli.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[
        int, typer.Option(help="Processes that serve; above 1 they need PostgreSQL.", min=1)
    ] = 1,
    listening: Annotated[int | None, typer.Option(hidden=True)] = None,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the gateway on the configured backends."""
    import asyncio

    from gateway.api.hosts import is_loopback
    from gateway.commands.keys import closed
    from gateway.logs import configure_logs
    from gateway.serving.workers import check_workers, end_with_parent, run_workers
    from gateway.settings import load_settings
    from gateway.telemetry.opening import line_additions
    from gateway.telemetry.redaction import secrets_in

    settings = load_settings()
    check_workers(workers, settings.database_url)
    configure_logs(secrets_in(settings), more=line_additions(settings.otlp_endpoint))
    if not is_loopback(host):
        settings = asyncio.run(closed(settings, host))
    if workers > 1:
        raise typer.Exit(run_workers(workers, host, port))
    from gateway.app import create_app

    if parent is not None:
        end_with_parent(parent)
    _run(create_app(settings), host, port, settings.shutdown_seconds, listening)


@cli.command()
def check() -> None:
    """Ask each configured backend whether address and credentials work; exit code 1 if one does not."""
    import asyncio

    from gateway.commands.check import check as checked
    from gateway.commands.check import passed, told
    from gateway.logs import configure_logs
    from gateway.settings import load_settings
    from gateway.telemetry.redaction import secrets_in

    settings = load_settings()
    # To standard error: the report stands alone on standard output.
    configure_logs(secrets_in(settings))
    reports = asyncio.run(checked(settings))
    typer.echo(told(reports))
    if not passed(reports):
        raise typer.Exit(1)


@cli.command()
def schema() -> None:
    """Print the GraphQL schema in SDL."""
    from gateway.api.schema import schema as graphql_schema

    typer.echo(graphql_schema.as_str())


Targets = Annotated[
    list[str] | None,
    typer.Option(
        help="Backends to write to, separated by commas, such as IVVY,SENDGRID; default: all configured."
    ),
]
NullCell = Annotated[
    str,
    typer.Option(help="A CSV cell with this word clears its field; an empty cell leaves it alone."),
]
RejectedRows = Annotated[
    Path | None,
    typer.Option(
        help="File for rejected rows and their reasons; default: beside FILE, people.rejected.csv for people.csv."
    ),
]
GatewayUrl = Annotated[
    str | None,
    typer.Option(
        help="Address of a running gateway, such as http://127.0.0.1:8000. Without it this command "
        "writes to the backends itself, with the settings found here."
    ),
]
GatewayKey = Annotated[
    str | None,
    typer.Option(envvar="GATEWAY_KEY", help="API key or token for the gateway at --url."),
]


@cli.command("import")
def import_contacts(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="CSV whose first line names fields of ContactInput, or JSON Lines (.jsonl) of contacts.",
        ),
    ],
    target: Targets = None,
    mode: Annotated[
        str, typer.Option(help="PATCH keeps what a row leaves out, REPLACE clears it.")
    ] = "PATCH",
    if_missing: Annotated[
        str, typer.Option(help="What to do in a backend without the contact: CREATE or SKIP.")
    ] = "CREATE",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check every row and write nothing.")
    ] = False,
    null: NullCell = "null",
    rejected: RejectedRows = None,
    url: GatewayUrl = None,
    key: GatewayKey = None,
) -> None:
    """Create or update the contacts of a file, with a summary and a file of the rejected rows.

    All rows are checked first. To go on after an interruption, start the same command again.

    Exit code: 0 when every row went well, 1 when some did not, 2 when the import could not run.
    """
    import logging

    from gateway.importing.command import import_file, wanted_of
    from gateway.importing.rows import ImportRefusedError
    from gateway.importing.run import Order
    from gateway.logs import configure_logs
    from gateway.settings import load_settings

    configure_logs(level=logging.WARNING)
    try:
        order = Order(
            path=file,
            wanted=wanted_of(target or [], mode, if_missing),
            dry=dry_run,
            null=null,
            rejected_to=rejected,
            url=url,
            key=key,
        )
        code, lines = import_file(order, None if url else load_settings())
    except ImportRefusedError as error:
        for problem in error.problems:
            typer.echo(f"gateway: {problem}", err=True)
        raise typer.Exit(2) from None
    for line in lines:
        typer.echo(line)
    raise typer.Exit(code)


cli.add_typer(keys, name="keys")
cli.add_typer(steps, name="steps")


def _run(
    app: Starlette, host: str, port: int, seconds: float = 5.0, listening: int | None = None
) -> None:
    from gateway.serving.server import serve

    serve(app, host, port, seconds=seconds, listening=listening)


def main() -> None:
    """Run the program; what keeps it from starting is told in plain words."""
    gc.set_threshold(*COLLECT_AFTER)
    from gateway.errors import SettingsError

    try:
        cli()
    except SettingsError as error:
        for problem in error.problems:
            typer.echo(f"gateway: {problem}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
