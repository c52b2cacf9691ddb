"""What a soak came to: sentences for people, and one line of JSON for machines, always the last.

A soak holds only if nothing is wrong: a figure that must be nought counts as wrong if it is not.
"""

import json

from pydantic import BaseModel

MOST_TOLD = 40


class Figures(BaseModel):
    """The last line of ``make soak``."""

    seed: int
    minutes: float
    seconds: float
    rounds: int
    scenarios: int
    overtaken: int
    commands_acknowledged: int
    kills: dict[str, int]
    worker_restarts: int
    worker_fell: int
    servers_died_alone: int
    engagements: int
    verified: int
    mismatches: int
    commands_lost: int
    commands_doubled: int
    messages: int
    cut_within_data: int
    duplicates_inside_data: int
    duplicates_before_their_record: int
    duplicates_elsewhere: int
    messages_lost: int
    messages_given_up: int
    wrong: list[str]

    @property
    def holds(self) -> bool:
        """Tell whether every promise was kept."""
        nought = (
            self.mismatches,
            self.commands_lost,
            self.commands_doubled,
            self.duplicates_elsewhere,
            self.messages_lost,
            self.servers_died_alone,
        )
        return not self.wrong and not any(nought) and self.verified == self.engagements > 0

    def sentences(self) -> list[str]:
        """Tell it in words."""
        kills = ", ".join(f"{count} {kind.replace('+', ': ')}" for kind, count in self.kills.items())
        told = [
            f"{self.rounds} rounds, {self.scenarios} stories ({self.overtaken} overtaken by a crash), "
            f"{self.commands_acknowledged} commands acknowledged, in {self.seconds:.0f} s.",
            f"Kills: {kills or 'none'}. The worker also ended {self.worker_fell} times by itself.",
            f"{self.verified} of {self.engagements} engagements verified, {self.mismatches} mismatches; "
            f"{self.commands_lost} acknowledged commands lost, {self.commands_doubled} doubled.",
            f"{self.messages} messages came, {self.duplicates_inside_data} of them again after a kill inside "
            f"DATA, {self.duplicates_before_their_record} after one between the answer and its record, "
            f"{self.duplicates_elsewhere} without such a reason; {self.messages_lost} lost, "
            f"{self.messages_given_up} given up as unknown.",
            *(f"WRONG: {each}" for each in self.wrong[:MOST_TOLD]),
        ]
        if len(self.wrong) > MOST_TOLD:
            told.append(f"and {len(self.wrong) - MOST_TOLD} more")
        return [*told, f"Seed {self.seed}: {'every promise holds' if self.holds else 'NOT as promised'}."]

    def line(self) -> str:
        """Write one line of JSON."""
        return json.dumps({**self.model_dump(), "holds": self.holds})
