"""Candidate tools: a verb and a thing, some of its parameters under some of their names, as a JSON schema."""

from __future__ import annotations

from dataclasses import dataclass

from toolcalls.answers import Json
from trainer.tiny.slots import Draw
from trainer.tiny.vocabulary import PARAMETERS, RARE_THINGS, THINGS, Parameter


@dataclass(frozen=True, slots=True)
class Tool:
    """A drawn tool. `names` maps each slot kind to the parameter's name, in the schema's order; at least one is required."""

    verb: str
    thing: str
    names: dict[str, str]
    optional: frozenset[str]

    @property
    def name(self) -> str:
        """The name under which it is called."""
        return f"{self.verb}_{self.thing}"

    @property
    def phrase(self) -> str:
        """What it does, in words: "order an alarm"."""
        return f"{self.verb} {'an' if self.thing[0] in 'aeiou' else 'a'} {self.thing}"

    def schema(self) -> dict[str, Json]:
        """The tool as the prompt lists it (BFCL's dialect; no parameter descriptions, which would cost tokens)."""
        return {
            "name": self.name,
            "description": self.phrase.capitalize(),
            "parameters": {
                "type": "dict",
                "properties": {name: _property(PARAMETERS[kind]) for kind, name in self.names.items()},
                "required": [name for kind, name in self.names.items() if kind not in self.optional],
            },
        }


def _property(parameter: Parameter) -> dict[str, Json]:
    if parameter.type == "array":
        return {"type": "array", "items": {"type": "string"}}
    if parameter.choices:
        return {"type": parameter.type, "enum": list(parameter.choices)}
    return {"type": parameter.type}


def draw_tools(draw: Draw) -> list[Tool]:
    """The candidate tools of a conversation, all of different names; the first is the one others are related to."""
    count = draw.weighted(draw.settings.candidates)
    tools: dict[str, Tool] = {}
    first: str | None = None
    while len(tools) < count:
        related = first is not None and draw.random.random() < draw.settings.related
        tool = _draw_tool(draw, first if related else None)
        first = first or tool.thing
        tools.setdefault(tool.name, tool)
    return list(tools.values())


def _draw_tool(draw: Draw, thing: str | None) -> Tool:
    thing = thing or draw.pick(tuple(RARE_THINGS if draw.rare() else THINGS))
    known = THINGS.get(thing) or RARE_THINGS[thing]
    kinds = draw.random.sample(known.slots, draw.random.randint(1, min(len(known.slots), draw.settings.parameters)))
    names = {kind: draw.word(PARAMETERS[kind].names) for kind in kinds}
    optional = {kind for kind in kinds if PARAMETERS[kind].optional and draw.random.random() < draw.settings.optional}
    if len(optional) == len(kinds):
        optional.discard(kinds[0])
    return Tool(draw.pick(known.verbs), thing, names, frozenset(optional))
