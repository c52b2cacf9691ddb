"""Temporal's development server as an embedded server: its command line and when it is ready.

Its search attributes are registered when it starts: one added later needs a restart of the stack.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from workers.embedded import binaries, ports
from workers.embedded.keeper import Program, Step

USUAL_PORT = 7233
USUAL_UI_PORT = 8233
ANNOUNCES = b"Temporal Server:"  # printed once the namespace and the search attributes are there

# Values are JSON.  Measured in PLATFORM.md's stress runs.
SETTINGS = {
    "history.maxInFlightUpdates": "100",
    "matching.enableFairness": "true",
    "limit.historyCount.suggestContinueAsNew": "1000",
}
TIME_SKIPPING = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "history.timerProcessorMaxTimeShift": '"1ms"',
}


class Temporal:
    """One development server with its state in a file below a data directory."""

    def __init__(
        self,
        *,
        ephemeral: bool,
        codec_endpoint: str | None,
        search_attributes: Mapping[str, str],
        time_skipping: bool,
    ) -> None:
        self.port = 0
        self.ui_port = 0
        self._data_dir = Path()
        self._ephemeral = ephemeral
        self._codec_endpoint = codec_endpoint
        self._search_attributes = search_attributes
        self._settings = SETTINGS | (TIME_SKIPPING if time_skipping else {})

    @property
    def address(self) -> str:
        """This will be what a client connects to."""
        return f"{ports.LOOPBACK}:{self.port}"

    @property
    def ui_url(self) -> str:
        """This will be where Temporal's own pages are."""
        return f"http://{ports.LOOPBACK}:{self.ui_port}"

    @property
    def log(self) -> Path:
        """This will be the server's log file."""
        return self._data_dir / "logs" / "temporal.log"

    @property
    def home(self) -> Path:
        """This will be the directory that holds the server's database."""
        return self._data_dir / "temporal"

    def find_binary(self) -> None:
        """This will raise EmbeddedError where Temporal's CLI is not installed."""
        binaries.temporal()

    def prepare(self, data_dir: Path) -> None:
        """This will make the server's directory."""
        self._data_dir = data_dir
        self.home.mkdir(mode=0o700, exist_ok=True)

    def choose_ports(self, *, usual: bool) -> None:
        """This will take free ports, if *usual* rather those that people know."""
        self.port = ports.usual_or_free(USUAL_PORT if usual else None)
        self.ui_port = ports.usual_or_free(USUAL_UI_PORT if usual else None)

    def lost_its_port(self) -> bool:
        """This will say whether the server ended because another was faster."""
        # A port taken between its own probe and its start makes it panic, without a word about the port.
        return self.log.exists() and any(sign in self.log.read_bytes() for sign in (b"in use", b"panic:"))

    def passes_by_itself(self) -> bool:
        """This will say whether the server ended because it lost a port of those it chooses anew each time.

        Behind the ports that we name are a handful of others, found free and bound a moment later.
        """
        return self.log.exists() and b"panic:" in self.log.read_bytes()

    def program(self) -> Program:
        """This will describe the server."""
        argv = [str(binaries.temporal()), "server", "start-dev", "--ip", ports.LOOPBACK]
        argv += ["--port", str(self.port), "--ui-port", str(self.ui_port), "--ui-disable-news-fetch"]
        # Relative to its directory: the name becomes part of an SQLite URI, where a ? would end it.
        argv += ["--db-filename", "temporal.db"]
        if self._ephemeral:
            argv += ["--sqlite-pragma", "synchronous=OFF"]
        if self._codec_endpoint is not None:
            argv += ["--ui-codec-endpoint", self._codec_endpoint]
        for name, kind in self._search_attributes.items():
            argv += ["--search-attribute", f"{name}={kind}"]
        for key, value in self._settings.items():
            argv += ["--dynamic-config-value", f"{key}={value}"]
        return Program(
            name="temporal",
            # It takes a second to end when asked, which a state that nobody reads again does not deserve.
            steps=[Step(argv, str(self.log), stop="SIGKILL" if self._ephemeral else "SIGINT")],
            # An empty home: the user's profiles are for the CLI as a client, not for our server.
            env={"HOME": str(self.home), "PATH": "/usr/bin:/bin"},
            cwd=str(self.home),
        )

    async def ready(self) -> None:
        """This will return once the server says that it serves."""
        while ANNOUNCES not in self.log.read_bytes():  # noqa: ASYNC110 (a file, written by another process)
            await asyncio.sleep(0.02)
