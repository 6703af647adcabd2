"""The `gateway` program."""

from __future__ import annotations

import ipaddress
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.errors import SettingsError

if TYPE_CHECKING:
    from starlette.applications import Starlette

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="One GraphQL API in front of iVvy, Everbridge and SendGrid contacts.",
)

Host = Annotated[str, typer.Option(help="Address to serve on.")]
Port = Annotated[int, typer.Option(help="Port to serve on.", min=1, max=65535)]

CREDENTIALS = """\
  iVvy        key sandbox-key, secret sandbox-secret, at {address}/ivvy
  Everbridge  organization 1000000000000001, user sandbox, password sandbox,
              at {address}/everbridge/rest
  SendGrid    key SG.sandbox.key, at {address}/sendgrid
  Calls       {address}/_sandbox/calls shows what each of them received
"""


@cli.command()
def dev(port: Port = 8000) -> None:
    """Run the gateway with three simulated backends and seed data, on this machine only."""
    from gateway.dev import create_dev_app

    address = f"http://127.0.0.1:{port}"
    typer.echo(f"Gateway with its sandbox on {address} (GraphiQL there, GraphQL at /graphql)")
    typer.echo(CREDENTIALS.format(address=address))
    _run(create_dev_app(port), "127.0.0.1", port)


@cli.command()
def sandbox(port: Port = 8100, host: Host = "127.0.0.1") -> None:
    """Run the simulated backends alone."""
    from gateway.dev import create_sandbox_app

    address = f"http://{host}:{port}"
    typer.echo(f"Sandbox on {address}")
    typer.echo(CREDENTIALS.format(address=address))
    _run(create_sandbox_app(), host, port)


@cli.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Run the gateway on the configured backends."""
    from gateway.app import create_app
    from gateway.settings import load_settings

    settings = load_settings()
    if settings.auth == "auto" and not _is_loopback(host):
        problem = (
            f"Serving on {host} would let in every caller of that network: serve on 127.0.0.1 "
            "behind a proxy that checks callers, or set GATEWAY_AUTH=none if that is meant."
        )
        raise SettingsError([problem])
    _run(create_app(settings), host, port, settings.shutdown_seconds)


@cli.command()
def check() -> None:
    """Ask each configured backend whether address and credentials work; exit code 1 if one does not."""
    import asyncio

    from gateway.check import check as checked
    from gateway.check import passed, told
    from gateway.logs import configure_logs
    from gateway.settings import load_settings

    configure_logs()  # to standard error: the report stands alone on standard output
    reports = asyncio.run(checked(load_settings()))
    typer.echo(told(reports))
    if not passed(reports):
        raise typer.Exit(1)


@cli.command()
def schema() -> None:
    """Print the GraphQL schema in SDL."""
    from gateway.api.schema import schema as graphql_schema

    typer.echo(graphql_schema.as_str())


steps = typer.Typer(no_args_is_help=True, help="Durable steps that wait for a person.")
cli.add_typer(steps, name="steps")


@steps.command("list")
def list_steps() -> None:
    """Show the steps that wait for a person, oldest operation last."""
    import asyncio

    from gateway.settings import load_settings
    from gateway.steps import list_stuck

    for line in asyncio.run(list_stuck(load_settings())):
        typer.echo(line)


@steps.command("resolve")
def resolve_step(
    step_id: Annotated[str, typer.Argument(help="The step's id, as the list shows it.")],
    resolution: Annotated[
        str, typer.Argument(metavar="AS", help="RETRY, GIVE_UP, WRITTEN or NOT_WRITTEN.")
    ],
    record_id: Annotated[
        str | None, typer.Option(help="The backend's id of the record, for WRITTEN.")
    ] = None,
) -> None:
    """Settle a step, as the mutation resolveStep does; exit code 1 when it cannot be."""
    import asyncio

    from gateway.settings import load_settings
    from gateway.steps import resolve

    done, told = asyncio.run(resolve(load_settings(), step_id, resolution, record_id))
    typer.echo(told, err=not done)
    if not done:
        raise typer.Exit(1)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _run(app: Starlette, host: str, port: int, seconds: float = 5.0) -> None:
    from gateway.logs import configure_logs
    from gateway.serving import serve

    configure_logs()
    serve(app, host, port, seconds=seconds)


def main() -> None:
    """Run the program; what keeps it from starting is told in plain words."""
    try:
        cli()
    except SettingsError as error:
        for problem in error.problems:
            typer.echo(f"gateway: {problem}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
