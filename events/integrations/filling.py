"""The commands of one rule, filled from one message: ids of ours for foreign ones, values for fields.

A message is filled wholly or not at all: the first thing that is missing breaks it off with one sentence.
"""

from typing import Any

from events.canonical import instant
from events.integrations.checking import fault
from events.integrations.meaning import Kind, Known, Learnt, Ours, Waits, Wanted
from events.integrations.moments import NoMoment, read_moment
from events.integrations.paths import Source, of_fetched, of_item, shown, worded
from events.integrations.rules import Mapping, Ref, Rule, RuleCommand, Value
from events.integrations.vocabulary import MADE, fields_of, sort_of_field, stream_of

_DIGITS = 16
# Fields of a ref that name a stream and are no field of the command.
STREAM_REFS = ("engagement", "job_order")


class Broken(Exception):
    """The message cannot be filled in; it waits."""

    def __init__(self, waits: Waits) -> None:
        super().__init__(waits.says)
        self.waits = waits


def _later(ref: Ref) -> bool:
    return of_fetched(ref.path) or of_item(ref.path)


class Filling:
    """One message under one rule."""

    def __init__(self, mapping: Mapping, rule: Rule, number: int, known: Known) -> None:
        self._mapping = mapping
        self._rule = rule
        self._known = known
        self._fresh: dict[tuple[Kind, str], Ours] = {}
        self.label = f"rule {number} ({rule.says})" if rule.says else f"rule {number}"

    @property
    def learns(self) -> list[Learnt]:
        """List the foreign ids that the message has told us."""
        return [
            Learnt(kind, external, str(ours.engagement), ours.ours, ours.job_order)
            for (kind, external), ours in self._fresh.items()
        ]

    def check_links(self, source: Source) -> None:
        """Make sure that every foreign id which the message does not itself explain is known.

        :raises Broken: one of them is not; its message waits for a link, not for a better mapping.
        """
        # What has not been fetched yet cannot say whether a command will be given.
        early = source.message.fetched is None and self._rule.fetch is not None
        given = self._rule.command if early else self._given(source)
        explained = {(ref.kind, ref.path) for each in given for ref in each.refs.values() if ref.new}
        for ref in (ref for each in given for ref in each.refs.values()):
            external = None if early and _later(ref) else source.external(ref.path)
            if external is not None and (ref.kind, ref.path) not in explained:
                self._find(ref, external)

    def commands(self, source: Source) -> list[Wanted]:
        """Fill in the rule's commands.

        :raises Broken: one of them cannot be.
        """
        return [self._wanted(command, source) for command in self._given(source)]

    def _given(self, source: Source) -> list[RuleCommand]:
        return [command for command in self._rule.command if source.fits(command.when)]

    def _wanted(self, command: RuleCommand, source: Source) -> Wanted:
        ids, whose = self._refs(command, source)
        at = source.message.occurred_at
        if command.at is not None and (found := source.find(command.at)) is not None:
            at = self._moment(command.at, found, Value())
        fields: dict[str, Any] = {key: each for key, each in ids.items() if key not in STREAM_REFS}
        for key, value in command.fields.items():
            if (filled := self._value(command.name, key, value, source)) is not None:
                fields[key] = filled
        if (wrong := fault(command.name, fields, at)) is not None:
            raise self._wait(f"makes a report that is none: {wrong}")
        if stream_of(command.name) == "job-order":
            return Wanted(None, command.name, fields, at, job_order=self._one(whose, "job_order"))
        return Wanted(self._one(whose, "engagement"), command.name, fields, at)

    def _refs(self, command: RuleCommand, source: Source) -> tuple[dict[str, str], list[Ours]]:
        """Turn the foreign ids into ours; what is new is told last, by whose it is."""
        ids: dict[str, str] = {}
        whose: list[Ours] = []
        for key, ref in sorted(command.refs.items(), key=lambda each: each[1].new):
            external = source.external(ref.path)
            if external is None:
                if key in STREAM_REFS or fields_of(command.name)[key].is_required() or ref.new:
                    raise self._wait(f"finds no {ref.kind}'s id at {ref.path}.")
                continue
            ours = self._made(key, ref, external, whose) if ref.new else self._find(ref, external)
            whose.append(ours)
            ids[key] = self._ours(key, ref, external, ours)
            also = source.external(ref.also) if ref.also is not None else None
            if also is not None and self._look_up(ref.kind, also) is None and ours.engagement is not None:
                self._fresh[ref.kind, also] = ours
        return ids, whose

    def _look_up(self, kind: Kind, external: str) -> Ours | None:
        return self._fresh.get((kind, external)) or self._known.find(kind, external)

    def _find(self, ref: Ref, external: str) -> Ours:
        found = self._look_up(ref.kind, external)
        if found is None:
            says = f"{self.label} needs the {ref.kind} at {ref.path}, and nobody has linked it."
            raise Broken(Waits(says, "link", ref.kind, external))
        return found

    def _made(self, key: str, ref: Ref, external: str, whose: list[Ours]) -> Ours:
        if (found := self._look_up(ref.kind, external)) is not None:
            return found
        engagement = self._one(whose, "engagement")
        digest = self._known.keyed(f"{ref.kind}:{external}")[:_DIGITS]
        job_order = next((each.job_order for each in whose if each.job_order), None)
        made = Ours(engagement, MADE[key] + digest, job_order)
        self._fresh[ref.kind, external] = made
        return made

    def _ours(self, key: str, ref: Ref, external: str, ours: Ours) -> str:
        if key in ("engagement", "engagement_id"):
            found = ours.engagement
        elif key in ("job_order", "job_order_id"):
            found = ours.job_order
        else:
            found = ours.ours
        if found is None:
            what = key.removesuffix("_id").replace("_", " ")
            says = (
                f"{self.label}: the {ref.kind} at {ref.path} is linked, but not to a {what}; link it again."
            )
            raise Broken(Waits(says, "link", ref.kind, external))
        return found

    def _one(self, whose: list[Ours], stream: str) -> str:
        """Find the one stream that all the ids belong to."""
        if stream == "engagement":
            found = {each.engagement for each in whose if each.engagement is not None}
        else:
            found = {each.job_order for each in whose if each.job_order is not None}
        if len(found) == 1:
            return str(found.pop())
        what = "engagement" if stream == "engagement" else "job order"
        if not found:
            says = f"{self.label} finds no {what} behind its ids; link them again."
        else:
            says = f"{self.label} names ids that are linked to different {what}s; correct one of the links."
        # It concerns somebody of ours, so it must not count as a stranger's.
        raise Broken(Waits(says, "mapping"))

    def _value(self, name: str, key: str, value: Value, source: Source) -> Any:
        if value.path is None:
            return value.value
        found = source.find(value.path)
        if value.values is not None:
            return self._in_table(key, value, found, required=fields_of(name)[key].is_required())
        if found is None:
            if value.otherwise is not None:
                return value.otherwise
            if fields_of(name)[key].is_required():
                raise self._wait(f"finds nothing at {value.path} for '{key}', which {name} needs.")
            return None
        if sort_of_field(name, key) == "time":
            return instant(self._moment(value.path, found, value))
        return found

    def _in_table(self, key: str, value: Value, found: Any, *, required: bool) -> Any:
        path, text = str(value.path), worded(found)
        table = value.values or {}
        if text is not None and text in table:
            return table[text]
        if value.otherwise is not None:
            return value.otherwise
        if found is None and not required:
            return None
        if found is None:
            raise self._wait(f"finds nothing at {path} for '{key}'.")
        what = shown(path, found) or "what it finds there"
        raise self._wait(f"does not say what {what} at {path} means for '{key}'; add it to its values.")

    def _moment(self, path: str, found: Any, value: Value) -> Any:
        try:
            return read_moment(found, value.zone or self._mapping.zone, value.date)
        except NoMoment as error:
            raise self._wait(f"cannot use {path}: it {error}.") from None

    def _wait(self, says: str) -> Broken:
        return Broken(Waits(f"{self.label} {says}", "mapping"))
