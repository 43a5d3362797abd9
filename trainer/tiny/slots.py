"""How each kind of parameter is said in a query, and the value that the call must carry."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from toolcalls.answers import Json
from trainer.tiny import vocabulary as words
from trainer.tiny.settings import WorldSettings

T = TypeVar("T")


class Said(NamedTuple):
    """A phrase of the query and the argument value it stands for."""

    phrase: str
    value: Json


@dataclass(frozen=True, slots=True)
class Draw:
    """The world's dice for one conversation; `today` is the date that the system text tells the model."""

    random: random.Random
    settings: WorldSettings
    today: dt.date

    def rare(self) -> bool:
        """Whether the next word is a rare one."""
        return self.random.random() < self.settings.rare

    def hard(self) -> bool:
        """Whether the next value is said in another form than the answer wants."""
        return self.random.random() < self.settings.hard

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, each as likely."""
        return self.random.choice(options)

    def word(self, of: words.Words) -> str:
        """A seen or a rare word."""
        return self.pick(of.rare if self.rare() else of.seen)

    def weighted(self, weights: Sequence[float]) -> int:
        """A number from 1 on, with these weights."""
        return self.random.choices(range(1, len(weights) + 1), weights)[0]


def say(draw: Draw, kind: str) -> Said:
    """Draw a value for a slot of this kind and a way to say it."""
    return _SAYINGS[kind](draw)


def _city(*prepositions: str) -> Callable[[Draw], Said]:
    def saying(draw: Draw) -> Said:
        city = draw.word(words.CITIES)
        return Said(f"{draw.pick(prepositions)} {city}", city)

    return saying


def _person(draw: Draw) -> Said:
    name = draw.word(words.PEOPLE)
    return Said(f"{draw.pick(('for', 'with', 'by'))} {name}", name)


def _date(draw: Draw) -> Said:
    days = draw.random.randint(1, 60)
    if not draw.hard():
        plain = (draw.today + dt.timedelta(days)).isoformat()
        return Said(f"on {plain}", plain)
    form = draw.pick(("near", "near", "month", "days"))
    if form == "near":
        days = draw.random.randrange(3)
        phrase = ("today", "tomorrow", "the day after tomorrow")[days]
    elif form == "days":
        days = draw.random.randint(2, 6)
        phrase = f"in {days} days"
    date = draw.today + dt.timedelta(days)
    if form == "month":
        phrase = f"on {words.MONTHS[date.month - 1]} {date.day}"
    return Said(phrase, date.isoformat())


def _time(draw: Draw) -> Said:
    hour, minute = draw.random.randint(7, 22), draw.pick((0, 0, 15, 30, 45))
    value = f"{hour:02d}:{minute:02d}"
    if not draw.hard():
        return Said(f"at {value}", value)
    minutes = f":{minute:02d}" if minute else ""
    return Said(f"at {hour if hour <= 12 else hour - 12}{minutes} {'am' if hour < 12 else 'pm'}", value)


def _number(pattern: str) -> Callable[[Draw], Said]:
    def saying(draw: Draw) -> Said:
        number = draw.pick(tuple(words.NUMBER_WORDS))
        return Said(pattern.format(words.NUMBER_WORDS[number] if draw.hard() else number), number)

    return saying


def _price(draw: Draw) -> Said:
    price = draw.pick((draw.random.randint(10, 99), draw.random.randint(10, 50) * 10, draw.random.randint(10, 99) + 0.5))
    return Said(f"{draw.pick(('under', 'below'))} {price} dollars", float(price))


def _money(draw: Draw) -> Said:
    amount = draw.pick((draw.random.randint(10, 99), draw.random.randint(10, 99) * 10, draw.random.randint(10, 99) + 0.25))
    return Said(f"of {amount} dollars", float(amount))


def _duration(draw: Draw) -> Said:
    if draw.hard():
        phrase = draw.pick(tuple(words.LONG_DURATIONS))
        return Said(f"lasting {phrase}", words.LONG_DURATIONS[phrase])
    minutes = draw.random.randrange(5, 125, 5)
    return Said(f"lasting {minutes} minutes", minutes)


def _title(draw: Draw) -> Said:
    title = f"{draw.pick(words.TITLE_ADJECTIVES)} {draw.pick(words.TITLE_NOUNS)}"
    return Said(f'called "{title}"', title)


def _order_id(draw: Draw) -> Said:
    code = f"{draw.pick('ABCDEFGHKX')}{draw.random.randint(100, 99999)}"
    return Said(f"number {code}", code)


def _items(draw: Draw) -> Said:
    foods = draw.random.sample(words.FOODS, draw.pick((1, 2, 2, 3)))
    return Said("with " + " and ".join(part for part in (", ".join(foods[:-1]), foods[-1]) if part), foods)


def _language(draw: Draw) -> Said:
    language = draw.pick(words.LANGUAGES)
    return Said(f"in {language}", language)


def _choice(kind: str, pattern: str) -> Callable[[Draw], Said]:
    def saying(draw: Draw) -> Said:
        choice = draw.pick(words.PARAMETERS[kind].choices)
        return Said(pattern.format(choice), choice)

    return saying


def _priority(draw: Draw) -> Said:
    priority = draw.pick(words.PARAMETERS["priority"].choices)
    return Said(draw.pick(words.PRIORITY_HINTS[priority]) if draw.hard() else f"with {priority} priority", priority)


def _flag(yes: str, no: str) -> Callable[[Draw], Said]:
    def saying(draw: Draw) -> Said:
        flag = draw.random.random() < 0.5
        return Said(yes if flag else no, flag)

    return saying


_SAYINGS: dict[str, Callable[[Draw], Said]] = {
    "origin": _city("from"),
    "destination": _city("to"),
    "location": _city("in", "near"),
    "person": _person,
    "date": _date,
    "time": _time,
    "people": _number("for {} people"),
    "quantity": _number("{} pieces"),
    "price": _price,
    "money": _money,
    "duration": _duration,
    "title": _title,
    "order_id": _order_id,
    "items": _items,
    "language": _language,
    "size": _choice("size", "in {} size"),
    "level": _choice("level", "at {} level"),
    "priority": _priority,
    "class": _choice("class", "in {} class"),
    "color": _choice("color", "in {}"),
    "unit": _choice("unit", "in {}"),
    "notify": _flag("with notifications", "without notifications"),
    "breakfast": _flag("with breakfast", "without breakfast"),
    "refund": _flag("refundable", "not refundable"),
    "gift": _flag("wrapped as a gift", "no gift wrap"),
}
