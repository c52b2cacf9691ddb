"""What a run came to: sentences for people, and one line of JSON for machines, always the last."""

import json

from pydantic import BaseModel

from tests.crash.soak.report import MOST_TOLD


class Figures(BaseModel):
    """The last line of ``make deliveries``."""

    seed: int
    while_stopped: bool
    messages: int
    deliveries: int
    acknowledged: int
    repeats: int
    kills: dict[str, int]
    applied: int
    superseded: int
    ignored: int
    lost: int
    twice: int
    wrong_state: int
    verified: int
    mismatches: int
    seconds: float
    wrong: list[str]

    @property
    def holds(self) -> bool:
        """Tell whether every promise was kept."""
        nought = (self.lost, self.twice, self.wrong_state, self.mismatches, self.ignored)
        overtaken = self.while_stopped and self.superseded
        whole = self.applied + self.superseded == self.messages
        return whole and not self.wrong and not any(nought) and not overtaken

    def sentences(self) -> list[str]:
        """Tell it in words."""
        told = [
            f"{self.messages} messages in {self.deliveries} deliveries, {self.acknowledged} of them "
            f"acknowledged, {self.repeats} sent again, in {self.seconds:.0f} s.",
            f"The gateway died {self.kills['before-acknowledging']} times of a message that it had kept, "
            f"and was killed {self.kills['at-random']} times besides.",
            f"{self.applied} applied; {self.superseded} superseded, since something newer about the same was "
            f"applied before they came; {self.ignored} ignored.",
            f"{self.lost} lost, {self.twice} applied twice, {self.wrong_state} engagements in a wrong state; "
            f"{self.verified} verified, {self.mismatches} mismatches.",
            *(f"WRONG: {each}" for each in self.wrong[:MOST_TOLD]),
        ]
        if len(self.wrong) > MOST_TOLD:
            told.append(f"and {len(self.wrong) - MOST_TOLD} more")
        return [*told, f"Seed {self.seed}: {'every promise holds' if self.holds else 'NOT as promised'}."]

    def line(self) -> str:
        """Write one line of JSON."""
        return json.dumps({**self.model_dump(), "holds": self.holds})
