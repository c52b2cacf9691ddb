"""What a person should look at in an engagement's record, told for whoever reads the evidence.

The same as the table of findings holds; a finding is never an event, and a later version may find more.
"""

from collections.abc import Iterator, Sequence

from events.codec import decode
from events.envelope import Stored
from events.evidence.records import FindingTold
from events.evolve import evolve
from events.fold import annulled_ids
from events.projections.findings import What, found_in
from events.state import Engagement


def findings(events: Sequence[Stored]) -> Iterator[FindingTold]:
    """List what stands out in a whole stream; what was annulled stands out no more."""
    annulled, state = annulled_ids(events), Engagement()
    for stored in events:
        if stored.event_id not in annulled:
            event = decode(stored)
            state = evolve(state, event)
            for what in found_in(event, state):
                yield FindingTold(kind=what[0], version=stored.version, says=_says(what))


def _says(what: What) -> str:
    kind, rule, mode, command, detail, subject = what
    about = f" ({subject.replace(':', ' ')})" if subject is not None else ""
    match kind:
        case "gate-bypassed":
            why = "it had happened already" if detail == "report" else f"it is in mode {mode}"
            return f"Gate {rule} was not met by {command}{about} and did not stop it: {why}."
        case "command-refused":
            return f"Gate {rule} refused {command}{about}."
        case "message-refused":
            return f"A message could not be applied ({detail})."
        case "fit-overridden":
            return f"{detail} put a job forward below the policy's floor{about}."
        case "consent-unknown":
            return f"Nobody recorded whether the candidate agreed to a check of {detail}{about}."
        case "past-partly-judged":
            return f"Of the imported past only these promises can be judged: {detail or 'none'}."
        case "evidence-asserted":
            return f"There is nothing but somebody's word for this{about}."
        case _:
            said = f": {detail}" if detail is not None else ""
            return f"{kind.replace('-', ' ').capitalize()}{about}{said}."
