"""The activities that read and write an engagement's stream for its workflow.

Nothing personal may pass here in clear: an event goes to a workflow with its personal fields still sealed.
"""

from collections.abc import Iterable, Sequence
from typing import Final, assert_never

from temporalio import activity

from activities.directory import Directory
from activities.errors import for_temporal, refusal
from activities.types import (
    AppendedReply,
    AppendReply,
    ConflictReply,
    FencedReply,
    LoadReply,
    LoadRequest,
    OfficesReply,
    OfficesRequest,
    PolicyReply,
    PolicyRequest,
    Reply,
    ReusedReply,
    StreamClosedReply,
    TakenReply,
)
from events.clock import ClockSpec
from events.envelope import AppendRequest, Stored
from events.log.port import (
    Appended,
    AppendResult,
    CommandIdReused,
    Conflict,
    EventLog,
    Fenced,
    StreamClosed,
    Taken,
)

# Temporal refuses a payload of 2 MiB and warns at 256 KiB; encryption adds a little.
PAGE_BYTES: Final = 512 * 1024
PAGE_EVENTS: Final = 500


class Recording:
    """An engagement's way to the log: append, load, load a policy."""

    def __init__(self, log: EventLog, directory: Directory, *, page_bytes: int = PAGE_BYTES) -> None:
        self._log = log
        self._directory = directory
        self._page_bytes = page_bytes

    @activity.defn(name="append")
    async def append(self, request: AppendRequest) -> AppendReply:
        """Append a stream's command groups; safe to repeat, whatever became of the last try."""
        with for_temporal("append to the log"):
            [result] = await self._log.append_many([request])
            return AppendReply(result=self._reply(result))

    @activity.defn(name="load")
    async def load(self, request: LoadRequest) -> LoadReply:
        """Read one page of a stream; if asked to, first take a new run epoch and note what is folded."""
        with for_temporal("load a stream from the log"):
            run_epoch = None
            if request.begin_run:
                clock = request.clock.model_dump_json() if request.clock is not None else None
                run_epoch = await self._log.open_writer(request.agency, request.stream, clock)
            if request.acked is not None:
                await self._log.acknowledge(request.agency, request.stream, request.acked)
            # The head first: what is appended between the two reads shows as an event, never as a gap.
            head = await self._log.head(request.agency, request.stream)
            found = await self._log.read_stream(
                request.agency, request.stream, after=request.after, limit=PAGE_EVENTS
            )
            events = _page(found, self._page_bytes)
            last = events[-1].version if events else request.after
            version = max(head.version if head else 0, found[-1].version if found else 0)
            return LoadReply(
                events=events,
                version=version,
                more=last < version,
                run_epoch=run_epoch,
                phase=head.phase if head else "live",
                clock=ClockSpec.model_validate_json(head.clock) if head and head.clock else None,
            )

    @activity.defn(name="load-policy")
    async def load_policy(self, request: PolicyRequest) -> PolicyReply:
        """Fetch the body of a policy by its digest, or of the one that the agency follows now."""
        with for_temporal("load a policy"):
            digest = request.digest or await self._directory.policy_digest(request.agency)
            body = await self._log.load_policy(request.agency, digest) if digest else None
            if digest is None or body is None:
                named = f"no policy {digest[:12]}" if digest else "no policy yet"
                raise refusal(
                    f"agency '{request.agency}' has adopted {named}; adopt one with 'rapport agency load'",
                    "UnknownPolicy",
                )
            return PolicyReply(digest=digest, body=body)

    @activity.defn(name="load-offices")
    async def load_offices(self, request: OfficesRequest) -> OfficesReply:
        """Tell where people work, whose calendar counts for what they owe."""
        with for_temporal("look up offices"):
            found = await self._directory.offices(request.agency, request.people)
            return OfficesReply(offices=found)

    def _reply(self, result: AppendResult) -> Reply:
        match result:
            case Appended(version=version, events=events, outcomes=outcomes):
                return AppendedReply(version=version, events=_sealed(events), outcomes=outcomes)
            case Conflict(version=version, missing=missing, known=known):
                page = _page(missing, self._page_bytes)
                return ConflictReply(version=version, missing=page, known=known)
            case CommandIdReused(command_id=command_id):
                return ReusedReply(command_id=command_id)
            case Taken(command_id=command_id, kind=kind, key=key, holder=holder):
                return TakenReply(command_id=command_id, kind=kind, key=key, holder=holder)
            case Fenced(run_epoch=run_epoch):
                return FencedReply(run_epoch=run_epoch)
            case StreamClosed(command_id=command_id):
                return StreamClosedReply(command_id=command_id)
            case _:
                assert_never(result)


def _sealed(events: Iterable[Stored]) -> tuple[Stored, ...]:
    # The hashes stay behind too: raw bytes have no JSON form, and a workflow verifies nothing.
    bare = {"opened": {}, "content_hash": b"", "chain_hash": b""}
    return tuple(event.model_copy(update=bare) for event in events)


def _page(events: Sequence[Stored], largest: int) -> tuple[Stored, ...]:
    page: list[Stored] = []
    size = 0
    for event in _sealed(events):
        size += len(event.model_dump_json().encode())
        if page and size > largest:
            break
        page.append(event)
    return tuple(page)
