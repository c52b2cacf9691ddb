"""What is sent to ``/v1/subscriptions``, and what comes back.

Only :class:`Secret` holds one: a subscription that is read shows none.
"""

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from workers.delivering.desk import LONGEST_NAME

ID: Final = "s-q2VtJx0mTzW1bHnK"
_SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Add(_Strict):
    """A receiver, and what it is told of."""

    url: str = Field(max_length=2000, examples=["https://hr.example.org/hooks/rapport"])
    types: tuple[str, ...] = Field(
        default=(),
        max_length=200,
        description="None: every type.",
        examples=[["rapport.interview-scheduled"]],
    )
    personal: bool = Field(default=False, description="Personal fields leave the agency as well.")
    name: str = Field(default="", max_length=LONGEST_NAME, examples=["HR system"])


class Rotate(_Strict):
    """How long the old secret signs beside the new one."""

    keep_hours: float = Field(default=24, ge=0, le=720, examples=[24])


class Replay(_Strict):
    """Where telling begins again."""

    position: int = Field(ge=1, lt=2**62, description="The first to be told again.", examples=[17])


class Subscribed(BaseModel):
    """A subscription, and how far it has come."""

    subscription: str = Field(examples=[ID])
    name: str = Field(examples=["HR system"])
    url: str = Field(examples=["https://hr.example.org/hooks/rapport"])
    types: list[str] = Field(examples=[["interview-scheduled"]])
    personal: bool = Field(examples=[False])
    state: Literal["active", "paused", "gone"] = Field(description="gone: its receiver answered 410")
    created_at: datetime
    failures: int = Field(description="messages in a row that were not taken", examples=[0])
    answered_at: datetime | None
    status: int | None = Field(description="of the last answer", examples=[204])
    says: str | None = Field(examples=["it answered 204"])
    settled: int = Field(description="all up to this position is dealt with", examples=[17])
    behind: int = Field(description="how many events of the log lie after that", examples=[0])
    pending: int = Field(examples=[0])
    parked: int = Field(description="tried to the end of the schedule", examples=[0])
    next_at: datetime | None


class Page(BaseModel):
    """Every subscription of the agency."""

    items: list[Subscribed]
    next: None = None


class Secret(BaseModel):
    """The secret that signs; it is not shown again."""

    subscription: str = Field(examples=[ID])
    secret: str = Field(examples=[_SECRET])


class Tested(BaseModel):
    """What came back."""

    delivered: bool = Field(examples=[True])
    status: int | None = Field(examples=[204])
    says: str = Field(examples=["it answered 204"])


class Again(BaseModel):
    """How many events or messages are told or tried again."""

    count: int = Field(examples=[3])
