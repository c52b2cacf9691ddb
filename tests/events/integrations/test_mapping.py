"""What a mapping may say, and what is said of one that is wrong."""

from collections.abc import Callable

import pytest

from events.integrations.mapping import Mapping, MappingError, of_body, parse
from events.integrations.vocabulary import PROVIDERS

HEAD = 'format = 1\nprovider = "greenhouse"\n'
GOOD = (
    HEAD
    + """[[rule]]
events = ["x"]
  [[rule.command]]
  name = "record-interview-result"
    [rule.command.refs]
    interview_id = { kind = "interview", path = "body.id" }
    [rule.command.fields]
    result = { path = "body.r", values = { yes = "advance" } }
"""
)
REF = '    interview_id = { kind = "interview", path = "body.id" }\n'
RESULT = '    result = { path = "body.r", values = { yes = "advance" } }\n'
EVENTS = 'events = ["x"]\n'


def command(name: str, rest: str = "") -> str:
    return f'{HEAD}[[rule]]\n{EVENTS}  [[rule.command]]\n  name = "{name}"\n{rest}'


def ignoring(*rules: str) -> str:
    return HEAD + "".join(f'[[rule]]\n{each}\nignore = "why"\n' for each in rules)


def problems(text: str) -> list[str]:
    with pytest.raises(MappingError) as refused:
        parse(text, where="ours.toml")
    assert str(refused.value) == refused.value.problems[0]
    return refused.value.problems


MISTAKES = {
    "it is no TOML": (
        HEAD + "[[rule]]\nevents = [oops]\n",
        "ours.toml, line 4 (events = [oops]): this is no valid TOML (Invalid value); put texts in quotes, "
        "close what is open, and give each key once.",
    ),
    "it holds nothing": (
        HEAD,
        "ours.toml, line 1: there is no rule in it; add one that begins with [[rule]].",
    ),
    "the format is another": (
        GOOD.replace("format = 1", "format = 2"),
        "ours.toml, line 1, format: the first line of a mapping is format = 1; no other format is known.",
    ),
    "the provider is unknown": (
        GOOD.replace('"greenhouse"', '"greenhaus"'),
        'ours.toml, line 2, provider: there is no provider "greenhaus"; did you mean "greenhouse"?',
    ),
    "no provider is named": (
        GOOD.replace('provider = "greenhouse"\n', ""),
        'ours.toml, line 1: the key "provider" is missing; write for example provider = "greenhouse" here.',
    ),
    "the command is unknown": (
        command("record-interview-results"),
        "ours.toml, line 6, rule 1, command 1, name: "
        'there is no command "record-interview-results"; did you mean "record-interview-result"?',
    ),
    "an intent stands where a report is needed": (
        command("schedule-interview"),
        'ours.toml, line 6, rule 1, command 1, name: "schedule-interview" asks, and a message can only '
        'report what happened; use "record-interview-scheduled".',
    ),
    "an intent has no report": (
        command("open-job-order"),
        'ours.toml, line 6, rule 1, command 1, name: "open-job-order" asks, and a message can only '
        "report what happened.",
    ),
    "only people may decide it": (
        command("excuse-obligation"),
        'ours.toml, line 6, rule 1, command 1, name: "excuse-obligation" is for people of the agency or '
        "for Rapport itself; no message can give it.",
    ),
    "an engagement would be opened": (
        command("open-engagement"),
        "ours.toml, line 6, rule 1, command 1, name: "
        "a person opens an engagement, and then links the foreign ids to it.",
    ),
    "a field is unknown": (
        GOOD + '    feedbck = "body.f"\n',
        "ours.toml, line 11, rule 1, command 1, fields, feedbck: "
        'record-interview-result has no field "feedbck"; did you mean "feedback"?',
    ),
    "a field that is needed is not filled": (
        GOOD.replace(RESULT, ""),
        'ours.toml, line 5, rule 1, command 1: record-interview-result needs "result"; fill it under fields.',
    ),
    "an id that is needed is not filled": (
        GOOD.replace(REF, ""),
        'ours.toml, line 5, rule 1, command 1: record-interview-result needs "interview_id"; '
        'fill it under refs, of kind "interview".',
    ),
    "a kind of id is unknown": (
        GOOD.replace('"interview", path', '"intervew", path'),
        "ours.toml, line 8, rule 1, command 1, refs, interview_id, kind: "
        'there is no kind of foreign id "intervew"; did you mean "interview"?',
    ),
    "a kind of id gives no such id": (
        GOOD.replace('"interview", path', '"application", path'),
        "ours.toml, line 8, rule 1, command 1, refs, interview_id, kind: "
        'an application gives no "interview_id"; its kind is "interview".',
    ),
    "a command has no such id": (
        GOOD.replace(REF, REF + '    submission_id = { kind = "application", path = "body.a" }\n'),
        "ours.toml, line 9, rule 1, command 1, refs, submission_id: record-interview-result takes no "
        'foreign id as "submission_id"; choose one of "engagement", "interview_id".',
    ),
    "nothing says whose it is": (
        command("record-message"),
        "ours.toml, line 5, rule 1, command 1: nothing says whose it is; add refs.engagement of kind "
        '"candidate" or "application" or "interview" or "offer".',
    ),
    "what is new is all there is": (
        GOOD.replace('path = "body.id" }', 'path = "body.id", new = true }'),
        "ours.toml, line 5, rule 1, command 1: nothing says whose it is; add refs.engagement of kind "
        '"candidate" or "application" or "interview" or "offer".',
    ),
    "each delivery would make another": (
        command(
            "record-offer",
            '    [rule.command.refs]\n    submission_id = { kind = "application", path = "body.id" }\n',
        ),
        "ours.toml, line 5, rule 1, command 1: every delivery would make another one; "
        "name it by refs.offer_id with new = true.",
    ),
    "a constant is none of the field's": (
        GOOD.replace('"advance"', '"advanced"'),
        "ours.toml, line 10, rule 1, command 1, fields, result, values, yes: "
        'this can be no "result" of record-interview-result; did you mean "advance"?',
    ),
    "a foreign text would become an id of ours": (
        command(
            "record-attempt",
            '    [rule.command.refs]\n    engagement = { kind = "candidate", path = "body.id" }\n'
            '    [rule.command.fields]\n    channel = { value = "phone" }\n    by = "body.user"\n',
        ),
        'ours.toml, line 11, rule 1, command 1, fields, by: "by" is an id of ours, and no foreign text '
        "can be one; give values or a constant.",
    ),
    "a path is none": (
        GOOD.replace('"body.r"', '"payload.r"'),
        'ours.toml, line 10, rule 1, command 1, fields, result, path: "payload.r" is no path; '
        "one begins with body, headers, fetched, item, like body.payload.jobs[0].id.",
    ),
    "there are no items": (
        GOOD.replace('"body.r"', '"item.r"'),
        "ours.toml, line 10, rule 1, command 1, fields, result: "
        'there are no items here; say where they are, each = "body.…".',
    ),
    "nothing is fetched": (
        GOOD.replace('"body.r"', '"fetched.r"'),
        "ours.toml, line 10, rule 1, command 1, fields, result: "
        "nothing is fetched for this rule; say what is, with fetch.",
    ),
    "it cannot be fetched": (
        GOOD.replace(EVENTS, EVENTS + 'fetch = "scorecard"\n'),
        "ours.toml, line 5, rule 1, fetch: "
        'there is no thing to fetch from greenhouse "scorecard"; did you mean "scorecards"?',
    ),
    "there is nothing to fetch": (
        GOOD.replace("greenhouse", "standard-webhooks").replace(EVENTS, EVENTS + 'fetch = "invitee"\n'),
        "ours.toml, line 5, rule 1, fetch: "
        "there is nothing to fetch from standard-webhooks; leave fetch out.",
    ),
    "a reason is empty": (
        ignoring(EVENTS).replace('"why"', '""'),
        'ours.toml, line 6, rule 1, ignore: "ignore" needs words in quotes, but here is an empty text.',
    ),
    "a reason has two lines": (
        ignoring(EVENTS).replace('"why"', '"why\\nnot"'),
        'ours.toml, line 6, rule 1, ignore: "ignore" holds a line break or a control character; '
        "write it on one line.",
    ),
    "a number has no end": (
        GOOD.replace(EVENTS, EVENTS + 'when = { "body.s" = [nan] }\n'),
        "ours.toml, line 5, rule 1, when, body.s: "
        "a condition is a list of texts or numbers, or true (there) or false (not there).",
    ),
    "two things are fetched for one message": (
        ignoring(
            EVENTS + 'fetch = "scorecards"\nwhen = { "fetched.a" = true }',
            EVENTS + 'fetch = "scheduled-interviews"',
        ),
        'ours.toml, line 10, rule 2, fetch: rule 1 fetches "scorecards" for some of these messages; '
        "one thing is fetched for a message.",
    ),
    "a rule means nothing": (
        HEAD + "[[rule]]\n" + EVENTS,
        "ours.toml, line 3, rule 1: "
        'a rule has either commands, each begun by [[rule.command]], or ignore = "why".',
    ),
    "a rule ignores and reports": (
        GOOD.replace(EVENTS, EVENTS + 'ignore = "why"\n'),
        "ours.toml, line 3, rule 1: "
        'a rule has either commands, each begun by [[rule.command]], or ignore = "why".',
    ),
    "a rule is never reached": (
        ignoring('events = ["*"]', EVENTS),
        'ours.toml, line 6, rule 2: it is never reached by "x": rule 1 takes every "x" before it; '
        "put this one first, or give that one a when.",
    ),
    "a rule is never reached by one of its events": (
        ignoring('events = ["x", "y"]', 'events = ["z", "y"]'),
        'ours.toml, line 6, rule 2: it is never reached by "y": rule 1 takes every "y" before it; '
        "put this one first, or give that one a when.",
    ),
    "a rule is never reached by anything": (
        ignoring('events = ["*"]', 'events = ["*"]'),
        "ours.toml, line 6, rule 2: it is never reached by any message: rule 1 takes every message "
        "before it; put this one first, or give that one a when.",
    ),
    "a rule stands there twice": (
        ignoring(EVENTS + 'when = { "body.s" = ["a"] }', EVENTS + 'when = { "body.s" = ["a"] }'),
        "ours.toml, line 7, rule 2: rule 1 has the same event and conditions; keep one of the two.",
    ),
    "a key is misspelt": (
        GOOD.replace(EVENTS, EVENTS + 'ignores = "why"\n'),
        'ours.toml, line 5, rule 1, ignores: there is no key "ignores" here; did you mean "ignore"?',
    ),
    "no event is named": (
        GOOD.replace(EVENTS, ""),
        'ours.toml, line 3, rule 1: the key "events" is missing; '
        'write for example events = ["candidate_stage_change"] here.',
    ),
    "a condition asks nothing": (
        GOOD.replace(EVENTS, EVENTS + 'when = { "body.s" = [] }\n'),
        "ours.toml, line 5, rule 1, when, body.s: "
        "a condition is a list of texts or numbers, or true (there) or false (not there).",
    ),
    "a condition on an item chooses messages": (
        GOOD.replace(EVENTS, EVENTS + 'each = "body.l"\nwhen = { "item.s" = ["a"] }\n'),
        "ours.toml, line 6, rule 1, when, item.s: a condition on an item stands in the when of a command.",
    ),
    "a zone is unknown": (
        GOOD.replace(HEAD, HEAD + 'zone = "Europe/Londn"\n'),
        'ours.toml, line 3, zone: there is no zone "Europe/Londn"; did you mean "Europe/London"?',
    ),
    "a zone is given to what is no time": (
        GOOD.replace('"advance" } }', '"advance" }, zone = "UTC" }'),
        "ours.toml, line 10, rule 1, command 1, fields, result: "
        '"result" is no time, so zone and date say nothing; leave them out.',
    ),
    "a field has a path and a constant": (
        GOOD.replace('values = { yes = "advance" }', 'value = "advance"'),
        "ours.toml, line 10, rule 1, command 1, fields, result: "
        'write either path = "body.…", or value = and a constant.',
    ),
    "whose a message is stands only in the provider's answer": (
        GOOD.replace(
            "[[rule]]", '[[whose]]\nevents = ["x"]\nkind = "application"\npath = "fetched.id"\n[[rule]]', 1
        ),
        "ours.toml, line 6, whose 1, path: a message says by itself whose it is; begin with body or headers.",
    ),
    "an id is written as a field": (
        GOOD.replace('{ kind = "interview", path = "body.id" }', '"body.id"'),
        "ours.toml, line 8, rule 1, command 1, refs, interview_id: "
        'the text "body.id" stands where a table belongs.',
    ),
}


class TestParse:
    @pytest.mark.parametrize("mistake", MISTAKES)
    def test_says_in_one_sentence_what_is_wrong_and_where(self, mistake: str) -> None:
        text, says = MISTAKES[mistake]
        assert problems(text) == [says]

    def test_finds_every_mistake_in_the_order_of_the_file(self) -> None:
        found = problems(
            GOOD.replace('"interview", path', '"intervew", path') + '    mood = "body.m"\n    by = 1\n'
        )
        assert [each.split(", ")[1] for each in found] == ["line 8", "line 12"]

    def test_takes_a_path_alone_for_a_field(self) -> None:
        short = parse(GOOD + '    feedback = "body.f"\n')
        assert short == parse(GOOD + '    feedback = { path = "body.f" }\n')

    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_takes_what_ships_with_and_without_its_examples(
        self, provider: str, shipped: Callable[..., Mapping]
    ) -> None:
        assert shipped(provider).provider == shipped(provider, examples=True).provider == provider

    def test_needs_no_rule_of_a_generic_sender(self) -> None:
        assert parse('format = 1\nprovider = "standard-webhooks"\n').rule == ()

    @pytest.mark.parametrize(
        "text", ["", "[", 'rule = "x"', "rule = [1]", "whose = [{}]", "[rule]\na = 1", "[[rule.command]]"]
    )
    def test_refuses_anything_else_with_sentences(self, text: str) -> None:
        assert all(each.startswith("ours.toml") for each in problems(text))

    def test_refuses_lists_without_end(self) -> None:
        assert problems("rule = " + "[" * 100_000) != []


class TestBody:
    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_comes_back_as_it_went(self, provider: str, shipped: Callable[..., Mapping]) -> None:
        mapping = shipped(provider, examples=True)
        assert of_body(mapping.body()) == mapping
        assert of_body(mapping.body()).digest() == mapping.digest()

    def test_does_not_tell_how_the_file_was_written(self) -> None:
        spaced = GOOD.replace("  [[rule.command]]", "# a comment\n\n[[rule.command]]")
        assert parse(spaced).digest() == parse(GOOD).digest()

    def test_tells_every_difference_in_meaning(self) -> None:
        assert parse(GOOD.replace('"advance"', '"hold"')).digest() != parse(GOOD).digest()

    def test_is_a_stored_format(self) -> None:
        """A default that changes would change the meaning of what is stored."""
        assert parse(GOOD).body() == (
            '{"format":1,"provider":"greenhouse","rule":[{"command":[{"fields":{"result":{"path":"body.r",'
            '"values":{"yes":"advance"}}},"name":"record-interview-result","refs":{"interview_id":'
            '{"kind":"interview","path":"body.id"}}}],"events":["x"]}]}'
        )
