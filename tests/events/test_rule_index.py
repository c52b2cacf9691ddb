"""A policy's rules are found by their ids and events, and a changed copy is another policy."""

from events.policy import Policy
from events.rule_index import index_of
from workers.shipped import deploy_policy

STARTER = deploy_policy("starter")


class TestIndexOf:
    def test_finds_what_a_search_would(self) -> None:
        index = index_of(STARTER)
        for rule in STARTER.obligations:
            assert index.by_id[rule.id] is STARTER.obligation(rule.id)
            for trigger in rule.opens_on:
                assert rule in index.opened_by[trigger.event]
            assert {each.event for each in (*rule.opens_on, *rule.met_by, *rule.dropped_by)} <= index.heeded
            assert all(index.met_by[trigger.event][rule.id] is rule for trigger in rule.met_by)
            assert {trigger.event for trigger in rule.dropped_by} <= index.ends
        for gate in STARTER.gates:
            assert all(gate in index.gates[command] for command in gate.guards)
        assert index.digest == STARTER.digest()

    def test_keeps_the_order_of_the_policy(self) -> None:
        """The first rule that may open is the first that opens: ids and events follow from the order."""
        order = {rule.id: place for place, rule in enumerate(STARTER.obligations)}
        for rules in index_of(STARTER).opened_by.values():
            assert [order[rule.id] for rule in rules] == sorted(order[rule.id] for rule in rules)

    def test_is_made_anew_for_a_changed_copy(self) -> None:
        before = index_of(STARTER)
        changed = STARTER.model_copy(update={"obligations": STARTER.obligations[:1]})
        assert set(index_of(changed).by_id) == {STARTER.obligations[0].id}
        assert index_of(changed).digest != before.digest
        assert index_of(STARTER) is before

    def test_is_empty_where_there_are_no_rules(self) -> None:
        assert not index_of(Policy(name="none")).by_id
