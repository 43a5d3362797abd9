"""How much more work ten times the calls and ten times the text are: CPU time of one over that of the other."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable

from toolcalls.answers import Call
from toolcalls.comparing import Comparator
from toolcalls.parsing import parse
from toolcalls.rendering import render

REPEATS = 7
SHORTEST = 0.05  # seconds that one measurement takes at least


def growth() -> dict[str, float]:
    """Work at ten times the size over the work at one time, by what grows."""
    measured = {f"parse: {name}": _ratio(lambda size, make=make: _parsing(make(size))) for name, make in TEXTS.items()}
    measured["compare: calls, one parameter of each different"] = _ratio(_comparing)
    measured["compare: calls in another order"] = _ratio(_reordered)
    return measured


def _ratio(work_of: Callable[[int], Callable[[], object]]) -> float:
    """The median, over rounds, of the large one's time over the small one's in the same round."""
    small, large = work_of(1), work_of(10)
    fewer = max(1, round(SHORTEST / max(_seconds(large, 1), 1e-6)))
    rounds = [(_seconds(large, fewer) / fewer, _seconds(small, 10 * fewer) / (10 * fewer)) for _ in range(REPEATS)]
    return round(statistics.median(most / least for most, least in rounds), 1)


def _seconds(work: Callable[[], object], times: int) -> float:
    gc.collect()
    began = time.process_time()
    for _ in range(times):
        work()
    return time.process_time() - began


def _parsing(text: str) -> Callable[[], object]:
    return lambda: parse(text)


def _calls(count: int, note: str = "") -> list[Call]:
    return [Call("book_room", {"city": f"city {number}", "nights": number, "note": note}) for number in range(count)]


def _comparing(size: int) -> Callable[[], object]:
    truth, output = _calls(50 * size), _calls(50 * size, note="by the sea")
    return lambda: Comparator().compare(truth, output)


def _reordered(size: int) -> Callable[[], object]:
    truth = _calls(50 * size)
    return lambda: Comparator().compare(truth, truth[::-1])


_LETTERS = 6_000  # of a text of the smaller size; ten times as many are still within the limits
TEXTS: dict[str, Callable[[int], str]] = {
    "calls of the paper's form": lambda size: render(_calls(50 * size)),
    "calls as JSON": lambda size: render(_calls(50 * size), "json"),
    "calls in tags": lambda size: render(_calls(50 * size), "hermes"),
    "calls on lines": lambda size: "\n".join(f'book_room(city="city {number}", nights=2)' for number in range(50 * size)),
    "one long string": lambda size: f'[f(a="{"long " * (_LETTERS * size // 5)}")]',
    "a long list of numbers": lambda size: f"[f(a=[{'12.5, ' * (_LETTERS * size // 6)}])]",
    "words before a call": lambda size: f"{'Well, let me see. ' * (_LETTERS * size // 18)}[f(a=1)]",
    "words alone": lambda size: "Sorry, I cannot book (yet). " * (_LETTERS * size // 28),
}
