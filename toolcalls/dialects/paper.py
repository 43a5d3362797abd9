"""The paper's form (ToolACE-R Fig. 5), BFCL's and ToolACE's: `[name(parameter=value, …), …]`.

Names may hold spaces, dots, hyphens and parentheses, as the ToolACE data set's do: `[User Feed (Video Posts) V2(user="x")]`.
Values are Python or JSON literals.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from json.encoder import encode_basestring as quoted  # json.dumps(text, ensure_ascii=False) in a fifth of its time

from toolcalls.answers import Call, Json
from toolcalls.dialects.dialect import Dialect
from toolcalls.limits import LIMITS
from toolcalls.literals import Reader

_PARAMETER = r"[^\s=(),\"'{}][^=(),\"'{}\n]*"
_ARGUMENTS = re.compile(rf"\(\s*(?:{_PARAMETER}=(?!=)|\)\s*(?:[,\]]|$))")
_NAME_STOP = re.compile(r"[(),\[\]{}=\"\n]")


def read(reader: Reader) -> list[Call]:
    """Read `[call, call, …]`."""
    reader.expect("[")
    calls: list[Call] = []
    reader.skip_space()
    while not reader.accept("]"):
        calls.append(reader.call(_name(reader), _arguments(reader)))
        reader.skip_space()
        if not reader.accept(","):
            reader.expect("]")
            break
        reader.skip_space()
    return calls


def _name(reader: Reader) -> str:
    """Read a tool's name up to the parenthesis that opens its arguments.

    A parenthesis belongs to the name unless `parameter=` follows, or `)` and the end of the call.
    """
    start, depth = reader.position, 0
    plain = _PLAIN_NAME.match(reader.text, start)
    if plain and len(plain[0]) <= reader.limits.name:
        reader.position = plain.end()
        return plain[0].rstrip()
    while stop := _NAME_STOP.search(reader.text, reader.position):
        reader.position = stop.start()
        if reader.position - start > reader.limits.name:
            raise reader.unreadable(f"a tool's name of more than {reader.limits.name} characters")
        mark = stop[0]
        if mark == "(" and _ARGUMENTS.match(reader.text, stop.start()):
            break
        if mark not in "()," or (mark == "," and depth == 0):
            raise reader.unreadable("a positional argument" if depth else f"{mark!r} before named arguments in parentheses")
        depth += {"(": 1, ")": -1}.get(mark, 0)
        if depth < 0:
            raise reader.unreadable("a closing parenthesis without an opening one")
        reader.position += 1
    else:
        raise reader.unreadable("a call without arguments in parentheses")
    name = reader.text[start : reader.position].strip()
    if not name or depth or name[0] in "'\"":
        raise reader.unreadable("a call without a tool's name" if not name else "a tool's name that cannot be read")
    return name


def _arguments(reader: Reader) -> dict[str, Json]:
    """Read `(parameter=value, …)`."""
    reader.expect("(")
    arguments: dict[str, Json] = {}
    reader.skip_space()
    while not reader.accept(")"):
        if reader.limits is LIMITS and _read_plain(reader, arguments):
            continue
        name = _parameter(reader)
        if name in arguments:
            raise reader.unreadable(f"parameter {name!r} given twice")
        reader.skip_space()
        arguments[name] = reader.value()
        reader.skip_space()
        if not reader.accept(","):
            reader.expect(")")
            break
        reader.skip_space()
    return arguments


def _parameter(reader: Reader) -> str:
    """Read `name=` and return the name."""
    found = _PARAMETER_NAME.match(reader.text, reader.position)
    if found is None:
        raise reader.unreadable("a positional argument")
    reader.position = found.end()
    return found[1].strip()


def _read_plain(reader: Reader, arguments: dict[str, Json]) -> bool:
    """Read one argument of a frequent shape at once, up to the next one or to `)`; of any other nothing is read."""
    found = _PLAIN.match(reader.text, reader.position)
    if found is None or found[1] in arguments:
        return False
    name, text, fraction, whole, word, texts = found.groups()
    if text is not None:
        arguments[name] = text
    elif whole is not None:
        arguments[name] = int(whole)
    elif fraction is not None:
        arguments[name] = float(fraction)
    else:
        arguments[name] = _TEXT.findall(texts) if texts is not None else word == "True"
    reader.position = found.end()
    return True


_PLAIN_NAME = re.compile(rf"[^\W\d][\w .-]*+(?={_ARGUMENTS.pattern})")
_CHARACTERS = r'[^"\\\0\ud800-\udfff]*'  # of a text that stands as it is
_TEXT = re.compile(f'"({_CHARACTERS})"')
_PLAIN = re.compile(
    r"([^\W\d][\w.-]{0,127})="
    rf'(?:"({_CHARACTERS})"|(-?(?:0|[1-9][0-9]{{0,17}})\.[0-9]{{1,17}})|(-?(?:0|[1-9][0-9]{{0,17}}))|(True|False)'
    rf'|\[("{_CHARACTERS}"(?:,\s*"{_CHARACTERS}")*)\])'
    r"(?:\s*,\s*|\s*(?=\)))"
)
_PARAMETER_NAME = re.compile(rf"({_PARAMETER})=(?!=)")


def render(calls: Sequence[Call]) -> str:
    """Write calls as one line, e.g. `[bookFlight(origin="New York", n=1), now()]`."""
    return "[" + ", ".join(map(_call, calls)) + "]"


def _call(call: Call) -> str:
    arguments = [f"{name}={_value(value)}" for name, value in call.arguments.items()]
    return f"{call.name}({', '.join(arguments)})"


def _value(value: Json) -> str:
    if isinstance(value, str):
        return quoted(value)
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_value(key)}: {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    return repr(value)


DIALECT = Dialect("paper", re.compile(r"\["), read, render)
