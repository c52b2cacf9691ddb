"""Where no webhook goes, however it is dressed up."""

import socket
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from workers.delivering.addresses import (
    AddressRefused,
    GuardedBackend,
    Rules,
    check_receiver,
    checked_url,
    is_public,
)
from workers.delivering.sending import Sender

if TYPE_CHECKING:
    from tests.workers.delivering.conftest import Receive

NOW = datetime.now(UTC)
PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "100::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


def answering(*answers: list[str]) -> "Names":
    """Make a name service that gives each answer in turn, the last one for ever."""
    return Names(list(answers))


class Names:
    """A name service under somebody else's control."""

    def __init__(self, answers: list[list[str]]) -> None:
        self.answers, self.asked = answers, 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Connected(httpcore.AsyncNetworkBackend):
    """Remembers which addresses were connected to."""

    def __init__(self) -> None:
        self.to: list[str] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.to.append(host)
        if host.endswith(".9"):
            raise httpcore.ConnectError("nobody there")
        return httpcore.AsyncMockStream([])


class TestIsPublic:
    @pytest.mark.parametrize("address", PRIVATE)
    def test_refuses(self, address: str) -> None:
        assert not is_public(address)

    @pytest.mark.parametrize("address", PUBLIC)
    def test_lets_through(self, address: str) -> None:
        assert is_public(address)


class TestCheckedUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "ftp://example.org/",
            "http://example.org/",
            "https:///hooks",
            "https://",
            "example.org",
            "https://me:words@example.org/",
            "https://me@example.org/",
            "https://example.org/#part",
            "https://example.org:0/",
            "https://example.org:99999/",
            "https://exa mple.org/",
            "https://example.org/\r\nX: y",
            "https://exämple.org/",
            "https://[::1/",
            "https://example.org/" + "a" * 2000,
            "file:///etc/passwd",
        ],
    )
    def test_refuses_in_one_sentence_without_the_url(self, url: str) -> None:
        with pytest.raises(AddressRefused) as refused:
            checked_url(url, Rules())
        assert "\n" not in str(refused.value)
        assert "words" not in str(refused.value)

    def test_takes_https(self) -> None:
        assert checked_url("https://example.org:8443/hooks?x=1", Rules())

    def test_takes_http_where_the_settings_say_so(self) -> None:
        assert checked_url("http://example.org/hooks", Rules(allow_http=True))


class TestCheckReceiver:
    @pytest.mark.parametrize(
        "host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost", "[::1]", "[::ffff:7f00:1]"]
    )
    async def test_sees_through_every_spelling_of_loopback(self, host: str) -> None:
        """By the system's own resolver, which reads them all."""
        with pytest.raises(AddressRefused):
            await check_receiver(f"https://{host}/", Rules())

    async def test_refuses_a_host_with_one_private_address_among_others(self) -> None:
        with pytest.raises(AddressRefused, match="not public"):
            await check_receiver("https://example.org/", Rules(), answering(["8.8.8.8", "10.0.0.1"]))

    async def test_refuses_a_host_without_an_address(self) -> None:
        with pytest.raises(AddressRefused, match="no address"):
            await check_receiver("https://example.org/", Rules(), answering([]))

    async def test_takes_a_private_one_where_the_settings_say_so(self) -> None:
        await check_receiver("https://example.org/", Rules(allow_private=True), answering(["10.0.0.1"]))


class TestGuardedBackend:
    async def test_connects_to_the_address_that_it_checked(self) -> None:
        """A name that answers differently the second time is asked just once."""
        names, connected = answering(["8.8.8.8"], ["127.0.0.1"]), Connected()
        await GuardedBackend(Rules(), names, connected).connect_tcp("example.org", 443)
        assert (connected.to, names.asked) == (["8.8.8.8"], 1)

    async def test_connects_to_nothing_once_the_name_has_moved(self) -> None:
        """It was public when the subscription was made."""
        names, connected = answering(["8.8.8.8"], ["169.254.169.254"]), Connected()
        await check_receiver("https://example.org/", Rules(), names)
        with pytest.raises(AddressRefused):
            await GuardedBackend(Rules(), names, connected).connect_tcp("example.org", 443)
        assert connected.to == []

    async def test_tries_the_next_address_where_one_does_not_answer(self) -> None:
        connected = Connected()
        backend = GuardedBackend(Rules(), answering(["8.8.8.9", "8.8.4.4"]), connected)
        await backend.connect_tcp("example.org", 443)
        assert connected.to == ["8.8.8.9", "8.8.4.4"]

    async def test_opens_no_socket_of_the_machine(self) -> None:
        with pytest.raises(AddressRefused):
            await GuardedBackend(Rules()).connect_unix_socket("/run/docker.sock")


def certificate(name: str, directory: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a server's context for a name, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signed = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = signed.public_bytes(serialization.Encoding.PEM)
    file = directory / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + pem
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=pem.decode())


class TestSender:
    async def test_speaks_of_the_name_to_the_address_that_it_checked(
        self, receive: "Receive", tmp_path: Path
    ) -> None:
        """The certificate is the name's, SNI and Host say the name, and the name has no address but ours."""
        server, trust = certificate("hooks.example.org", tmp_path)
        asked_for: list[str | None] = []
        server.sni_callback = lambda _, name, __: asked_for.append(name)
        receiver = await receive(tls=server)
        url = f"https://hooks.example.org:{receiver.port}/hooks"
        rules, names = Rules(allow_private=True), answering(["127.0.0.1"])
        async with Sender(rules, ask=names, trust=trust) as sender:
            answer = await sender.send(url, "m-1", "{}", ["whsec_AAAA"], NOW)
        assert answer.verdict == "delivered", answer.says
        assert asked_for == ["hooks.example.org"]
        assert receiver.got[0].headers["host"] == f"hooks.example.org:{receiver.port}"

    async def test_trusts_no_certificate_of_another(self, receive: "Receive", tmp_path: Path) -> None:
        server, trust = certificate("others.example.org", tmp_path)
        receiver = await receive(tls=server)
        url = f"https://hooks.example.org:{receiver.port}/hooks"
        async with Sender(Rules(allow_private=True), ask=answering(["127.0.0.1"]), trust=trust) as sender:
            answer = await sender.send(url, "m-1", "{}", ["whsec_AAAA"], NOW)
        assert (answer.status, answer.says) == (None, "its TLS certificate or handshake is not acceptable")
        assert receiver.got == []

    async def test_says_why_it_did_not_go_to_a_private_address(self, receive: "Receive") -> None:
        receiver = await receive()
        async with Sender(Rules(allow_http=True)) as sender:
            answer = await sender.send(receiver.url, "m-1", "{}", ["whsec_AAAA"], NOW)
        assert answer.status is None
        assert "not public" in answer.says
        assert receiver.got == []

    async def test_says_that_nobody_is_there(self) -> None:
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
            async with Sender(Rules(allow_http=True, allow_private=True)) as sender:
                answer = await sender.send(url, "m-1", "{}", ["whsec_AAAA"], NOW)
        assert (answer.status, answer.says) == (None, "it cannot be reached")
