"""The compliance report as one page that needs nothing else: figures above, below what each of them counts.

No address outside the page stands in it, so that it can be kept, sent and printed.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from events.compliance import Row
from events.compliance_columns import COLUMNS, DERIVED, GROUPS, PERIOD, definitions
from gateway import words
from gateway.cli.compliance_showing import TABLES, Shown, cell, item
from gateway.cli.escaping import escaped

TEMPLATES: Final = Path(__file__).parents[1] / "templates"


def as_html(shown: Shown) -> None:
    """Print the page."""
    for piece in _template().generate(
        title=shown.title(),
        read=shown.read(),
        made_at=words.moment(shown.made_at),
        zone=shown.zone,
        period=PERIOD,
        by=shown.report.by,
        grouped=GROUPS.get(shown.report.by or ""),
        tables=[(title, [COLUMNS[name] for name in names]) for title, names in TABLES.items()],
        rows=list(enumerate(shown.rows)),
        cell=cell,
        shows=_shows,
        unfolds={name: _list_of(name) for name in COLUMNS},
        lists=_lists(shown),
        definitions=definitions(),
    ):
        sys.stdout.write(escaped(piece, layout=True))
    sys.stdout.flush()


def _lists(shown: Shown) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(shown.rows):
        for name, each in COLUMNS.items():
            if _list_of(name) == name and (facts := row.behind(name)):
                items = (item(fact, shown.agency) for fact in facts)
                yield {
                    "id": f"r{number}-{each.name}",
                    "title": f"{row.key}: {each.title}",
                    "count": len(facts),
                    "means": each.means,
                    "items": items,
                }


def _shows(row: Row, name: str) -> bool:
    return any(row.count(each) for each in (DERIVED[name][1] if name in DERIVED else (name,)))


def _list_of(name: str) -> str:
    """Name the figure whose list shows what this one is computed from."""
    behind = DERIVED[name][1] if name in DERIVED else (name,)
    return behind[0] if len(behind) == 1 else name


def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("compliance.html")
