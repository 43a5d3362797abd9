"""Types written in words: Python's, Java's, JavaScript's and those of data sets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.type_words import ANYTHING, worded_type

TEXT, WHOLE, NUMBER, NULL = ({"type": name} for name in ("string", "integer", "number", "null"))


def listed(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def either(*options: Any) -> dict[str, Any]:
    return {"anyOf": list(options)}


@pytest.mark.parametrize(
    ("words", "schema"),
    [
        ("string", TEXT),
        ("String", TEXT),
        ("str", TEXT),
        ("char", TEXT),
        ("int", WHOLE),
        ("long", WHOLE),
        ("BigInteger", WHOLE),
        ("float", NUMBER),
        ("double", NUMBER),
        ("Boolean", {"type": "boolean"}),
        ("dict", {"type": "object"}),
        ("HashMap", {"type": "object"}),
        ("None", NULL),
        ("tuple", {"type": "array"}),
        ("List[int]", listed(WHOLE)),
        ("typing.List[str]", listed(TEXT)),
        ("list(str)", listed(TEXT)),
        ("ArrayList<String>", listed(TEXT)),
        ("int[]", listed(WHOLE)),
        ("String[][]", listed(listed(TEXT))),
        ("list of strings", listed(TEXT)),
        ("array of objects", listed({"type": "object"})),
        ("Tuple[float, float]", listed(NUMBER)),
        ("Tuple[int, ...]", listed(WHOLE)),
        ("Tuple[str, int]", listed(either(TEXT, WHOLE))),
        ("Dict[str, float]", {"type": "object", "additionalProperties": NUMBER}),
        ("Map<String, List<Integer>>", {"type": "object", "additionalProperties": listed(WHOLE)}),
        ("Dict[str, List[int]] | int", either({"type": "object", "additionalProperties": listed(WHOLE)}, WHOLE)),
        ("Optional[str]", either(TEXT, NULL)),
        ("str, optional", either(TEXT, NULL)),
        ("List[int], optional", either(listed(WHOLE), NULL)),
        ("string (optional)", either(TEXT, NULL)),
        ("str, optional, default 'x'", either(TEXT, NULL)),
        ("int, required", WHOLE),
        ("Union[str, int]", either(TEXT, WHOLE)),
        ("int | None", either(WHOLE, NULL)),
        ("int or string", either(WHOLE, TEXT)),
        ("string/integer", either(TEXT, WHOLE)),
        ("Union[int, int]", WHOLE),
    ],
)
def test_words_of_a_type_are_read(words: str, schema: Any) -> None:
    assert worded_type(words) == schema


@pytest.mark.parametrize(
    "words", ["", "any", "Any", "Object", "Point3D", "Union[int, Point3D]", "Optional[Any]", "Literal['a']", "]", "|", "[int]"]
)
def test_words_that_are_not_known_mean_anything(words: str) -> None:
    assert worded_type(words) == ANYTHING


def test_what_is_nested_very_deeply_means_anything() -> None:
    found = worded_type("List[" * 100 + "int" + "]" * 100)
    while found:
        assert found["type"] == "array"
        found = found["items"]


parts = st.sampled_from(
    ["List", "Dict", "int", "str", "Optional", "Union", "of", "or", "[", "]", "<", ">", "(", ")", ",", "|", "...", " "]
)


@given(st.lists(parts, max_size=60).map("".join) | st.text(max_size=300))
def test_any_words_are_read(words: str) -> None:
    assert set(worded_type(words)) <= {"type", "items", "additionalProperties", "anyOf"}
