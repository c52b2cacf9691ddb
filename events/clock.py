"""The domain's clock: what time it is for promises, whatever the server's clock says.

Every function takes the present moment as an argument; nothing here reads a clock.
"""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ClockSpec(BaseModel):
    """``live`` runs from *origin* at *rate* domain seconds a second; ``stepped`` follows the commands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["live", "stepped"] = "live"
    origin: datetime | None = Field(
        default=None, description="domain time at *started*; None: the server's own"
    )
    started: datetime | None = Field(default=None, description="server time at *origin*")
    rate: float = Field(default=1.0, gt=0)


def domain_now(spec: ClockSpec, now: datetime) -> datetime:
    """Translate the server's time into domain time."""
    if spec.origin is None or spec.started is None:
        return now
    return spec.origin + (now - spec.started) * spec.rate


def timer_delay(spec: ClockSpec, now: datetime, due: datetime) -> timedelta:
    """Tell how long the server must wait until a domain moment; never negative."""
    return max(timedelta(), (due - domain_now(spec, now)) / spec.rate)


def decision_time(spec: ClockSpec, now: datetime, at: datetime | None, last: datetime | None) -> datetime:
    """Give the time at which a command is decided: never earlier than the stream's last decision.

    A stepped clock stands at the command's own time, so that an old log runs at its own dates.
    """
    moment = at if spec.kind == "stepped" and at is not None else domain_now(spec, now)
    return moment if last is None or moment > last else last
