"""Tokens of an identity provider, against one that this test runs on loopback."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from gateway.access.jwks import ASKED_AT_MOST_EVERY, KEPT_FOR, KeySets, NoKeys, is_safe

if TYPE_CHECKING:
    from tests.gateway.access.conftest import Ground

RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec-1"})
NEWER = ECKey.generate_key("P-256", {"kid": "ec-2"})
STRANGER = ECKey.generate_key("P-256", {"kid": "ec-1"})


@dataclass
class Provider:
    """An identity provider's two public addresses."""

    keys: list[Any] = field(default_factory=lambda: [RSA, EC])
    asked: list[str] = field(default_factory=list)
    base: str = ""
    answers: bool = True

    def content(self, path: str) -> Any:
        """This will be what an address says."""
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.base, "jwks_uri": f"{self.base}/keys"}
        return {"keys": [key.as_dict(private=isinstance(key, OctKey)) for key in self.keys]}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """This will answer one request."""
        path = (await reader.readline()).split()[1].decode()
        while (await reader.readline()).strip():
            continue
        self.asked.append(path)
        body = json.dumps(self.content(path)).encode()
        status = "200 OK" if self.answers else "503 Away"
        head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode())
        writer.write(body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """This will yield a provider at an address of its own."""
    made = Provider()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made


@pytest.fixture
async def issuer(ground: "Ground", provider: Provider) -> str:
    """This will let the agency take the provider's tokens, and give their audience."""
    audience = f"rapport-{uuid4().hex[:8]}"
    roles = {"staff": "recruiter", "checkers": "auditor"}
    await ground.access.issuers.add(
        ground.agency,
        provider.base,
        audience,
        algorithms=["RS256", "ES256"],
        role_claim="groups",
        roles=roles,
    )
    return audience


def token(provider: Provider, audience: str, key: Any = EC, alg: str = "ES256", **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": provider.base,
        "aud": audience,
        "sub": "r-1",
        "exp": now + 300,
        "nbf": now - 5,
        "groups": ["staff", "everybody"],
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": alg, "kid": key.kid}, claims, key, algorithms=[alg])


def forged(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    """Sign by hand what no library would."""
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in (header, claims)]
    signature = hmac.new(secret, b".".join(parts), hashlib.sha256).digest() if secret is not None else b""
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


async def status(http: httpx.AsyncClient, text: str) -> int:
    return (await http.get("/who", headers={"Authorization": f"Bearer {text}"})).status_code


@pytest.mark.postgres
class TestATokenIsTaken:
    @pytest.mark.parametrize(("key", "alg"), [(EC, "ES256"), (RSA, "RS256")])
    async def test_where_everything_holds(
        self, ground: "Ground", http: httpx.AsyncClient, provider: Provider, issuer: str, key: Any, alg: str
    ) -> None:
        text = token(provider, issuer, key, alg)
        found = (await http.get("/who", headers={"Authorization": f"Bearer {text}"})).json()
        assert (found["agency"], found["role"], found["person"]) == (ground.agency, "recruiter", "r-1")
        assert found["actor"] == {"kind": "person", "id": "r-1"}

    async def test_with_the_role_that_the_agency_gives_the_person(
        self, ground: "Ground", http: httpx.AsyncClient, provider: Provider
    ) -> None:
        await ground.access.issuers.add(ground.agency, provider.base, "ours", algorithms=["ES256"])
        text = token(provider, "ours", sub="l-1", groups=None)
        found = (await http.get("/who", headers={"Authorization": f"Bearer {text}"})).json()
        assert found["role"] == "team-lead"
        assert await status(http, token(provider, "ours", sub="nobody", groups=None)) == 401
        await ground.access.issuers.disable(ground.agency, provider.base, "ours")
        assert await status(http, token(provider, "ours", sub="r-2", groups=None)) == 401

    async def test_for_no_group_but_those_that_the_agency_has_mapped(
        self, http: httpx.AsyncClient, provider: Provider, issuer: str
    ) -> None:
        """Their auditors are somebody else's: beside a group that is mapped they are as good as not there."""
        text = token(provider, issuer, groups=["staff", "auditor"])
        found = (await http.get("/who", headers={"Authorization": f"Bearer {text}"})).json()
        assert found["role"] == "recruiter"

    async def test_by_our_own_words_where_the_agency_has_mapped_none(
        self, ground: "Ground", http: httpx.AsyncClient, provider: Provider
    ) -> None:
        await ground.access.issuers.add(
            ground.agency, provider.base, "plain", algorithms=["ES256"], role_claim="groups"
        )
        text = token(provider, "plain", groups=["recruiter", "everybody"])
        found = (await http.get("/who", headers={"Authorization": f"Bearer {text}"})).json()
        assert found["role"] == "recruiter"

    async def test_within_a_minute_of_its_times(
        self, http: httpx.AsyncClient, provider: Provider, issuer: str
    ) -> None:
        now = int(time.time())
        assert await status(http, token(provider, issuer, exp=now - 40)) == 200
        assert await status(http, token(provider, issuer, nbf=now + 40)) == 200

    async def test_without_the_persons_address_in_its_name(
        self, ground: "Ground", provider: Provider, issuer: str
    ) -> None:
        await ground.access.issuers.add(
            ground.agency, provider.base, "mail", algorithms=["ES256"], person_claim="staff_id"
        )
        text = token(provider, "mail", sub="zofie@example.com", staff_id="r-1", groups=None)
        who = await ground.access.knowing.who(text, None)
        assert who.credential.startswith("jwt-")
        assert "zofie" not in str(who)


@pytest.mark.postgres
class TestATokenIsRefused:
    @pytest.mark.parametrize(
        "changes",
        [
            {"aud": "another"},
            {"aud": None},
            {"iss": "https://elsewhere.example"},
            {"exp": None},
            {"exp": "soon"},
            {"nbf": 2**40},
            {"sub": None},
            {"sub": "Žofie Ønskeby"},
            {"sub": "r-unknown"},
            {"groups": None},
            {"groups": ["everybody"]},
            {"groups": ["staff", "checkers"]},
            {"groups": ["director"]},
            # What is spelled like a role of ours is none where the agency has mapped theirs.
            {"groups": ["recruiter"]},
            {"groups": ["integration"]},
            {"groups": ["candidate"]},
            {"groups": 7},
            {"groups": {"staff": 1}},
            {"iss": "https://\x00"},
            {"iss": ["a"]},
            {"aud": [7]},
            {"aud": []},
            {"exp": 10**40},
        ],
    )
    async def test_where_a_claim_does_not_hold(
        self, http: httpx.AsyncClient, provider: Provider, issuer: str, changes: dict[str, Any]
    ) -> None:
        """r-1 is a recruiter, so no group makes a director of them."""
        assert await status(http, token(provider, issuer, **changes)) == 401

    async def test_once_it_is_over_and_is_told_so_after_its_signature_held(
        self, http: httpx.AsyncClient, provider: Provider, issuer: str
    ) -> None:
        over = token(provider, issuer, exp=int(time.time()) - 90)
        answer = await http.get("/who", headers={"Authorization": f"Bearer {over}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "credential-expired")
        strangers = token(provider, issuer, STRANGER, exp=int(time.time()) - 90)
        answer = await http.get("/who", headers={"Authorization": f"Bearer {strangers}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        meant_for_another = token(provider, "another", exp=int(time.time()) - 90)
        answer = await http.get("/who", headers={"Authorization": f"Bearer {meant_for_another}"})
        assert answer.json()["code"] == "unauthenticated"

    async def test_where_nobody_signed_it_whom_the_agency_named(
        self, http: httpx.AsyncClient, provider: Provider, issuer: str
    ) -> None:
        claims = {"iss": provider.base, "aud": issuer, "sub": "r-1", "exp": int(time.time()) + 300}
        claims["groups"] = "staff"
        good = token(provider, issuer)
        public = RSA.as_pem(private=False)
        for text in (
            token(provider, issuer, STRANGER),
            forged({"alg": "none", "kid": "ec-1"}, claims, None),
            forged({"alg": "None"}, claims, None),
            # The public key as a shared secret: the oldest trick of all.
            forged({"alg": "HS256", "kid": "rsa-1"}, claims, public),
            forged({"alg": ["ES256"], "kid": "ec-1"}, claims, b"x"),
            forged({"alg": "ES256", "kid": "ec-1"}, {**claims, "aud": ["\ud800"]}, b"x"),
            forged({"alg": "ES256", "kid": {"a": 1}}, claims, b"x"),
            token(provider, issuer, RSA, "PS256"),
            good[:-4] + "AAAA",
            good.rpartition(".")[0] + ".",
            "a.b.c",
            "..",
            good.replace(".", ".e30.", 1).rpartition(".")[0],
        ):
            assert await status(http, text) in (401, 429)

    async def test_where_two_agencies_are_meant(
        self, ground: "Ground", http: httpx.AsyncClient, provider: Provider, issuer: str
    ) -> None:
        await ground.access.issuers.add(ground.other, provider.base, "bolts", algorithms=["ES256"])
        assert await status(http, token(provider, issuer, aud=[issuer, "bolts"])) == 401
        assert await status(http, token(provider, issuer, aud=[issuer, "someone-elses"])) == 200


class Clock:
    """A time that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """This will be the time."""
        return self.now


@pytest.fixture
async def key_sets(provider: Provider) -> AsyncIterator[tuple[KeySets, Clock]]:
    """This will yield key sets and their clock."""
    clock = Clock()
    async with httpx.AsyncClient() as http:
        yield KeySets(http, monotonic=clock), clock


class TestKeySets:
    async def test_asks_once_for_all(self, provider: Provider, key_sets: tuple[KeySets, Clock]) -> None:
        sets, _ = key_sets
        await asyncio.gather(*(sets.holding(provider.base, None, "ec-1") for _ in range(8)))
        assert provider.asked == ["/.well-known/openid-configuration", "/keys"]

    async def test_asks_again_for_an_unknown_name_once_a_minute(
        self, provider: Provider, key_sets: tuple[KeySets, Clock]
    ) -> None:
        sets, clock = key_sets
        address = f"{provider.base}/keys"
        await sets.holding(provider.base, address, "ec-1")
        provider.keys.append(NEWER)
        for _ in range(3):
            with pytest.raises(NoKeys):
                await sets.holding(provider.base, address, "ec-2")
        assert len(provider.asked) == 1
        clock.now += ASKED_AT_MOST_EVERY
        assert await sets.holding(provider.base, address, "ec-2")
        assert len(provider.asked) == 2

    async def test_goes_on_with_what_it_knows_while_nobody_answers(
        self, provider: Provider, key_sets: tuple[KeySets, Clock]
    ) -> None:
        sets, clock = key_sets
        address = f"{provider.base}/keys"
        await sets.holding(provider.base, address, "ec-1")
        clock.now += KEPT_FOR
        provider.answers = False
        assert await sets.holding(provider.base, address, "ec-1")
        assert len(provider.asked) == 2

    async def test_takes_no_set_with_a_secret_in_it(
        self, provider: Provider, key_sets: tuple[KeySets, Clock]
    ) -> None:
        sets, _ = key_sets
        provider.keys.append(OctKey.generate_key(256, {"kid": "secret"}))
        with pytest.raises(NoKeys):
            await sets.holding(provider.base, f"{provider.base}/keys", "ec-1")

    @pytest.mark.parametrize("here", ["http://127.0.0.1:5432/keys", "https://localhost/keys"])
    async def test_lets_no_issuer_elsewhere_send_it_to_this_machine(self, here: str) -> None:
        asked: list[str] = []

        def told(request: httpx.Request) -> httpx.Response:
            asked.append(str(request.url))
            return httpx.Response(200, json={"issuer": "https://login.example.org", "jwks_uri": here})

        async with httpx.AsyncClient(transport=httpx.MockTransport(told)) as http:
            with pytest.raises(NoKeys):
                await KeySets(http).holding("https://login.example.org", None, "ec-1")
        assert len(asked) == 1

    async def test_takes_no_keys_of_whoever_calls_themselves_otherwise(
        self, provider: Provider, key_sets: tuple[KeySets, Clock]
    ) -> None:
        sets, _ = key_sets
        with pytest.raises(NoKeys):
            await sets.holding(f"{provider.base}/", None, "ec-1")

    async def test_needs_a_name_where_there_are_several(
        self, provider: Provider, key_sets: tuple[KeySets, Clock]
    ) -> None:
        sets, _ = key_sets
        with pytest.raises(NoKeys):
            await sets.holding(provider.base, f"{provider.base}/keys", None)

    @pytest.mark.parametrize(
        ("address", "safe"),
        [
            ("https://id.example", True),
            ("http://127.0.0.1:8080", True),
            ("http://localhost", True),
            ("http://id.example", False),
            ("file:///etc/passwd", False),
            ("", False),
        ],
    )
    def test_fetches_over_tls_or_from_here(self, address: str, safe: bool) -> None:
        assert is_safe(address) is safe
