"""``rapport key``: API keys, and the identity providers whose tokens an agency takes.

A key's text is printed once, by ``create``, and is kept nowhere.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from gateway.access.opening import Access

Row = dict[str, Any]
_ROLES = "recruiter, team-lead, director, compliance, operator, auditor or integration"
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="API keys, and issuers of tokens.", no_args_is_help=True)
    group.command("create")(create)
    group.command("list")(list_keys)
    group.command("revoke")(revoke)
    group.command("issuer")(issuer)
    group.command("issuers")(issuers)
    app.add_typer(group, name="key", rich_help_panel="Running")


def create(
    role: Annotated[str, typer.Option(help=f"Whose it is: {_ROLES}.")],
    person: Annotated[str | None, typer.Option(help="The person of the agency whose it is.")] = None,
    connection: Annotated[
        str | None, typer.Option(help="An integration's connection, by id or name.")
    ] = None,
    expires: Annotated[str, typer.Option(help="How long it holds, e.g. 12h, 90d, 52w.")] = "90d",
    name: Annotated[str | None, typer.Option(help="What it is for, for people; no secret.")] = None,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Make a key and print it, this once."""

    from gateway.access.roles import ROLES
    from gateway.cli import output
    from gateway.cli.errors import Wrong
    from gateway.words import moment

    if role not in ROLES:
        raise Wrong(f"there is no such role; the roles of keys are {_ROLES}")
    life = span(expires)

    async def work(session: Session) -> Row:
        named = await session.agency()
        people = await session.having.directory.agency(named)
        theirs = connection
        if connection is not None and role == "integration":
            theirs = (await session.having.connections.named(named, connection)).id
        async with _access(session) as access:
            key, text = await access.keys.create(
                named,
                role,
                people=people,
                person_id=person,
                connection=theirs,
                label=name,
                life=life,
            )
        return {"agency": named, **_plain(key), "key": text}

    made = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(made)
        return
    output.line(made["key"])
    said = "it is shown this once; send it as 'Authorization: Bearer …'"
    output.complain(f"key {made['key_id']} holds until {moment(made['expires_at'])}; {said}")


def list_keys(agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """List the keys, also those that open nothing any more; no secret is kept that could be shown."""
    from gateway.cli import output
    from gateway.words import moment

    async def work(session: Session) -> list[Row]:
        async with _access(session) as access:
            keys = await access.keys.list(await session.agency())
            failed = await access.failures.of_credentials([key.key_id for key in keys])
        return [{**_plain(key), "failures": count} for key, count in zip(keys, failed, strict=True)]

    rows = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(rows)
        return
    output.table(
        ["KEY", "ROLE", "WHOSE", "NAME", "UNTIL", "STATE", "LAST USED", "FAILED"],
        [
            [
                row["key_id"],
                row["role"],
                row["person_id"] or row["connection"] or "",
                row["label"] or "",
                moment(row["expires_at"]),
                row["state"],
                moment(row["last_used_at"]) if row["last_used_at"] else "never",
                str(row["failures"] or ""),
            ]
            for row in rows
        ],
    )


def revoke(
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="As 'rapport key list' shows it.")],
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """End a key for good; a gateway that is using it learns so within a second."""
    from gateway.cli import output

    async def work(session: Session) -> Row:
        async with _access(session) as access:
            # Whoever pastes the whole key means the key.
            shown = key_id.split("_")[1] if key_id.startswith("rpk_") else key_id
            return _plain(await access.keys.revoke(await session.agency(), shown))

    gone = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(gone)
    else:
        output.line(f"key {gone['key_id']} is revoked")


def issuer(
    address: Annotated[str, typer.Argument(metavar="ISSUER", help="As its tokens name it in 'iss'.")],
    audience: Annotated[str, typer.Option(help="As its tokens for this agency name it in 'aud'.")],
    jwks: Annotated[str | None, typer.Option(help="Where its keys are; else it is asked.")] = None,
    person_claim: Annotated[str, typer.Option(help="The claim that holds the person's id.")] = "sub",
    role_claim: Annotated[str | None, typer.Option(help="The claim that holds roles; none: ours.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="THEIRS=OURS, for each of its roles.")] = None,
    algorithm: Annotated[list[str] | None, typer.Option(help="RS256 and ES256 if not given.")] = None,
    disable: Annotated[bool, typer.Option("--disable", help="Take none of its tokens any more.")] = False,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Take the tokens of an identity provider (OIDC), or no more of them."""
    from gateway.cli import output

    mapped = dict(each.partition("=")[::2] for each in role or ())

    async def work(session: Session) -> Row:
        named = await session.agency()
        async with _access(session) as access:
            if disable:
                return await access.issuers.disable(named, address, audience)
            return await access.issuers.add(
                named,
                address,
                audience,
                jwks_uri=jwks,
                person_claim=person_claim,
                role_claim=role_claim,
                roles=mapped,
                **({"algorithms": algorithm} if algorithm else {}),
            )

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
    else:
        output.line(f"tokens of {told['issuer']} are {'taken no more' if disable else 'taken'}")


def issuers(agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """List the identity providers whose tokens are taken, and those whose were."""
    from gateway.cli import output

    async def work(session: Session) -> list[Row]:
        async with _access(session) as access:
            return await access.issuers.list(await session.agency())

    rows = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(rows)
        return
    columns = ("issuer", "audience", "person_claim", "role_claim")
    heads = ["ISSUER", "AUDIENCE", "PERSON", "ROLE", "TAKEN"]
    output.table(
        heads,
        [[*(row[each] or "" for each in columns), "no" if row["disabled_at"] else "yes"] for row in rows],
    )


def span(text: str) -> timedelta:
    """Read how long something holds, e.g. ``90d``.

    :raises Wrong: it is no length of time.
    """
    from gateway.cli.errors import Wrong

    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdigit() and len(number) < 6 and unit in _UNITS):
        raise Wrong("--expires is a number of hours, days or weeks, e.g. 12h, 90d or 52w")
    return timedelta(**{_UNITS[unit]: int(number)})


def _access(session: Session) -> "AbstractAsyncContextManager[Access]":
    from contextlib import asynccontextmanager

    from gateway.access.opening import opened_access
    from gateway.cli.connect import addresses

    @asynccontextmanager
    async def opened() -> "AsyncIterator[Access]":
        url = addresses(session.settings).database_url
        assert url is not None
        async with opened_access(session.having, url, size=1) as access:
            yield access

    return opened()


def _plain(key: Any) -> Row:
    from dataclasses import asdict
    from datetime import UTC, datetime

    over = key.expires_at <= datetime.now(UTC)
    return {**asdict(key), "state": "revoked" if key.revoked_at else "expired" if over else "holds"}
