"""The table of roles in the README, made from the table that decides: ``--write`` it, or ``--check`` it.

Nobody edits it by hand: what it says is what the doors do.
"""

import sys
from pathlib import Path
from typing import Final

from gateway.access.roles import ROLES, SCOPES, TABLE
from workers.generated import README, keep

_SHORT: Final = {
    "none": "",
    "own": "own",
    "own-team": "own team",
    "all": "all",
    "connection": "its connection",
    "own-words": "own words",
    "self": "own",
    "glass": "glass",
}


def table() -> str:
    """Write the table in Markdown, and what its words mean below it."""
    heads = ["may", *(role.replace("-", " ") for role in ROLES)]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for row in TABLE.values():
        says = f"{row.does} ({row.note})" if row.note else row.does
        lines.append(f"| {' | '.join([says, *(_SHORT[row.scopes[role]] for role in ROLES)])} |")
    used = {scope for row in TABLE.values() for scope in row.scopes.values()} - {"none"}
    words = [f"*{_SHORT[scope]}*: {says}" for scope, says in SCOPES.items() if scope in used]
    return "\n".join([*lines, "", f"{'; '.join(dict.fromkeys(words))}."]) + "\n"


def main(arguments: list[str], readme: Path = README) -> int:
    """Write the table into the README, or compare it; returns the exit code."""
    return keep("roles", "gateway.access.roles_table", table(), arguments, readme)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
