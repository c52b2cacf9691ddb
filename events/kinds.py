"""The small closed vocabularies that events, commands and policies share.

They are part of stored formats: a value may be added, never renamed or reused.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from events.canonical import instant


def _aware(moment: datetime) -> datetime:
    instant(moment)
    return moment


Moment = Annotated[datetime, AfterValidator(_aware)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
RuleId = Code

Evidence = Literal["asserted", "system", "candidate-confirmed"]
Channel = Literal["in-person", "phone", "video", "email", "sms", "chat", "letter", "portal", "unknown"]
Direction = Literal["to-candidate", "from-candidate", "both"]
Purpose = Literal["talk", "preparation", "debrief", "answer", "check-in", "introduction"]
Mode = Literal["observe", "remind", "enforce"]
OwnerRole = Literal["candidate-owner", "job-order-owner"]
Recipient = Literal["owner", "team-lead", "director", "candidate"]
Awaited = Literal["recruiter", "candidate", "client"]
RungAction = Literal["remind", "breach", "escalate", "message", "propose-reassignment"]
Stage = Literal["intake", "matching", "submission", "interview", "placement", "closed"]
WithdrawalScope = Literal["submission", "engagement"]
