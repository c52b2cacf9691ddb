"""One row for each person who works at the agency, or did: their role, and whom their duties climb to.

Names and addresses stay sealed in the log: whoever may see them opens them there.
"""

from typing import Any

from events.agency import Agency
from events.projections.projection import Projection, Stream, as_it_is

COLUMNS = ("person_id", "role", "team_lead", "director", "team", "office", "works_here")
Row = tuple[Any, ...]


def _items(_account: object, stream: Stream) -> dict[str, Row]:
    state: Agency = stream.state
    lines = state.lines()
    return {
        key: (
            key,
            entry.role,
            lines[key].team_lead,
            lines[key].director,
            entry.team,
            entry.office,
            key in state.people,
        )
        for key, entry in {**state.left, **state.people}.items()
    }


PROJECTION = Projection("people", 1, "agency", COLUMNS, _items, as_it_is)
