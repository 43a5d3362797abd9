"""The words of the synthetic tool world.

Words come in pairs: *seen* ones, from which pre-training draws freely, and *rare* ones, which make up a small share of
pre-training and a large one of the pools. The rare share is what the loop can elicit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Words(NamedTuple):
    """Two word lists that never overlap."""

    seen: tuple[str, ...]
    rare: tuple[str, ...]


class Thing(NamedTuple):
    """What a tool acts on: `verb_object` names the tool, `slots` are the kinds of its possible parameters."""

    verbs: tuple[str, ...]
    slots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """The names that a slot's parameter may have, its JSON type in the schema, and whether a tool may leave it optional."""

    names: Words
    type: str = "string"
    choices: tuple[str, ...] = ()
    optional: bool = False


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _places(text: str) -> tuple[str, ...]:
    return tuple(place.strip() for place in text.split(","))


CITIES = Words(
    _places(
        "Paris, London, Rome, Tokyo, Berlin, Madrid, Vienna, Prague, Lisbon, Dublin, Oslo, Athens, Boston, Chicago, Denver,"
        " Seattle, Miami, Dallas, Austin, Toronto, Sydney, Delhi, Mumbai, Seoul, Beijing, Shanghai, Cairo, Lima, Bogota, Havana,"
        " New York, San Francisco, Los Angeles, Hong Kong, Cape Town, Las Vegas"
    ),
    _places(
        "Zurich, Geneva, Helsinki, Warsaw, Krakow, Budapest, Porto, Naples, Valencia, Marrakesh, Nairobi, Osaka, Kyoto, Hanoi,"
        " Manila, Jakarta, Perth, Auckland, Montreal, Quebec, Buenos Aires, Sao Paulo, Salt Lake City, Kuala Lumpur"
    ),
)
PEOPLE = Words(
    _split("Alice Bob Carol David Emma Frank Grace Henry Irene Jack Karen Leo Maria Nina Oscar Paul Rachel Sam Tina Victor"),
    _split("Priya Kenji Lukas Fatima Chloe Mateo Ingrid Omar Svetlana Tariq Yuki Bianca"),
)
TITLE_ADJECTIVES = _split(
    "red blue golden silent happy winter summer night morning ocean river mountain secret magic modern classic urban garden"
    " final early"
)
TITLE_NOUNS = _split(
    "dream story party plan report review song journey market lesson budget team city light road project letter island bridge"
    " forest"
)
FOODS = _split("cheese olives mushrooms onions tomatoes chicken rice beans spinach basil garlic bacon peppers corn tuna ham")
LANGUAGES = _split("French Spanish German Italian Japanese Korean Chinese Arabic Russian Portuguese")
MONTHS = _split("January February March April May June July August September October November December")
NUMBER_WORDS = {
    1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten", 12: "a dozen",
}  # fmt: skip
LONG_DURATIONS = {"half an hour": 30, "one hour": 60, "two hours": 120, "an hour and a half": 90}
PRIORITY_HINTS = {"low": ("whenever", "not urgent"), "normal": ("as usual",), "high": ("urgently", "it is urgent")}

LEADS = Words(
    ("{call}", "Please {call}", "Can you {call}", "I need to {call}", "I want to {call}"),
    (
        "Could you help me {call}",
        "My boss asked me to {call}",
        "It would be great if you could {call}",
        "Let us {call}",
        "I was hoping to {call}",
    ),
)
CONNECTIVES = Words((" and ", ", then ", ". Also "), (", and after that ", ". On top of that, ", "; "))


def _parameter(seen: str, rare: str, kind: str = "string", choices: str = "", optional: bool = False) -> Parameter:
    return Parameter(Words(_split(seen), _split(rare)), kind, _split(choices), optional)


PARAMETERS: dict[str, Parameter] = {
    "origin": _parameter("origin from_city", "departure leaving_from"),
    "destination": _parameter("destination to_city", "arrival going_to"),
    "location": _parameter("location city", "place area"),
    "person": _parameter("contact person", "recipient attendee"),
    "date": _parameter("date day", "start_date when"),
    "time": _parameter("time start_time", "hour at_time"),
    "people": _parameter("people guests", "party_size num_people", "integer", optional=True),
    "quantity": _parameter("quantity count", "number amount_of_items", "integer", optional=True),
    "price": _parameter("max_price budget", "price_limit max_cost", "float"),
    "money": _parameter("amount sum", "value total", "float"),
    "duration": _parameter("duration minutes", "length_minutes duration_minutes", "integer"),
    "title": _parameter("title name", "label subject"),
    "order_id": _parameter("order_id code", "reference tracking_number"),
    "items": _parameter("items ingredients", "toppings contents", "array"),
    "language": _parameter("language target_language", "lang output_language"),
    "size": _parameter("size", "portion_size", choices="small medium large"),
    "level": _parameter("level difficulty", "skill_level", choices="beginner intermediate advanced"),
    "priority": _parameter("priority", "urgency", choices="low normal high", optional=True),
    "class": _parameter("seat_class travel_class", "cabin", choices="economy business first", optional=True),
    "color": _parameter("color", "colour", choices="red blue green white yellow"),
    "unit": _parameter("unit units", "temperature_unit", choices="celsius fahrenheit", optional=True),
    "notify": _parameter("notify reminders", "send_notifications", "boolean", optional=True),
    "breakfast": _parameter("breakfast include_breakfast", "with_breakfast", "boolean", optional=True),
    "refund": _parameter("refundable", "allow_refund", "boolean", optional=True),
    "gift": _parameter("gift_wrap", "wrap_as_gift", "boolean", optional=True),
}


def _things(table: str) -> dict[str, Thing]:
    rows = (line.split(":") for line in table.strip().splitlines())
    return {name.strip(): Thing(_split(verbs), _split(slots)) for name, verbs, slots in rows}


THINGS = _things("""
    flight: book search cancel: origin destination date people class refund
    train: book search: origin destination date time class
    hotel: book find cancel: location date people price breakfast
    restaurant: find reserve: location time people price
    weather: check get: location date unit
    movie: find play: title location date
    concert: find book: location date quantity price
    taxi: order book: origin destination time people
    meeting: schedule cancel create: title person date time duration notify
    reminder: create set: title date time priority
    email: send draft: person title priority
    message: send translate: person title language
    song: play find: title person
    pizza: order: size items quantity
    order: track cancel update: order_id notify
    payment: send request: money person date
    invoice: create send: money person date title
    recipe: find: items people level
    workout: create start: duration level notify
    book: find order: title person quantity gift
    course: find: title level language date
    apartment: search rent: location price people date
    car: rent find: location date duration class price
    lamp: set update: color location duration
    alarm: set cancel: time title notify
    document: translate create: title language priority
    ticket: buy cancel: location date quantity refund
    salad: order: items size quantity
""")
RARE_THINGS = _things("""
    ferry: book search: origin destination date people refund
    campsite: reserve find: location date people price
    museum: visit find: location date quantity
    parcel: track ship: order_id destination gift notify
    podcast: play find: title person language
    sandwich: order: items size quantity
    interview: schedule: title person date time duration
    donation: send: money person date
    lecture: record find: title language duration
    bike: rent: location date duration price color
    massage: book: location time duration notify
    cake: order: size items gift date
""")
