"""What holds of reading any message at all."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.envelope import Actor
from events.integrations.aspects import aspect
from events.integrations.mapping import Mapping, MappingError, of_body, parse
from events.integrations.message import Message
from events.integrations.paths import Source
from events.integrations.reading import Ignored, KnownIds, Means, Ours, Waits, mentions, read
from events.integrations.rules import Rule
from events.integrations.vocabulary import JOB_ORDER_REPORTS, PROVIDERS
from events.orders import parse_order

SECRET: Final = "Ada Lovelace"
# What a body may hold: anything JSON can, and mostly what a mapping looks for.
WORDS: Final = st.sampled_from(
    [
        SECRET,
        "5",
        "Scheduled",
        "Accepted",
        "Created",
        "2026-03-09T10:00:00Z",
        "2026-03-09",
        "04/15/2013",
        "REJECTED",
        "\ud800",
        "",
    ]
)
LEAVES: Final = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS | st.just(10**400)
)
TOKENS: Final = st.sampled_from(
    [
        "",
        "nan",
        "1",
        "true",
        "[]",
        "{}",
        "[1]",
        '"x"',
        '"body.x"',
        '"item.x"',
        "=",
        "#",
        "[[rule]]",
        "x",
        "2026-01-05",
        "inf",
    ]
)
DEPLOY: Final = Path(__file__).parents[3] / "deploy" / "connections"
KNOWN: Final = KnownIds(
    {
        ("application", "5"): Ours("e-1", "s-1", "jo-1"),
        ("candidate", "5"): Ours("e-1"),
        ("interview", "5"): Ours("e-1", "i-1"),
        ("offer", "5"): Ours("e-1", "o-1"),
        ("job", "5"): Ours(job_order="jo-1"),
    },
    lambda text: f"{len(text):032x}",
)


def bodies(mapping: Mapping) -> st.SearchStrategy[Any]:
    """Draw any JSON, its keys those that the mapping looks for."""
    words = {word for text in mapping.body().split('"') for word in text.split(".")}
    keys = st.sampled_from(sorted(word.split("[")[0] for word in words if word.isidentifier()))
    own = st.sampled_from(["type", "subject", "data", "at"])
    return st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | own, inner, max_size=6),
        max_leaves=12,
    )


def put(root: dict[str, Any], path: str, value: Any) -> None:
    *way, last = path.replace("[0]", "").split(".")
    inner = root
    for step in way:
        found = inner.setdefault(step, {})
        inner = found if isinstance(found, dict) else {}
    inner[last] = value


def wished(condition: Any) -> st.SearchStrategy[Any]:
    if isinstance(condition, bool):
        return st.just("5") if condition else st.none()
    return st.sampled_from(list(condition))


def answering(rule: Rule, draw: Callable[[Any], Any]) -> dict[str, Any]:
    """Draw a message that a rule is made for, mostly: something else may stand at any of its places."""
    root: dict[str, Any] = {"body": {}, "fetched": {}, "item": {}}
    places: dict[str, st.SearchStrategy[Any]] = {}
    for command in rule.command:
        for value in command.fields.values():
            if value.path is not None:
                known = st.sampled_from([*(value.values or {}), "2026-03-09T10:00:00Z"])
                places[value.path] = known
        places |= {ref.path: st.sampled_from(["5", 5, "new"]) for ref in command.refs.values()}
        places |= {path: wished(condition) for path, condition in command.when.items()}
    places |= {path: wished(condition) for path, condition in rule.when.items()}
    for path, usual in places.items():
        put(root, path, draw(LEAVES if draw(st.integers(0, 19)) == 0 else usual))
    if rule.each is not None:
        put(root, rule.each, [root["item"]] * draw(st.integers(0, 2)))
    return root


def attempt(text: str) -> tuple[Mapping | None, list[str]]:
    try:
        return parse(text, where="ours.toml"), []
    except MappingError as error:
        return None, error.problems


def message(event: str, body: Any, fetched: Any) -> Message:
    return Message(event, datetime(2026, 3, 2, tzinfo=UTC), body, {}, fetched)


def looked_at(message: Message, mapping: Mapping) -> list[Any]:
    source = Source(message)
    paths = [path for each in mapping.whose for path in each.shows]
    return [source.find(path) for path in [*paths, *(path for rule in mapping.rule for path in rule.when)]]


def check(message: Message, mapping: Mapping) -> None:
    assert all(external for _, external in mentions(message, mapping))
    meaning = read(message, mapping, KNOWN)
    assert read(message, mapping, KNOWN) == meaning
    match meaning:
        case Means(commands=commands):
            assert commands
            for each in commands:
                assert (each.engagement is None) != (each.job_order is None)
                assert aspect(each) is None or str(each.engagement or each.job_order) in str(aspect(each))
                if each.name not in JOB_ORDER_REPORTS:
                    given_at = {} if each.at is None else {"at": each.at}
                    order = parse_order(
                        each.name,
                        {**each.fields, **given_at},
                        command_id="hook:1:0",
                        actor_default=Actor(kind="integration", id="c-1"),
                        source=mapping.provider,
                    )
                    assert order.command.kind == "report"
        case Waits(says=says):
            # A sentence names what stands where the mapping looks for a stage or a status, and nothing else.
            assert SECRET not in says or SECRET in looked_at(message, mapping)
            assert says.endswith((".", "?"))
            assert "\n" not in says
        case Ignored(reason=reason):
            assert reason


@pytest.mark.parametrize("provider", PROVIDERS)
class TestReadingAnything:
    @settings(max_examples=40)
    @given(data=st.data())
    def test_never_raises(self, provider: str, shipped: Callable[..., Mapping], data: st.DataObject) -> None:
        mapping = shipped(provider, examples=True)
        events = sorted({event for rule in mapping.rule for event in rule.events})
        own = ["rapport.command.resume", "rapport.command.record-message", "rapport.command.hold-job-order"]
        event = data.draw(st.sampled_from([*events, *own, "nothing-we-know"]))
        check(message(event, data.draw(bodies(mapping)), data.draw(bodies(mapping))), mapping)

    @settings(max_examples=60)
    @given(data=st.data())
    def test_gives_only_reports_that_are_whole_of_what_its_rules_are_made_for(
        self, provider: str, shipped: Callable[..., Mapping], data: st.DataObject
    ) -> None:
        mapping = shipped(provider, examples=True)
        rule = data.draw(st.sampled_from(mapping.rule))
        root = answering(rule, data.draw)
        event = data.draw(st.sampled_from(rule.events))
        check(
            message(event, root["body"], data.draw(st.sampled_from([root["fetched"]] * 3 + [None]))), mapping
        )


@pytest.mark.parametrize("provider", PROVIDERS)
class TestParsingAnything:
    @settings(max_examples=30)
    @given(data=st.data())
    def test_gives_a_mapping_that_can_be_kept_or_sentences(self, provider: str, data: st.DataObject) -> None:
        """Somebody edits what ships: lines lost, said twice, or with another word in them."""
        lines = (DEPLOY / f"{provider}.toml").read_text(encoding="utf-8").split("\n")
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(lines) - 1))
            words = lines[at].split(" ")
            words[data.draw(st.integers(0, len(words) - 1))] = data.draw(TOKENS)
            times = data.draw(st.sampled_from([0, 1, 1, 1, 2]))
            lines[at : at + 1] = [" ".join(words)] * times
        mapping, problems = attempt("\n".join(lines))
        assert all(each.startswith("ours.toml") and "\n" not in each for each in problems)
        if mapping is None:
            assert problems
        else:
            assert of_body(mapping.body()) == mapping
            check(message(data.draw(st.sampled_from(["x", "offer_deleted"])), {}, {}), mapping)
