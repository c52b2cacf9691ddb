"""How connections are called where people read: by their name, with the id that no other has.

JSON keeps the id as it is, and has the name beside it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.cli.connect import Session


async def names_of(session: "Session", agency: str) -> dict[str, str]:
    """Give the names of an agency's connections, by their ids."""
    return {each.id: each.name for each in await session.having.connections.list(agency)}


def called(connection: str, name: str | None) -> str:
    """Call a connection by its name, if it has one."""
    return f"{name} ({connection})" if name else connection
