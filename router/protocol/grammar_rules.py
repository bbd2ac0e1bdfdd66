"""The rules of a grammar while it is read: what each needs, and whether some text fulfils them all.

A rule that no text can ever fulfil, such as `root ::= root`, leaves an engine without any token to choose. Which rules
can be fulfilled is decided as for Horn clauses, in linear time (Dowling and Gallier, J. Logic Programming 1(3), 1984):
every alternative is a clause, and every group a rule of its own.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from router.protocol.errors import ApiError, invalid
from router.protocol.limits import Limits

_NAME_SHOWN = 64  # characters of a name in an error


@dataclass(slots=True)
class _Alternative:
    of: int  # the rule or group it belongs to
    needs: list[int] = field(default_factory=list)  # rules and groups that must be fulfilled


@dataclass(slots=True)
class _Item:
    """What a quantifier may stand behind."""

    needs_rule: bool
    times: int  # how often it is repeated, itself and within


class _Group:
    """A rule's body, or a group within one."""

    __slots__ = ("alternative", "item", "most", "rule")

    def __init__(self, rule: int) -> None:
        self.rule = rule
        self.alternative = _Alternative(rule)
        self.item: _Item | None = None
        self.most = 1  # of its items' times


class Rules:
    """Filled token by token; positions are characters, for errors. All methods raise ApiError (400)."""

    def __init__(self, path: str, limits: Limits) -> None:
        self._limits = limits
        self._path = path
        self._names: dict[str, int] = {}
        self._defined: set[int] = set()
        self._named_at: list[tuple[int, str, int]] = []  # rules as they are first named
        self._alternatives: list[_Alternative] = []
        self._count = 0  # of rules and groups, which are numbered
        self._open: list[_Group] = []

    def fail(self, at: int, problem: str, limit: str | None = None) -> ApiError:
        """The error for something at a position."""
        return invalid(self._path, f"{problem} (at character {at + 1})", limit=limit)

    def begin(self, name: str, at: int) -> None:
        """A definition."""
        self.end(at)
        rule = self._rule(name, at)
        if rule in self._defined:
            raise self.fail(at, f"the rule {name[:_NAME_SHOWN]!r} is defined twice")
        self._defined.add(rule)
        if len(self._defined) > self._limits.grammar_rules:
            raise self.fail(at, f"more than {self._limits.grammar_rules} rules", "grammar_rules")
        self._open.append(_Group(rule))

    def end(self, at: int) -> None:
        """A definition is over."""
        if len(self._open) > 1:
            raise self.fail(at, "a group is not closed")
        while self._open:
            self._alternatives.append(self._open.pop().alternative)

    def text(self, at: int) -> None:
        """A text, a set of characters or a pattern."""
        self._group(at).item = _Item(False, 1)

    def name(self, name: str, at: int) -> None:
        """A rule is named."""
        group = self._group(at)
        group.alternative.needs.append(self._rule(name, at))
        group.item = _Item(True, 1)

    def open(self, at: int) -> None:
        """A group begins."""
        self._group(at).item = None
        if len(self._open) > self._limits.grammar_depth:
            raise self.fail(at, f"groups may be nested {self._limits.grammar_depth} deep", "grammar_depth")
        self._open.append(_Group(self._new()))

    def close(self, at: int, *, is_optional: bool) -> None:
        """A group ends."""
        if len(self._open) < 2:
            raise self.fail(at, "a group is closed that was not opened")
        inner = self._open.pop()
        self._alternatives.append(inner.alternative)
        outer = self._open[-1]
        if not is_optional:
            outer.alternative.needs.append(inner.rule)
        outer.item = _Item(not is_optional, inner.most)
        outer.most = max(outer.most, inner.most)

    def bar(self, at: int) -> None:
        """Another alternative."""
        group = self._group(at)
        self._alternatives.append(group.alternative)
        group.alternative, group.item = _Alternative(group.rule), None

    def repeat(self, least: int, most: int, at: int) -> None:
        """What was last is repeated. `most`: 1 where there is no bound."""
        group = self._group(at)
        item, group.item = group.item, None
        if item is None:
            raise self.fail(at, "there is nothing to repeat")
        times = item.times * max(1, least, most)
        if times > self._limits.grammar_repeat:
            problem = (
                f"may repeat at most {self._limits.grammar_repeat} times, repetitions within each other multiplied"
            )
            raise self.fail(at, problem, "grammar_repeat")
        group.most = max(group.most, times)
        if least == 0 and item.needs_rule:
            group.alternative.needs.pop()

    def is_defined(self, name: str) -> bool:
        """Does a rule of that name have a body?"""
        return self._names.get(name) in self._defined

    def check(self, root: str, at: int) -> None:
        """Everything was read: is every rule defined, and can `root` be fulfilled?"""
        self.end(at)
        for rule, name, named_at in self._named_at:
            if rule not in self._defined:
                raise self.fail(named_at, f"the rule {name[:_NAME_SHOWN]!r} is not defined")
        if root not in self._names:
            raise self.fail(at, f"there is no rule {root!r} to begin with")
        if self._names[root] not in self._fulfilled():
            raise self.fail(at, f"no text can ever fulfil the rule {root!r}")

    def _fulfilled(self) -> set[int]:
        waiting: defaultdict[int, list[int]] = defaultdict(list)  # alternatives by what they need
        missing: list[int] = []
        todo: list[int] = []
        for index, alternative in enumerate(self._alternatives):
            missing.append(len(alternative.needs))
            for need in alternative.needs:
                waiting[need].append(index)
            if not alternative.needs:
                todo.append(alternative.of)
        fulfilled: set[int] = set()
        while todo:
            rule = todo.pop()
            if rule in fulfilled:
                continue
            fulfilled.add(rule)
            for index in waiting[rule]:
                missing[index] -= 1
                if not missing[index]:
                    todo.append(self._alternatives[index].of)
        return fulfilled

    def _rule(self, name: str, at: int) -> int:
        if name not in self._names:
            self._names[name] = rule = self._new()
            self._named_at.append((rule, name, at))
        return self._names[name]

    def _new(self) -> int:
        self._count += 1
        return self._count - 1

    def _group(self, at: int) -> _Group:
        if not self._open:
            raise self.fail(at, "a rule must begin with its name")
        return self._open[-1]
