"""Findings are told in sentences, and vanish with the event they were computed from."""

from datetime import timedelta
from types import ModuleType
from typing import TYPE_CHECKING

from events.evidence.findings import findings

if TYPE_CHECKING:
    from tests.events.specification import World


class TestFindings:
    def test_tell_every_kind_in_a_sentence(self, world: "World", lives: ModuleType) -> None:
        life = world.life()
        lives.live(life, list(lives.LIFE))
        now = life.journal[-1][0] + timedelta(days=1)
        life.do("record-contact", now, contact_id="c-9", evidence="asserted", evidence_ref=None)
        life.do("record-submission", now, submission_id="s-3", job_order_id="j-3", application_id=None)
        life.do("submit", now, submission_id="s-4", job_order_id="j-4", application_id=None)
        found = list(findings(life.stream))
        kinds = {each.kind for each in found}
        assert {"evidence-asserted", "gate-bypassed", "command-refused"} <= kinds
        assert all(each.says[0].isupper() and each.says.endswith(".") for each in found)
        assert len({each.key for each in found}) == len(found)

    def test_vanish_with_what_was_annulled(self, world: "World") -> None:
        life = world.life()
        life.do("open-engagement", world.noon)
        life.do("record-contact", world.noon, contact_id="c-1", evidence="asserted", evidence_ref=None)
        assert [each.kind for each in findings(life.stream)] == ["evidence-asserted"]
        life.do("annul-event", world.noon, event_id=life.id_of("contact-made"))
        assert list(findings(life.stream)) == []
