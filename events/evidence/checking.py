"""Checks evidence with nothing but its bytes: names in one sentence what is not as it was made.

Total: whatever bytes it is given, it answers or says that they are no evidence; a forged line never stops it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeVar

from events.evidence.comparing import differences, list_is_sound
from events.evidence.examining import (
    chain_faults,
    content_faults,
    head_faults,
    kept_events,
    opened_faults,
    order_faults,
    policy_faults,
)
from events.evidence.faults import CHECKS, Check, Fault
from events.evidence.lines import Fields, parsed, record_of
from events.evidence.records import (
    FAMILY,
    FORMAT,
    EventKept,
    Evidence,
    Head,
    Links,
    Manifest,
    PolicyKept,
    Record,
)
from events.evidence.signing import holds, signer_of

Answer = Literal["holds", "fails", "not-checked"]
T = TypeVar("T", bound=Record)
# What says most comes first.
_ORDER: Final[tuple[Check, ...]] = (
    "whole", "untouched", "order", "content", "opened", "policies", "chain", "head", "signature", "key"
)  # fmt: skip


class NotEvidence(Exception):
    """The bytes are no evidence of Rapport, or of a format that this version cannot read."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found: each check's answer, every fault (what says most first), and whose file it is."""

    answers: dict[Check, Answer]
    faults: tuple[Fault, ...]
    evidence: Evidence | None
    head: Head | None
    signer: str | None
    events: int

    @property
    def sound(self) -> bool:
        """Tell whether nothing was found."""
        return not self.faults


@dataclass(slots=True)
class _File:
    lines: list[bytes]
    whole: bool
    fields: list[Fields | None] = field(default_factory=list)
    records: list[Record | None] = field(default_factory=list)
    signature: Fields | None = None

    def all(self, kind: type[T]) -> list[T]:
        return [each for each in self.records if isinstance(each, kind)]

    def only(self, kind: type[T]) -> T | None:
        return next(iter(self.all(kind)), None)


def check(data: bytes, known: str | None = None) -> Checked:
    """Check evidence; *known* is the fingerprint of the key that it must be signed with, if that is known.

    :raises NotEvidence: with one sentence; also for a format newer than this version.
    """
    ends = data.count(b"\n")
    if ends and data.count(b"\r\n") == ends:
        return _with_other_ends(_checked(data.replace(b"\r\n", b"\n"), known))
    return _checked(data, known)


def _checked(data: bytes, known: str | None) -> Checked:
    file = _read(data)
    evidence, head, manifest = file.only(Evidence), file.only(Head), file.only(Manifest)
    faults = [
        *_whole(file, evidence, manifest),
        *_untouched(file, manifest),
        *_examined(file, evidence, head),
    ]
    signer = signer_of(file.signature) if file.signature is not None else None
    faults += _signature(file, faults)
    if known is not None and signer is not None and signer != known:
        faults.append(
            Fault("key", f"the file is signed with another key (sha256:{signer}) than the one you named")
        )
    faults.sort(key=lambda fault: _ORDER.index(fault.check))
    answers = _answers(faults, file, evidence, named=known is not None and signer is not None)
    return Checked(answers, tuple(faults), evidence, head, signer, len(file.all(EventKept)))


def _with_other_ends(checked: Checked) -> Checked:
    """Add to what was found in the lines themselves that all their ends were changed."""
    ends = Fault(
        "untouched",
        "the line ends of the file were changed (to CRLF), so its bytes are not those that were signed; "
        "get the file again as it was written",
    )
    faults, answers = [ends, *checked.faults], {**checked.answers}
    answers["untouched"] = "fails"
    if answers["signature"] == "holds":
        answers["signature"] = "fails"
        faults.append(Fault("signature", "the signature does not fit the content"))
    return replace(checked, answers=answers, faults=tuple(faults))


def _read(data: bytes) -> _File:
    lines = data.split(b"\n")
    whole = lines[-1] == b""
    file = _File(lines[:-1] if whole else lines, whole)
    for line in file.lines:
        fields = parsed(line)
        file.fields.append(fields)
        file.records.append(record_of(fields) if fields is not None else None)
    first = file.fields[0] if file.fields else None
    format = first.get("format") if first is not None else None
    if not any(file.records) and not isinstance(format, str):
        raise NotEvidence(
            "this is no evidence file of Rapport; give what 'rapport evidence ENGAGEMENT -o FILE' wrote"
        )
    _known_format(format)
    last = file.fields[-1]
    if whole and last is not None and last.get("record") == "signature":
        file.signature = last
        del file.lines[-1], file.fields[-1], file.records[-1]
    return file


def _known_format(format: object) -> None:
    number = format.removeprefix(FAMILY) if isinstance(format, str) else ""
    if isinstance(format, str) and format.startswith(FAMILY) and number.isdecimal() and format != FORMAT:
        raise NotEvidence(
            f"this file says that it has format {FAMILY}{int(number[:9])}, and this version reads {FORMAT}; "
            "check it with the version of Rapport that wrote it, or a newer one"
        )


def _whole(file: _File, evidence: Evidence | None, manifest: Manifest | None) -> list[Fault]:
    if file.signature is not None and (manifest is None or file.records[-1] is not manifest):
        return [
            Fault(
                "whole",
                "the list of the file's lines, which stands before the signature, was removed or edited",
            )
        ]
    if file.signature is not None or (
        file.whole and file.records and file.records[-1] is manifest is not None
    ):
        return []
    there = file.all(EventKept)
    of = f" of {evidence.events}" if evidence is not None else ""
    place = f"after event {len(there)}{of}" if there else "before its first event"
    if head_or_later(file):
        place = "behind its events"
    return [Fault("whole", f"the file is cut off {place}: its end, with the signature, is missing")]


def head_or_later(file: _File) -> bool:
    """Tell whether a file that is cut off still holds its last event and what follows."""
    return file.only(Links) is not None or file.only(Head) is not None


def _untouched(file: _File, manifest: Manifest | None) -> list[Fault]:
    if manifest is None:
        return []
    if not list_is_sound(manifest):
        return [Fault("untouched", "the file's own list of its lines was edited")]
    place = file.records.index(manifest)
    return list(differences(manifest, file.lines[:place], file.fields[:place]))


def _examined(file: _File, evidence: Evidence | None, head: Head | None) -> list[Fault]:
    if not file.whole or (file.signature is None and file.only(Manifest) is None):
        # Of a file that is cut off, all else is missing for that reason.
        return []
    events, policies = file.all(EventKept), file.all(PolicyKept)
    kept = kept_events(events, evidence)
    unread = [place for place, each in enumerate(file.records, 1) if each is None]
    found = [Fault("whole", f"line {place} of the file cannot be read any more") for place in unread]
    found += order_faults(events, evidence.events if evidence is not None else None)
    found += content_faults(kept) if evidence is not None else ()
    found += chain_faults(kept, head)
    found += opened_faults(events, evidence.personal if evidence is not None else None)
    found += policy_faults(policies, events, evidence.policies if evidence is not None else None)
    found += head_faults(kept, file.all(Links), head)
    if head is None or evidence is None:
        found.append(
            Fault("head", "the agency's head was removed" if head is None else "the first line was removed")
        )
    elif evidence.links and not file.all(Links):
        found.append(Fault("head", "the way to the agency's head was removed"))
    return found


def _signature(file: _File, faults: Sequence[Fault]) -> list[Fault]:
    if file.signature is None:
        cut = any(fault.check == "whole" for fault in faults)
        return [] if cut else [Fault("signature", "the signature is missing: nobody vouches for this file")]
    content = b"".join(line + b"\n" for line in file.lines)
    if holds(file.signature, content):
        return []
    if faults:
        return [Fault("signature", "the signature does not fit the content")]
    return [
        Fault(
            "signature",
            "the signature does not fit the content, though all else fits together: it was edited itself, "
            "or the content was changed and its hashes recomputed by somebody without the key",
        )
    ]


def _answers(
    faults: Sequence[Fault], file: _File, evidence: Evidence | None, *, named: bool
) -> dict[Check, Answer]:
    failed = {fault.check for fault in faults}
    skipped: set[Check] = set()
    if not named:
        skipped.add("key")
    if evidence is None or not evidence.links:
        skipped.add("head")
    if evidence is None or evidence.personal == "sealed":
        skipped.add("opened")
    if "whole" in failed and file.signature is None:
        skipped |= {each for each in CHECKS if each != "whole"}
    return {
        each: "fails" if each in failed else "not-checked" if each in skipped else "holds" for each in CHECKS
    }
