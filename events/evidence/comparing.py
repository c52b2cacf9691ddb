"""What changed between the lines as they were made and the lines as they are, by the file's own list of them.

The list itself may be forged: what it does not show, the other checks and the signature do.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from events.evidence.examining import swapped
from events.evidence.faults import Fault, listed, shown
from events.evidence.lines import Fields, entries_digest, record_of, short
from events.evidence.records import HASHES, Entry, Manifest

Key = tuple[str, str]
_PLAIN: Final = {
    "evidence": "the first line, which says what the file is,",
    "summary": "the summary",
    "links": "the way to the agency's head",
    "head": "the agency's head",
}


def list_is_sound(manifest: Manifest) -> bool:
    """Tell whether a list of lines is what its own digest was made from."""
    return entries_digest(manifest.lines) == manifest.sha256


def differences(
    manifest: Manifest, lines: Sequence[bytes], fields: Sequence[Fields | None]
) -> Iterator[Fault]:
    """Name the lines that were removed, replaced, swapped, added or edited, the plainest first."""
    made: dict[Key, Entry] = {(each.record, each.key): each for each in manifest.lines}
    found = _keys(manifest, fields)
    there = {key: place for place, key in enumerate(found) if key is not None}
    missing = [entry for key, entry in made.items() if key not in there]
    extra = [key for key in found if key is not None and key not in made]
    yield from _missing(missing, extra)
    yield from _swapped(manifest, [key for key in found if key in made])
    for key, place in there.items():
        entry = made.get(key)
        if entry is not None and hashlib.sha256(lines[place]).hexdigest() != entry.sha256:
            yield _edited(entry, fields[place])
    if len(found) - len(there) > 0 and not missing and not extra:
        yield Fault("untouched", "a line comes more than once: one of them was put in")


def _keys(manifest: Manifest, fields: Sequence[Fields | None]) -> list[Key | None]:
    """Tell the lines apart; one that cannot be read any more is taken for the one that stood in its place."""
    read: list[Key | None] = []
    for each in fields:
        record = record_of(each) if each is not None else None
        read.append((record.record, record.key) if record is not None else None)
    known = set(read)
    for place, entry in enumerate(manifest.lines[: len(read)]):
        key = (entry.record, entry.key)
        if read[place] is None and key not in known:
            read[place] = key
    return read


def _missing(missing: Sequence[Entry], extra: Sequence[Key]) -> Iterator[Fault]:
    others = {record for record, _ in extra}
    for entry in missing:
        if entry.record in others and entry.record == "policy":
            other = next(key for record, key in extra if record == "policy")
            says = f"{_name(entry)} was replaced by another policy ({shown(other[:12])})"
            yield Fault("untouched", says)
        elif entry.record in others:
            says = f"{_name(entry)} was replaced by another"
            yield Fault("untouched", says, _version(entry))
        else:
            yield Fault("untouched", f"{_name(entry)} was removed", _version(entry))
    if extra and not missing:
        yield Fault("untouched", f"a line was added that was not there: a {shown(extra[0][0])}")


def _swapped(manifest: Manifest, found: Sequence[Key]) -> Iterator[Fault]:
    place = {(each.record, each.key): number for number, each in enumerate(manifest.lines)}
    numbers = [place[key] for key in found]
    if (fault := swapped(numbers)) is None:
        return
    right = sorted(numbers)
    out = [manifest.lines[right[at]] for at, number in enumerate(numbers) if number != right[at]]
    versions = [each for each in map(_version, out) if each is not None]
    if len(out) == 2 == len(versions):
        yield Fault("untouched", f"events {versions[0]} and {versions[1]} were swapped", versions[0])
    elif len(out) == 2:
        yield Fault("untouched", f"{_name(out[0])} and {_name(out[1])} were swapped")
    else:
        yield Fault("untouched", f"the lines stand in another order from {_name(out[0])} on", fault.version)


def _edited(entry: Entry, fields: Fields | None) -> Fault:
    if fields is None:
        return Fault(
            "untouched", f"{_name(entry)} was edited: its line cannot be read any more", _version(entry)
        )
    now = short(fields)
    names = sorted(
        name for name in now.keys() | entry.fields.keys() if now.get(name) != entry.fields.get(name)
    )
    if not names:
        return Fault("untouched", f"{_name(entry)} is not what the list of lines says", _version(entry))
    telling = [name for name in names if name not in HASHES] or names
    rehashed = f" and its {' and its '.join(_spaced(each) for each in names if each in HASHES)} recomputed"
    also = rehashed if len(telling) < len(names) else ""
    many = "field" if len(telling) == 1 else "fields"
    says = f"{_name(entry)} was edited in the {many} {listed(telling)}{also}"
    return Fault("untouched", says, _version(entry), shown(telling[0]))


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _name(entry: Entry) -> str:
    return _PLAIN.get(entry.record) or shown(entry.names)


def _version(entry: Entry) -> int | None:
    words = entry.names.split()
    return int(words[1]) if entry.record == "event" and len(words) > 1 and words[1].isdecimal() else None
