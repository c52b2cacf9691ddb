"""The small closed vocabularies that events, commands and policies share.

They are part of stored formats: a value may be added, never renamed or reused.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from events.canonical import instant


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is not None and 1 < moment.year < 9999:
        # No offset reaches beyond the calendar from here.
        return moment
    try:
        instant(moment)
    except OverflowError:
        raise ValueError("a moment beyond the calendar cannot be stored") from None
    return moment


def _sensible(moment: datetime) -> datetime:
    # Due times are reckoned from it, and the calendar of the library ends with the year 9999.
    if not 1900 <= moment.year < 3000:
        raise ValueError("a moment outside the years 1900 to 2999 is a slip of the pen")
    return moment


Moment = Annotated[datetime, AfterValidator(_aware)]
# A moment that a caller names.
GivenMoment = Annotated[datetime, AfterValidator(_sensible), AfterValidator(_aware)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
# What stands for a policy's content, by its bytes.
Digest = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,64}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
# A gate may name what it asks for after a colon: ``needs-check:right-to-work``.
RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,59}(:[a-z0-9][a-z0-9-]{0,59})?$")]
# One thing of an engagement, by its kind and id; ids of different kinds may be alike.
Reference = Annotated[
    str,
    StringConstraints(
        pattern=r"^(application|submission|interview|offer|message|job-order|placement|conflict|no-match)"
        r":[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
    ),
]
# The same as a caller may write it: the kind may be left out where the id says enough.
GivenReference = Annotated[
    str,
    StringConstraints(
        pattern=r"^((application|submission|interview|offer|message|job-order|placement|conflict|no-match):)?"
        r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
    ),
]
# From a wall time to a wall time, mostly over a night: 20:00-08:00.
WallHours = Annotated[
    str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$")
]
# What people say, in one piece that fits an e-mail.
Words = Annotated[str, StringConstraints(max_length=20_000)]
CommandId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:~/+=-]{0,199}$")]

Evidence = Literal["asserted", "system", "candidate-confirmed"]
Channel = Literal["in-person", "phone", "video", "email", "sms", "chat", "letter", "portal", "unknown"]
# Who began an exchange; a contact always went both ways.
Direction = Literal["outbound", "inbound", "unknown"]
Purpose = Literal[
    "talk",
    "preparation",
    "debrief",
    "answer",
    "check-in",
    "introduction",
    "wellbeing",
    "offer",
    "counter-offer",
    "pre-start",
    "redeployment",
    "after-fall-off",
]
# How the candidate says they are; plain, so that a rule may ask for it.
Sentiment = Literal["good", "mixed", "bad"]
# What a person wants from a job and brings to it, beside what a CV says.
Facet = Literal[
    "motive", "goal", "like", "dislike", "work-style", "value", "lifestyle", "constraint", "strength"
]
# Whether somebody likes their job, and whether a client finds that they excel in it.
Verdict = Literal["yes", "partly", "no"]
Claimant = Literal["another-agency", "client-direct", "candidate-direct", "unknown"]
Party = Literal["candidate", "client", "agency", "both", "unknown"]
PlacementKind = Literal["permanent", "contract", "temp-to-perm", "unknown"]
PlacementEnd = Literal["reneged", "no-start", "fall-off", "completed"]
# What a client gets when a placement ends within its guarantee.
Remedy = Literal["replacement", "pro-rata", "refund", "none"]
ClientPurpose = Literal["talk", "chase", "tell", "debrief", "check-in", "terms"]
ConflictOutcome = Literal["won", "lost", "shared", "withdrawn"]
Mode = Literal["observe", "remind", "enforce"]
# Which promises take an adopted rule's mode: those that open from then on, or what is open as well.
Modes = Literal["new", "open"]
OwnerRole = Literal["candidate-owner", "job-order-owner"]
Recipient = Literal["owner", "team-lead", "director", "candidate"]
Awaited = Literal["recruiter", "candidate", "client"]
RungAction = Literal["remind", "breach", "escalate", "message", "propose-reassignment"]
Stage = Literal["intake", "matching", "submission", "interview", "placement", "closed"]
WithdrawalScope = Literal["submission", "engagement"]
