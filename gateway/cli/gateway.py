"""``rapport gateway``: the HTTP door, in the foreground, beside a stack that runs.

``rapport up`` starts it so as well, on a leash: it ends when its standard input does.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import options as o
from workers import garbage

if TYPE_CHECKING:
    from temporalio.envconfig import ClientConnectConfig

    from workers.settings import Settings


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("gateway", rich_help_panel="Running")(gateway)


def gateway(
    host: Annotated[
        str | None, typer.Option(help="The address to listen at; RAPPORT_GATEWAY_HOST if not given.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="RAPPORT_GATEWAY_PORT if it is free, else any, if not given."),
    ] = None,
    leash: Annotated[
        bool, typer.Option("--leash", hidden=True, help="End when standard input does.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option("--data", "--data-dir", help="Directory of the running stack.")
    ] = None,
    as_json: o.Json = False,
) -> None:
    """Serve the HTTP API in the foreground.  Ctrl-C stops it, after what is under way."""
    from gateway.cli.connect import addresses, no_stack, settings_of
    from gateway.cli.errors import Wrong
    from gateway.http.serving import run
    from workers.logs import configure_logging

    settings = settings_of(data)
    configure_logging(settings.log_level, settings.log_format)
    where = addresses(settings)
    if where.database_url is None or where.temporal is None:
        raise Wrong(no_stack(settings))
    fallen = run(
        _serve(
            settings, where.database_url, where.temporal, where.smtp, host, port, leash=leash, as_json=as_json
        )
    )
    if fallen is not None:
        raise Wrong(fallen)


async def _serve(
    settings: "Settings",
    database_url: str,
    temporal: "ClientConnectConfig",
    smtp: tuple[str, int] | None,
    host: str | None,
    port: int | None,
    *,
    leash: bool,
    as_json: bool,
) -> str | None:
    import asyncio

    from gateway.cli.output import emit, line
    from gateway.http.app import make_app
    from gateway.http.doors import opened
    from gateway.http.serving import listen, serve, until_orphaned, url_of
    from workers.worker import stop_on_signals

    stopping = asyncio.Event()
    stop_on_signals(stopping)
    listening = listen(host or settings.gateway_host, port, settings.gateway_port)
    url = url_of(listening)

    def begun() -> None:
        garbage.once_started()
        if as_json:
            emit({"url": url})
        else:
            line(f"the HTTP API is at {url}; Ctrl-C stops it")

    leashed = asyncio.ensure_future(until_orphaned(stopping)) if leash else None
    try:
        async with opened(settings, database_url, temporal, smtp=smtp) as doors:
            assert doors.streams is not None
            return await serve(
                make_app(doors),
                listening,
                stopping,
                begun,
                doors.streams.close,
                trusted_proxies=settings.trusted_proxies,
            )
    finally:
        listening.close()
        if leashed is not None:
            leashed.cancel()
