"""Reads an engagement out of a log for evidence, and verifies it on the way.

What does not hold is refused: a signature under a broken record would vouch for it.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from events.envelope import Stored
from events.evidence.examining import digests_of
from events.evidence.lines import event_kept
from events.evidence.making import Material, links_of
from events.evidence.records import Head, PolicyKept
from events.log.hashing import link
from events.log.port import EventLog, LogHead
from events.log.verify import broken_at
from events.policy import read_policy

PAGE: Final = 50_000
# About 7 MB of links; who wants more of them asks for it.
MOST_LINKS: Final = 100_000


class EvidenceError(Exception):
    """No evidence can be given; the message is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class _Way:
    before: bytes
    hashes: list[bytes]
    length: int


async def gather(
    log: EventLog, agency: str, engagement: str, *, personal: bool, links: bool | None = None
) -> Material:
    """Read and verify an engagement; *links* None takes the way to the head along where it is not too long.

    :raises EvidenceError: there is no such engagement, or the log does not hold.
    """
    stream = f"engagement:{engagement}"
    top = await log.log_head(agency)
    events = [
        each
        for each in await log.read_stream(agency, stream, open_personal=personal)
        if each.position <= top.position
    ]
    if not events:
        raise EvidenceError(
            f"there is no engagement '{engagement}' in agency '{agency}'; 'rapport list' names them"
        )
    ciphertexts = await log.ciphertexts(agency, stream)
    if (broken := broken_at(events, ciphertexts)) is not None:
        raise _broken(engagement, broken.reason)
    way = await _way(log, agency, top, events[0].position, keep=links)
    taken = way.hashes if links or (links is None and way.length <= MOST_LINKS) else []
    return Material(
        agency=agency,
        engagement=engagement,
        events=events,
        policies=await _policies(log, agency, events),
        head=Head(
            version=events[-1].version,
            chain_hash=events[-1].chain_hash.hex(),
            position=top.position,
            head_hash=top.head_hash.hex(),
        ),
        links=links_of([each.position for each in events], way.before, taken) if taken else (),
        ciphertexts=ciphertexts,
        personal=personal,
    )


async def _way(log: EventLog, agency: str, top: LogHead, first: int, *, keep: bool | None) -> _Way:
    reached, before, hashes, after = b"", b"", list[bytes](), 0
    length = top.position - first + 1
    wanted = keep or (keep is None and length <= MOST_LINKS)
    while after < top.position:
        page = await log.chain_hashes(agency, after=after, limit=min(PAGE, top.position - after))
        if not page:
            break
        for each in page:
            after += 1
            before = reached if after == first else before
            reached = link(reached, each)
            if wanted and after >= first:
                hashes.append(each)
    if (after, reached) != (top.position, top.head_hash):
        raise EvidenceError(
            "the agency's log does not lead to the hash of its head; 'rapport verify --all' says more"
        )
    return _Way(before, hashes, length)


async def _policies(log: EventLog, agency: str, events: Sequence[Stored]) -> list[PolicyKept]:
    digests = dict.fromkeys(digest for each in events for digest in digests_of(event_kept(each, "", {})))
    found = []
    for digest in digests:
        body = await log.load_policy(agency, digest)
        if body is not None and hashlib.sha256(body.encode()).hexdigest() != digest:
            raise EvidenceError(
                f"the policy kept under {digest[:12]} is not the one adopted; 'rapport restore' a backup"
            )
        name = read_policy(body).name if body is not None else None
        found.append(PolicyKept(digest=digest, name=name, body=body))
    return found


def _broken(engagement: str, reason: str) -> EvidenceError:
    return EvidenceError(
        f"the log of engagement '{engagement}' does not hold, so nothing is signed: {reason}; "
        f"'rapport verify {engagement}' tells more"
    )


def keep(path: Path, content: bytes) -> None:
    """Write a file under a new name, whole or not at all, for its owner's eyes.

    :raises EvidenceError: the name is taken, or nothing can be written there.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        if path.exists():
            raise EvidenceError(f"{path} is there already; give the name of a new file")
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        why = (error.strerror or type(error).__name__).lower()
        raise EvidenceError(f"{path} cannot be written ({why}); give another place for the file") from None
