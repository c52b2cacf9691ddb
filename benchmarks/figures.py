"""A measured figure beside its floor, and how a run of them is shown.

A ratio is the median of the rounds' own ratios: both sides of a round saw the same machine.
"""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

# Sentences about what this run did not compare, and what it could not measure.
SKIPPED: list[str] = []
FAILED: list[str] = []


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.  *target* is in words; *met* is None where there is none."""

    name: str
    unit: str
    ours: float
    floor: float | None = None
    floor_is: str = ""
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    note: str = ""
    rounds: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rounds:
    """What several rounds gave, ours and the floor's pairwise."""

    ours: list[float]
    floor: list[float]

    @property
    def mine(self) -> float:
        """This will be our median."""
        return statistics.median(self.ours)

    @property
    def least(self) -> float:
        """This will be the floor's median."""
        return statistics.median(self.floor)

    @property
    def ratio(self) -> float:
        """This will be the median of the pairs' ratios."""
        return statistics.median(a / b for a, b in zip(self.ours, self.floor, strict=True))

    @property
    def pairs(self) -> list[tuple[float, float]]:
        """This will list the rounds, rounded."""
        return [(_short(a), _short(b)) for a, b in zip(self.ours, self.floor, strict=True)]


def machine() -> dict[str, Any]:
    """This will describe where and when this is measured."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "temporalio": version("temporalio"),
        "asyncpg": version("asyncpg"),
        "pydantic": version("pydantic"),
        "load_before": round(os.getloadavg()[0], 2),
    }


def table(where: dict[str, Any], figures: Sequence[Figure], skipped: Sequence[str]) -> str:
    """This will lay the figures out for reading."""
    head = (
        f"{where['date']}, {where['cores']} cores ({where['processor']}), {where['memory_gib']} GiB, "
        f"{where['system']}, Python {where['python']}, load {where['load_before']} before"
    )
    rows = [("figure", "ours", "floor", "ratio", "wanted", "")]
    rows += [_row(each) for each in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    notes = [f"  {each.name}: {'; '.join(filter(None, (_floor(each), each.note)))}" for each in figures]
    return "\n".join([head, "", *(line.rstrip() for line in lines), "", *notes, *skipped])


def last_line(where: dict[str, Any], figures: Sequence[Figure], skipped: Sequence[str]) -> str:
    """This will write everything as one line of JSON."""
    told = [
        {k: _short(v) if isinstance(v, float) else v for k, v in asdict(each).items()} for each in figures
    ]
    return json.dumps({"machine": where, "figures": told, "skipped": list(skipped)}, sort_keys=True)


def _row(each: Figure) -> tuple[str, str, str, str, str, str]:
    verdict = "" if each.met is None else "met" if each.met else "NOT MET"
    return (
        each.name,
        f"{_short(each.ours):g} {each.unit}",
        "" if each.floor is None else f"{_short(each.floor):g}",
        "" if each.ratio is None else f"{each.ratio:.2f}",
        each.target,
        verdict,
    )


def _floor(each: Figure) -> str:
    return f"floor is {each.floor_is}" if each.floor_is else ""


def _short(value: float) -> float:
    return round(value) if abs(value) >= 100 else float(f"{value:.3g}")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
