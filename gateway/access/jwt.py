"""Tokens of an agency's own identity provider (OIDC): who signed them, for whom, and what they say.

Nothing of a token is believed before its signature holds under a key of an issuer that the agency named.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError

from events.log.connect import Connections
from events.log.keys import KeyStore
from gateway.access.jwks import KeySets, NoKeys
from gateway.access.who import Role
from workers.codec import SYSTEM

# Public keys only: under a secret shared with us anybody who verifies could sign.
ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
USUAL: Final = ("RS256", "ES256")
LEEWAY: Final = 60
"""Seconds by which clocks may differ."""
LARGEST: Final = 16 * 1024
_SUBJECT: Final = "token-subjects"
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_ROLES: Final[tuple[Role, ...]] = (
    "recruiter",
    "team-lead",
    "director",
    "compliance",
    "operator",
    "auditor",
)


class InvalidToken(Exception):
    """It says nothing that we believe."""


class ExpiredToken(Exception):
    """Its signature holds, its time is over."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """An identity provider as an agency named it."""

    agency: str
    issuer: str
    audience: str
    jwks_uri: str | None
    algorithms: tuple[str, ...]
    person_claim: str
    role_claim: str | None
    roles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """What a token says, once it is believed; *role* is None where it is the agency's to say."""

    agency: str
    person_id: str = field(repr=False)
    role: Role | None
    credential: str
    expires_at: datetime


class Tokens:
    """Reads tokens; one for a process."""

    def __init__(self, connections: Connections, keys: KeyStore, key_sets: KeySets) -> None:
        self._connections = connections
        self._keys = keys
        self._key_sets = key_sets

    async def read(self, text: str, now: datetime) -> Told:
        """Believe a token, or not.

        :raises ExpiredToken: everything about it holds but its time.
        :raises InvalidToken: anything else.
        """
        try:
            header, claims = _unverified(text)
            issuer = await self._issuer(claims)
            algorithm = header.get("alg")
            if not isinstance(algorithm, str) or algorithm not in ALGORITHMS.intersection(issuer.algorithms):
                raise InvalidToken
            keys = await self._key_sets.holding(issuer.issuer, issuer.jwks_uri, header.get("kid"))
            believed = jwt.decode(text, keys, algorithms=[algorithm]).claims
            _check(believed, issuer, now)
            return await self._told(believed, issuer)
        except ExpiredTokenError:
            raise ExpiredToken from None
        except (JoseError, NoKeys, ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
            # Whatever else was written into it, by whomever.
            raise InvalidToken from None

    async def _issuer(self, claims: Mapping[str, Any]) -> Issuer:
        issuer, audience = claims.get("iss"), claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if not all(
            isinstance(each, str) and each.isascii() and each.isprintable() for each in (issuer, *audiences)
        ):
            raise InvalidToken
        async with self._connections.borrow() as connection:
            rows = await connection.fetch("SELECT * FROM rapport.find_oidc_issuer($1, $2)", issuer, audiences)
        if len(rows) != 1:
            # Two: a token that is meant for several agencies at once speaks for none.
            raise InvalidToken
        row = rows[0]
        return Issuer(
            agency=row["agency"],
            issuer=row["issuer"],
            audience=row["audience"],
            jwks_uri=row["jwks_uri"],
            algorithms=tuple(row["algorithms"]),
            person_claim=row["person_claim"],
            role_claim=row["role_claim"],
            roles=json.loads(row["roles"]),
        )

    async def _told(self, claims: Mapping[str, Any], issuer: Issuer) -> Told:
        person = claims.get(issuer.person_claim)
        if not isinstance(person, str) or _ID.fullmatch(person) is None:
            raise InvalidToken
        key = await self._keys.get_or_create(SYSTEM, _SUBJECT)
        named = json.dumps([issuer.issuer, claims.get("sub", person)]).encode()
        return Told(
            agency=issuer.agency,
            person_id=person,
            role=_role(claims, issuer),
            # A subject may be an address, so only a keyed digest of it goes into the record.
            credential=f"jwt-{hmac.new(key.secret, named, hashlib.sha256).hexdigest()[:24]}",
            expires_at=datetime.fromtimestamp(claims["exp"] + LEEWAY, UTC),
        )


def _check(claims: dict[str, Any], issuer: Issuer, now: datetime) -> None:
    registry = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY,
        iss={"essential": True, "value": issuer.issuer},
        aud={"essential": True, "value": issuer.audience},
        exp={"essential": True},
    )
    # The time comes last: who is told that it is over has shown that all else holds.
    registry.validate({key: value for key, value in claims.items() if key != "exp"} | {"exp": claims["exp"]})


def _role(claims: Mapping[str, Any], issuer: Issuer) -> Role | None:
    """Read the role; a token that should name one and names none that we know is not believed.

    Where the agency has said what the provider's words mean, no other word means anything: a group of theirs
    may happen to be called as a role of ours.
    """
    if issuer.role_claim is None:
        return None
    found = claims.get(issuer.role_claim)
    several = found if isinstance(found, list) else [found]
    known = issuer.roles or {each: each for each in _ROLES}
    named = {known[each] for each in several if isinstance(each, str) and each in known}
    roles = [each for each in _ROLES if each in named]
    if len(roles) != 1:
        raise InvalidToken
    return roles[0]


def _unverified(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(text) > LARGEST:
        raise InvalidToken
    parts = text.split(".")
    try:
        header, claims = (json.loads(_decoded(part)) for part in parts[:2])
    except binascii.Error:
        raise InvalidToken from None
    if len(parts) != 3 or not isinstance(header, dict) or not isinstance(claims, dict):
        raise InvalidToken
    return header, claims


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
