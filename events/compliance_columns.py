"""What each figure of the compliance report means: said here once, for help, page and reference alike.

Nothing is imported here, since the command line reads it at start.  Names are stable: scripts go by them.
"""

from typing import Final, NamedTuple


class Column(NamedTuple):
    """One figure: its stable name, its title for people, and what is counted."""

    name: str
    title: str
    means: str


# Every promise that opened is in exactly one of these, so that they add up to "opened".
PARTS: Final = (
    Column("kept", "kept", "what was promised happened by the due time, and was recorded by then"),
    Column(
        "kept_recorded_late", "recorded late", "it happened by the due time, and was recorded only after it"
    ),
    Column("kept_late", "kept late", "it happened, after the due time"),
    Column("never_kept", "never kept", "the due time passed, it has not happened, and nobody excused it"),
    Column(
        "excused",
        "excused",
        "somebody who does not owe it said why it need not be kept; never counted as kept",
    ),
    Column(
        "dropped", "dropped", "nobody waited for it any more before it was due (withdrawn, closed, annulled)"
    ),
    Column("open", "open", "it is not due yet, and somebody waits for it"),
)
OPENED: Final = Column(
    "opened", "opened", "promises that opened and belong to the period; the sum of the next seven columns"
)
BESIDE: Final = (
    Column(
        "breached",
        "broken",
        "each that was recorded as broken, whatever became of it later: a breach is a fact",
    ),
    Column("overdue", "overdue", "those of the never kept that somebody still waits for"),
    Column("refused", "refused", "things that a gate refused to let happen"),
    Column(
        "bypassed",
        "bypassed",
        "what happened although a gate was not met: told afterwards, or in a milder mode",
    ),
    Column("contacts", "contacts", "talks with the candidate, whatever kept a promise or not"),
    Column("asserted", "asserted", "those of them for which there is nothing but somebody's word"),
    Column(
        "not_judgeable",
        "not judgeable",
        "rules that an imported past cannot show, one for each engagement; not among the opened",
    ),
    Column(
        "likes_yes",
        "like it: yes",
        "placements that the candidate likes, by their last word at a check-in in the period",
    ),
    Column(
        "likes_partly", "like it: partly", "placements that the candidate likes in part, by the same word"
    ),
    Column("likes_no", "like it: no", "placements that the candidate does not like, by the same word"),
    Column(
        "excels_yes",
        "excel: yes",
        "placements in which the person excels, by the client's last word at a check-in in the period",
    ),
    Column(
        "excels_partly", "excel: partly", "placements in which the person excels in part, by the same word"
    ),
    Column("excels_no", "excel: no", "placements in which the person does not excel, by the same word"),
)
COUNTED: Final = (OPENED, *PARTS, *BESIDE)
# Computed from the others: name, title, meaning, and the columns that it is computed from.
DERIVED: Final = {
    "kept_share": (
        Column(
            "kept_share",
            "in time",
            "kept or recorded late, as a share of these, the kept late and the never kept",
        ),
        ("kept", "kept_recorded_late", "kept_late", "never_kept"),
    ),
    "late_median": (
        Column(
            "late_median",
            "late, median",
            "how late, in plain hours, the middle one of those kept late was",
        ),
        ("kept_late",),
    ),
    "late_p90": (
        Column("late_p90", "late, 90%", "the same for nine in ten of them (the nearest rank)"),
        ("kept_late",),
    ),
    "asserted_share": (
        Column("asserted_share", "asserted, share", "the asserted, of the contacts"),
        ("contacts",),
    ),
}
GROUPS: Final = {
    "rule": "the promise's rule, or the gate; talks and placements stand in the total alone",
    "owner": "who owed it when it was broken; else when it ended; else now; of a talk, who talked; of a gate "
    "or a placement, the candidate's owner then",
    "team": "the team of that person at that time, or else their team lead",
    "stage": "the engagement's stage when the promise opened; of the rest, when it happened",
    "week": "the ISO week to which it belongs",
}
PERIOD: Final = (
    "A promise belongs to the moment at which it fell due, or to the earlier one at which it was kept or "
    "dropped; all else to the moment at which it happened. A period holds its first moment and not its end; "
    "dates and weeks are those of UTC unless another zone is named. What was annulled and opened again is "
    "counted once."
)


COLUMNS: Final = {each.name: each for each in (*COUNTED, *(derived for derived, _ in DERIVED.values()))}


def named(text: str) -> str | None:
    """Find a figure's name by what somebody wrote, which may be its title."""
    given = _plain(text)
    return next((name for name, each in COLUMNS.items() if given in (_plain(name), _plain(each.title))), None)


def definitions() -> list[tuple[str, str]]:
    """List every figure's name with what it means."""
    return [(name, each.means) for name, each in COLUMNS.items()]


def _plain(text: str) -> str:
    return "".join(each for each in text.lower() if each.isalnum())
