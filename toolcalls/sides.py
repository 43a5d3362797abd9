"""A list of calls made ready to be compared: names in NFC, omitted defaults filled in, values as canonical texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from toolcalls.answers import Call, Json
from toolcalls.canonical import normal_text
from toolcalls.equality import FOLDS, Equality, by_name
from toolcalls.identity import identical
from toolcalls.limits import LIMITS
from toolcalls.places import places

_NUMBERS: Final = frozenset((int, float))
_CONSTANTS: Final = frozenset((bool, type(None)))
_KINDS: Final = frozenset((str, int, float, bool, type(None), list, dict))  # two of which never have one text, but for numbers
Defaults = Mapping[str, Mapping[str, Json]]  # tool name in NFC → parameter in NFC → what a call may omit


class PreparedCall:
    """One call as it is compared. Its texts are made when first asked for: calls with one possible partner need few."""

    __slots__ = ("_equality", "_key", "_texts", "name", "values")

    def __init__(self, call: Call, defaults: Defaults, equality: Equality) -> None:
        self.name = normal_text(call.name)
        self.values = by_name(call.arguments)
        if self.name in defaults:
            self.values = {**defaults[self.name], **self.values}
        self._equality = equality
        self._texts: dict[str, str] = {}
        self._key: frozenset[str] | None = None

    def text(self, name: str) -> str:
        """A parameter's canonical text."""
        if name not in self._texts:
            self._texts[name] = self._equality.canonical(self.values[name])
        return self._texts[name]

    @property
    def texts(self) -> dict[str, str]:
        """Parameter → its canonical text."""
        if len(self._texts) < len(self.values):
            self._texts = {name: self.text(name) for name in self.values}
        return self._texts

    @property
    def key(self) -> frozenset[str]:
        """One text for each parameter, the same for two calls exactly when their texts are: equal calls, see `Equality`.

        Texts, not pairs of them, which the garbage collector would walk through.
        """
        if self._key is None:
            self._key = frozenset([name + "\0" + text for name, text in self.texts.items()])  # a canonical text holds no NUL
        return self._key

    @property
    def keyed(self) -> bool:
        """Whether the key was asked for before."""
        return self._key is not None


class Side:
    """The calls of one side, and where those of each tool name stand."""

    def __init__(self, calls: Sequence[Call], defaults: Defaults, equality: Equality) -> None:
        self.calls = [PreparedCall(call, defaults, equality) for call in calls]
        self.positions: dict[str, list[int]] = defaultdict(list)
        for position, call in enumerate(self.calls):
            self.positions[call.name].append(position)


class Measure:
    """How many differences two calls of one tool have.

    nested: every place inside a parameter's value counts, and not the parameter once.
    """

    def __init__(self, equality: Equality, *, nested: bool) -> None:
        self.equality = equality
        self.nested = nested
        self._fold = FOLDS[equality.folding]
        self._folds = equality.folding != "none"
        self.texts_decide = not equality.numeric_tolerance  # calls differ exactly when their canonical texts do
        self.plain = self.texts_decide and not nested  # and a parameter whose texts differ counts 1

    def __call__(self, one: PreparedCall, other: PreparedCall) -> int:
        shared = one.values.keys() & other.values.keys()
        alone = len(one.values) + len(other.values) - 2 * len(shared)
        if self.plain and one.keyed and other.keyed:
            return alone + len(shared) - len(one.key & other.key)
        return alone + sum(self.parameter(one, other, name) for name in shared)

    def parameter(self, one: PreparedCall, other: PreparedCall, name: str) -> int:
        """How much a parameter that both calls have counts."""
        if identical(one.values[name], other.values[name]) or one.text(name) == other.text(name):
            return 0
        return self._apart(one.values[name], other.values[name])

    def values(self, one: Json, other: Json) -> int:
        """How much a parameter with these values counts."""
        texts = isinstance(one, str) + isinstance(other, str)
        if texts == 1:
            return 1
        if texts and one.isascii() and other.isascii():
            return int(self._fold(one) != self._fold(other)) if self._folds else int(one != other)
        differ = self._differ(one, other, LIMITS.depth) if self.texts_decide else None
        if differ is None:
            differ = self.equality.canonical(one) != self.equality.canonical(other)
        return self._apart(one, other) if differ else 0

    def _differ(self, one: Json, other: Json, depth: int) -> bool | None:
        """Whether the canonical texts of two values differ; None where only these texts themselves tell."""
        kind, beside = type(one), type(other)
        if kind in _NUMBERS and beside in _NUMBERS:
            return bool(one != other and (one == one or other == other))  # a NaN is no other than a NaN
        if kind is not beside:
            return True if kind in _KINDS and beside in _KINDS else None
        if kind is str:
            return one != other if not self._folds and one.isascii() and other.isascii() else None
        if kind is not list:
            return one is not other if kind in _CONSTANTS else None
        if len(one) != len(other):
            return True
        for item, against in zip(one, other, strict=True):
            if not depth or (differ := self._differ(item, against, depth - 1)) is None:
                return None
            if differ:
                return True
        return False

    def _apart(self, one: Json, other: Json) -> int:
        """The same for values whose canonical texts differ."""
        if self.nested:
            return sum(1 for _ in places(one, other, self.equality))
        return int(self.texts_decide or not self.equality.same(one, other))
