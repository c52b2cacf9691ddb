"""Commands that run things: up, worker, migrate.

They stay in the foreground and end on SIGINT and SIGTERM, and nothing that they started outlives them.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import options as o
from workers import garbage

if TYPE_CHECKING:
    from workers.settings import Settings
    from workers.up import Up

StackData = Annotated[
    Path | None,
    typer.Option("--data", "--data-dir", help="Where everything is kept; RAPPORT_DATA_DIR if not given."),
]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("up", rich_help_panel="Running")(up)
    app.command("worker", rich_help_panel="Running")(worker)
    app.command("migrate", rich_help_panel="Running")(migrate)


def up(
    gateway: Annotated[
        bool, typer.Option("--gateway/--no-gateway", help="Whether the HTTP API is served as well.")
    ] = True,
    data: StackData = None,
    as_json: o.Json = False,
) -> None:
    """Run everything in the foreground: servers, workers, HTTP gateway, codec server, mail sink.

    Ctrl-C stops it all.
    """
    settings = _settings(data)
    from workers import up as stack

    async def work() -> str:
        async with stack.up(settings, gateway=gateway) as running:
            garbage.once_started()
            _announce(running, as_json=as_json)
            return await running.fell()

    _foreground(work())


def worker(data: StackData = None) -> None:
    """Run a worker beside a stack that runs already, in the foreground."""
    settings = _settings(data)
    from gateway.cli.connect import addresses, no_stack
    from gateway.cli.errors import Wrong
    from gateway.cli.output import line
    from workers.serving import serving

    where = addresses(settings)
    database_url, temporal = where.database_url, where.temporal
    if database_url is None or temporal is None:
        raise Wrong(no_stack(settings))

    async def work() -> str:
        async with serving(settings, database_url, temporal, smtp=where.smtp) as at_work:
            garbage.once_started()
            line("the worker is at work; Ctrl-C stops it")
            return await at_work.failed

    _foreground(work())


def migrate(data: o.Data = None, as_json: o.Json = False) -> None:
    """Bring the database to the level that this version needs."""
    import asyncio

    from events.log.migrate import migrate as bring
    from gateway.cli import output
    from gateway.cli.connect import addresses, no_stack, settings_of
    from gateway.cli.errors import Wrong

    settings = settings_of(data)
    where = addresses(settings)
    if where.database_url is None:
        raise Wrong(no_stack(settings))
    applied = asyncio.run(bring(where.database_url))
    if as_json:
        output.emit({"applied": applied})
    else:
        output.block("\n".join(applied) if applied else "the database is at the level that is needed")


def _settings(data: Path | None) -> "Settings":
    from gateway.cli.connect import settings_of
    from workers.logs import configure_logging

    settings = settings_of(data)
    configure_logging(settings.log_level, settings.log_format)
    return settings


def _foreground(work: Any) -> None:
    import asyncio

    from gateway.cli.errors import Wrong
    from workers.up import in_foreground

    fallen: str | None = asyncio.run(in_foreground(work))
    if fallen is not None:
        raise Wrong(fallen)


def _announce(running: "Up", *, as_json: bool) -> None:
    from gateway.cli.output import emit, line

    servers = running.servers
    where = {
        "data_dir": str(servers.data_dir),
        "postgres_port": servers.embedded.postgres_port
        if servers.file.database_url and servers.embedded
        else None,
        "temporal_address": servers.temporal.get("target_host"),
        "temporal_ui_url": servers.file.temporal_ui_url,
        "codec_endpoint": servers.codec.endpoint,
        "http_url": running.gateway.url if running.gateway is not None else None,
        "smtp": f"{servers.smtp[0]}:{servers.smtp[1]}" if servers.smtp is not None else None,
    }
    if as_json:
        emit(where)
        return
    line("Rapport is up; Ctrl-C stops it.", style="bold green")
    line(f"  data             {where['data_dir']}")
    if where["postgres_port"]:
        line(f"  PostgreSQL       127.0.0.1:{where['postgres_port']}")
    line(f"  Temporal         {where['temporal_address']}")
    if where["temporal_ui_url"]:
        line(f"  Temporal's pages {where['temporal_ui_url']}")
    if where["http_url"]:
        line(f"  HTTP API         {where['http_url']}, described at {where['http_url']}/openapi.json")
    if where["smtp"]:
        line(f"  mail sink        {where['smtp']}, keeps what it gets in {servers.data_dir}/mail")
    line("So that the temporal command reads and writes what is encrypted:")
    line(f"  temporal env set --env rapport --key address --value {where['temporal_address']}")
    line(f"  temporal env set --env rapport --key codec-endpoint --value {where['codec_endpoint']}")
    line("  temporal --env rapport workflow list")
    line("In another terminal: rapport agency load FILE --agency NAME; then open, do, list, show, waiting.")
