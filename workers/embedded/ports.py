"""Ports on loopback: the usual one where it is free, else any free one.

A port found free can be taken before the server binds it: whoever starts a server tries again.
"""

import socket

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """This will say whether nobody listens on *port* of the loopback address just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # A server's old connections in TIME_WAIT do not stop it, so they must not stop the probe.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def any_free() -> int:
    """This will return a port that the system holds to be free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def usual_or_free(usual: int | None) -> int:
    """This will return the *usual* port if it is free, else another; None asks for any."""
    return usual if usual is not None and is_free(usual) else any_free()


def answers(port: int, timeout: float = 0.5) -> bool:
    """This will say whether something accepts connections on *port* of the loopback address."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout):
            return True
    except OSError:
        return False
