"""The identity providers whose tokens an agency takes.

An issuer and an audience name one agency: whoever names them first has them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

import asyncpg

from events.log.connect import Connections
from gateway.access.jwks import is_safe
from gateway.access.jwt import ALGORITHMS, USUAL
from gateway.access.keys import AccessError
from gateway.access.who import Role

_COLUMNS: Final = (
    "issuer, audience, jwks_uri, algorithms, person_claim, role_claim, roles, made_at, disabled_at"
)


class Issuers:
    """The issuers of every agency, one agency at a time."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def add(
        self,
        agency: str,
        issuer: str,
        audience: str,
        *,
        jwks_uri: str | None = None,
        algorithms: Sequence[str] = USUAL,
        person_claim: str = "sub",
        role_claim: str | None = None,
        roles: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Take an issuer's tokens for an audience from now on; *roles* maps what it calls a role to ours.

        :raises AccessError: an address is not safe, an algorithm or a role is none, or another has them.
        """
        _check(issuer, jwks_uri, algorithms, roles or {})
        query = f"""
            INSERT INTO rapport.oidc_issuers
                (agency, issuer, audience, jwks_uri, algorithms, person_claim, role_claim, roles)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {_COLUMNS}
        """
        given = (jwks_uri, list(algorithms), person_claim, role_claim, json.dumps(dict(roles or {})))
        try:
            async with self._connections.scoped(agency) as db:
                return _plain(await db.fetchrow(query, agency, issuer, audience, *given))
        except asyncpg.UniqueViolationError:
            raise AccessError("these issuer and audience are taken already; give another audience") from None

    async def list(self, agency: str) -> list[dict[str, Any]]:
        """List an agency's issuers, also those that are not taken any more."""
        query = f"SELECT {_COLUMNS} FROM rapport.oidc_issuers WHERE agency = $1 ORDER BY issuer, audience"
        async with self._connections.scoped(agency) as db:
            return [_plain(row) for row in await db.fetch(query, agency)]

    async def disable(self, agency: str, issuer: str, audience: str) -> dict[str, Any]:
        """Take none of its tokens any more; again changes nothing.

        :raises AccessError: the agency has no such issuer.
        """
        query = f"""
            UPDATE rapport.oidc_issuers SET disabled_at = coalesce(disabled_at, clock_timestamp())
            WHERE agency = $1 AND issuer = $2 AND audience = $3 RETURNING {_COLUMNS}
        """
        async with self._connections.scoped(agency) as db:
            row = await db.fetchrow(query, agency, issuer, audience)
        if row is None:
            raise AccessError("the agency has no such issuer; 'rapport key issuers' shows those there are")
        return _plain(row)


def _check(issuer: str, jwks_uri: str | None, algorithms: Sequence[str], roles: Mapping[str, str]) -> None:
    if not is_safe(issuer) or (jwks_uri is not None and not is_safe(jwks_uri)):
        raise AccessError("an issuer's address begins with https:// (on this machine, http:// serves too)")
    if not algorithms or not ALGORITHMS.issuperset(algorithms):
        raise AccessError(f"an issuer signs with public keys: one of {', '.join(sorted(ALGORITHMS))}")
    if not set(get_args(Role)).issuperset(roles.values()):
        raise AccessError(f"the roles are {', '.join(get_args(Role))}; map each of the issuer's to one")


def _plain(row: Any) -> dict[str, Any]:
    return {**row, "roles": json.loads(row["roles"])}
