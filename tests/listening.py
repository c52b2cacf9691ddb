"""A port for a server that a test runs itself."""

import socket


def listening_socket() -> socket.socket:
    """This will listen on a free port of loopback.

    Its protocol is named: only then does asyncio send small answers at once; else each waits for 40 ms.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(64)
    return listening
