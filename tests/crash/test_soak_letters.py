"""What excuses a message that came twice, and what does not."""

import pytest

from tests.crash.soak.kills import POSTGRES, WORKER, Kill, planned
from tests.crash.soak.letters import examine
from tests.crash.soak.mail import Delivery, Fate


def twice(fate: Fate, over: float | None) -> list[Delivery]:
    """Give a message that came at 10 with this fate, and again at 60."""
    return [Delivery("<m-1>", 10.0, fate, over), Delivery("<m-1>", 60.0, "ended", 61.0)]


class TestExamine:
    @pytest.mark.parametrize(
        ("fate", "over", "killed", "kind"),
        [
            ("cut", 12.0, Kill(12.0, WORKER, together=False), "inside-data"),
            ("answered", 12.0, Kill(12.1, WORKER, together=False), "inside-data"),
            ("ended", 12.0, Kill(12.1, WORKER, together=False), "before-its-record"),
            ("cut", 12.0, Kill(12.0, POSTGRES, together=False), "elsewhere"),
            ("cut", 12.0, Kill(20.0, WORKER, together=False), "elsewhere"),
            ("ended", 12.0, Kill(15.0, WORKER, together=False), "elsewhere"),
        ],
    )
    def test_excuses_only_a_sender_killed_before_the_record(
        self, fate: Fate, over: float, killed: Kill, kind: str
    ) -> None:
        post = examine(twice(fate, over), [killed], sent={"<m-1>": 2}, requested={"<m-1>"}, read_at=99.0)
        assert dict(post.duplicates) == {kind: 1}
        assert len(post.elsewhere) == (kind == "elsewhere")

    def test_misses_what_is_said_to_be_sent_and_never_came(self) -> None:
        post = examine([], [], sent={"<m-2>": 1}, requested={"<m-2>"}, read_at=99.0)
        assert post.lost == ("<m-2>",)

    def test_names_what_came_more_often_than_the_log_has_attempts(self) -> None:
        post = examine(twice("cut", 12.0), [], sent={"<m-1>": 1}, requested={"<m-1>"}, read_at=99.0)
        assert post.untold == ("<m-1>",)

    def test_names_what_nobody_asked_for(self) -> None:
        post = examine([Delivery("<m-3>", 1.0)], [], sent={}, requested=set(), read_at=99.0)
        assert post.unknown_to_log == ("<m-3>",)


class TestPlanned:
    def test_kills_the_same_for_the_same_seed(self) -> None:
        first, again, other = (
            [blow for blow, _ in zip(planned(seed), range(50), strict=False)] for seed in (1, 1, 2)
        )
        assert first == again != other
        assert {target for blow in first for target in blow.targets} == {"worker", "temporal", "postgres"}
