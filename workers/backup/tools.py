"""pg_dump and pg_restore of the embedded PostgreSQL, as processes that speak through a pipe.

The password goes by the environment, which only we can read, never by the command line.
"""

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from urllib.parse import unquote, urlsplit

from workers.backup.archive import CHUNK
from workers.backup.errors import BackupError
from workers.embedded import binaries
from workers.embedded.keeper import describe_exit


async def dump(database_url: str, snapshot: str) -> AsyncGenerator[bytes, None]:
    """This will yield a dump in the custom format, of the database as an exported *snapshot* sees it.

    Close it where you leave it early: the program ends with it.

    :raises BackupError: pg_dump gave up.
    """
    options = ("--format=custom", f"--snapshot={snapshot}", "--no-password")
    async with _tool("pg_dump", database_url, *options) as process:
        assert process.stdout is not None
        while chunk := await process.stdout.read(CHUNK):
            yield chunk


async def restore(database_url: str, chunks: Iterable[bytes]) -> None:
    """This will put a dump into an empty database, all of it or nothing.

    :raises BackupError: pg_restore gave up.
    """
    options = ("--exit-on-error", "--single-transaction", "--no-password", "--dbname")
    async with _tool("pg_restore", database_url, *options, urlsplit(database_url).path[1:]) as process:
        assert process.stdin is not None
        # Where it has gone already, its own words say why.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for chunk in chunks:
                process.stdin.write(chunk)
                await process.stdin.drain()
            process.stdin.close()
            await process.stdin.wait_closed()


@asynccontextmanager
async def _tool(name: str, database_url: str, *options: str) -> AsyncIterator[Process]:
    """Run a program to its end; it ends with us, and what it complained of is raised."""
    process = await asyncio.create_subprocess_exec(
        str(binaries.postgres_tool(name)),
        *options,
        env=_environment(database_url),
        stdin=PIPE if name == "pg_restore" else DEVNULL,
        stdout=PIPE if name == "pg_dump" else DEVNULL,
        stderr=PIPE,
        cwd="/",
        start_new_session=True,
    )
    assert process.stderr is not None
    complaints = asyncio.ensure_future(process.stderr.read())
    try:
        yield process
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        said = await complaints
    if code != 0:
        raise BackupError(f"{name} {describe_exit(code)}{_first_complaint(said)}; nothing was changed")


def _first_complaint(said: bytes) -> str:
    # The lines after it may quote rows.
    lines = [line for line in said.decode(errors="replace").splitlines() if "error:" in line]
    return f" ({lines[0].partition('error:')[2].strip()[:200]})" if lines else ""


def _environment(database_url: str) -> dict[str, str]:
    # Nothing of ours: libpq's variables, and a locale that is not installed, must not matter.
    at = urlsplit(database_url)
    return {
        "PGHOST": at.hostname or "",
        "PGPORT": str(at.port),
        "PGUSER": unquote(at.username or ""),
        "PGPASSWORD": unquote(at.password or ""),
        "PGDATABASE": at.path[1:],
        "PGSSLMODE": "disable",
        "LC_ALL": "C",
        "PATH": "/usr/bin:/bin",
    }
