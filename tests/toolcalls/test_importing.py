from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from toolcalls.answers import Call
from toolcalls.errors import InputError
from toolcalls.exporting import sample_line
from toolcalls.importing import FORMATS, RowError, category_of, only_samples, read_samples, sample_hash, split_of
from toolcalls.records import Message, Sample
from toolcalls.rows import read_rows

WEATHER = {
    "name": "Weather (v2)",
    "description": "d",
    "parameters": {"type": "dict", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
OWN = {
    "id": "a",
    "tools": [WEATHER],
    "messages": [{"role": "user", "content": "Rome?"}],
    "truth": [{"name": "Weather (v2)", "arguments": {"city": "Rome"}}],
}
TOOLACE = {
    "system": "You are an expert in composing functions. Here is a list of functions in JSON format that you can invoke:\n"
    f"{json.dumps([WEATHER])}. \nShould you decide to return the function call(s). \nPut it in the format of "
    "[func1(params_name=params_value, params_name2=params_value2...), func2(params)]\n\nNO other text MUST be included.",
    "conversations": [
        {"from": "user", "value": "Rome?"},
        {"from": "assistant", "value": '[Weather (v2)(city="Rome")]'},
        {"from": "tool", "value": '[{"name": "Weather (v2)", "results": {"t": 20}}]'},
        {"from": "assistant", "value": "20 degrees."},
    ],
}
SHAREGPT = {
    "tools": json.dumps([WEATHER]),
    "conversations": [
        {"from": "human", "value": "Rome?"},
        {"from": "function_call", "value": '{"name": "Weather (v2)", "arguments": {"city": "Rome"}}'},
        {"from": "observation", "value": "20"},
        {"from": "gpt", "value": "20 degrees; in code: f(a=1)."},
    ],
}
OPENAI = {
    "tools": [{"type": "function", "function": WEATHER}],
    "messages": [
        {"role": "system", "content": "Today is Monday."},
        {"role": "user", "content": [{"type": "text", "text": "Rome"}, {"type": "text", "text": "?"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "Weather (v2)", "arguments": '{"city": "Rome"}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": "20"},
        {"role": "assistant", "content": "20 degrees."},
    ],
}


def read(*rows: Any, format: str = "auto", **options: Any) -> list[Sample | RowError]:  # noqa: A002
    return list(read_samples("\n".join(json.dumps(row) for row in rows), format=format, **options))


def error(*rows: Any, **options: Any) -> str:
    (found,) = [each for each in read(*rows, **options) if isinstance(each, RowError)]
    return str(found)


@pytest.mark.parametrize("row", [TOOLACE, SHAREGPT, OPENAI])
def test_each_assistant_turn_is_one_sample_with_the_turns_before_it(row: dict[str, Any]) -> None:
    first, second = only_samples(read(row, name="set"))
    assert (first.id, second.id) == ("set:1.2", "set:1.4")
    assert first.tools == second.tools == (WEATHER,)
    assert first.messages == (Message("user", "Rome?"),)
    assert first.truth == (Call("Weather (v2)", {"city": "Rome"}),)
    assert [message.role for message in second.messages] == ["user", "assistant", "tool"]
    assert second.messages[1].content == '[Weather (v2)(city="Rome")]'
    assert second.truth is None
    assert (second.truth_text or "").startswith("20 degrees")
    assert (first.category, second.category) == ("simple", "no_call")


def test_structured_calls_have_no_text_of_their_own_and_written_ones_keep_it() -> None:
    assert only_samples(read(TOOLACE))[0].truth_text == '[Weather (v2)(city="Rome")]'
    assert only_samples(read(SHAREGPT))[0].truth_text is None
    assert only_samples(read(OPENAI))[0].truth_text is None


def test_a_system_text_is_taken_apart_into_tools_and_other_information() -> None:
    plain = only_samples(read(TOOLACE))[0]
    assert (plain.other, plain.system) == ("", None)
    dated = TOOLACE | {"system": TOOLACE["system"] + "\nThe current time is 2024-10-02 18:18:11."}
    timed = only_samples(read(dated))[0]
    assert (timed.other, timed.system) == ("The current time is 2024-10-02 18:18:11.", None)
    odd = TOOLACE | {"system": TOOLACE["system"] + "\nSpeak like a pirate."}
    kept = only_samples(read(odd))[0]
    assert (kept.other, kept.system) == ("Speak like a pirate.", odd["system"])
    assert only_samples(read(OPENAI))[0].other == "Today is Monday."


def test_openai_s_old_and_other_forms_are_read() -> None:
    call = {"name": "Weather (v2)", "arguments": {"city": "Rome"}}
    user = {"role": "user", "content": "Rome?"}
    old = {
        "functions": [WEATHER],
        "messages": [user, {"role": "assistant", "content": None, "function_call": call}, {"role": "function", "content": "1"}],
    }
    assert [each.truth for each in only_samples(read(old))] == [(Call(**call),)]
    text = {
        "tools": json.dumps([{"type": "function", "function": WEATHER}]),
        "messages": [user, {"role": "assistant", "tool_calls": [{"function": call}]}],
    }
    assert [each.truth for each in only_samples(read(text))] == [(Call(**call),)]
    unweighted = {
        "tools": [],
        "messages": [user, {"role": "assistant", "content": "x", "weight": 0}, user, {"role": "assistant", "content": "y"}],
    }
    assert [each.truth_text for each in only_samples(read(unweighted))] == ["y"]


def test_our_own_lines_are_read_back_unchanged() -> None:
    samples = only_samples(read(OWN, OWN | {"id": "b", "truth": None, "truth_text": "No.", "split": "heldout", "language": "de"}))
    assert samples[1].split == "heldout"
    assert only_samples(read_samples("\n".join(map(sample_line, samples)))) == samples


def test_a_truth_of_our_own_lines_may_be_a_text_in_any_call_form() -> None:
    rome = (Call("Weather (v2)", {"city": "Rome"}),)
    for text in ('[Weather (v2)(city="Rome")]', '<tool_call>{"name": "Weather (v2)", "arguments": {"city": "Rome"}}</tool_call>'):
        (sample,) = only_samples(read(OWN | {"truth": text}))
        assert (sample.truth, sample.truth_text) == (rome, text)
    (words,) = only_samples(read(OWN | {"truth": "No tool can tell."}))
    assert (words.truth, words.truth_text) == (None, "No tool can tell.")
    assert "sample: field 'truth' holds something like a call that cannot be read" in error(
        OWN | {"truth": "[Weather (v2)(city="}
    )


def test_json_arrays_and_json_lines_give_the_same() -> None:
    rows = [OWN, TOOLACE, SHAREGPT, OPENAI]
    lines = read(*rows)
    assert list(read_samples(json.dumps(rows))) == lines
    assert list(read_samples(json.dumps(rows, indent=1).encode())) == lines
    assert list(read_samples(b"\xef\xbb\xbf" + json.dumps(rows).encode("utf-8"))) == lines
    assert list(read_samples(json.dumps(row) + "\r\n\n" for row in rows)) == lines
    assert list(read_samples("")) == list(read_samples(" [ ] ")) == []


def test_json_lines_are_read_one_by_one() -> None:
    taken: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield json.dumps(OWN | {"id": str(len(taken))}).encode() + b"\n"

    samples = read_samples(endless())
    assert [next(samples).id for _ in range(3)] == ["1", "2", "3"]  # type: ignore[union-attr]
    assert len(taken) == 3


def test_a_malformed_line_is_reported_and_the_others_are_read() -> None:
    found = list(read_samples(f"{json.dumps(OWN)}\n\n{{'id': 1}}\n{json.dumps(OWN | {'id': 'b'})}\n"))
    assert [type(each) for each in found] == [Sample, RowError, Sample]
    assert str(found[1]).startswith(
        "line 3: not valid JSON: Expecting property name enclosed in double quotes at character 2; write one"
    )


def test_an_error_in_an_array_names_the_line_of_its_element() -> None:
    text = json.dumps([OWN, OWN | {"id": "b", "truth": [{"name": "g"}]}], indent=1)
    (wrong,) = [each for each in read_samples(text) if isinstance(each, RowError)]
    assert wrong.line == 1 + text[: text.rindex('"id": "b"')].count("\n") - 1
    assert "unknown tool 'g'" in wrong.message
    cut = list(read_samples(text[:-3]))
    assert isinstance(cut[0], Sample)
    assert isinstance(cut[1], RowError)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"truth": [{"name": "g"}]},
            "line 1: the truth calls the unknown tool 'g' (known: Weather (v2)); add the tool or correct the call",
        ),
        ({"id": ...}, "line 1: sample: field 'id' is missing; a text is needed there"),
        ({"messages": []}, "line 1: no user or tool turn stands before the answer; a sample's messages must end with one"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "line 1: no user or tool turn stands before the answer"),
        (
            {"messages": [{"role": "system", "content": "x"}]},
            "line 1: role 'system' in the messages; allowed are user, assistant and tool",
        ),
        ({"truth": None}, "line 1: neither calls nor a text as the truth; give 'truth' or 'truth_text'"),
        ({"tools": [{"description": "x"}]}, "line 1: tools[0]: field 'name' is missing; every tool needs a name"),
        (
            {"truth": [{"name": "Weather (v2)", "arguments": {"a=b": 1}}]},
            "line 1: the truth cannot be written in the call form (",
        ),
        (
            {"truth": [{"name": "Weather (v2)", "arguments": {"a": 10**80}}]},
            "line 1: the truth cannot be written in the call form (a number of",
        ),
        ({"truth_text": "\0"}, "line 1: not usable: a text holds a NUL character or half of a surrogate pair; remove it"),
        ({"truth_text": "\ud800"}, "line 1: not usable: a text holds a NUL character or half of a surrogate pair; remove it"),
        ({"other": float("nan")}, "line 1: not valid JSON: NaN is no JSON number; write a number or null"),
    ],
)
def test_a_sample_that_cannot_be_used_says_line_what_and_what_to_do(change: dict[str, Any], message: str) -> None:
    row = {name: value for name, value in (OWN | change).items() if value is not ...}
    assert error(row).startswith(message)


def test_rows_of_no_known_format_list_what_is_known() -> None:
    assert (
        "a sample needs 'truth' (whetstone), 'conversations' (toolace, sharegpt, hermes), 'messages' (openai) or the fields of "
        "another format, which docs/importing.md lists; this row has x" in error({"x": 1})
    )
    assert error(3) == "line 1: an object expected, not int"
    with pytest.raises(InputError, match="unknown format 'xml'; known are auto, whetstone, toolace, openai, sharegpt"):
        read(OWN, format="xml")


def test_a_named_format_is_not_guessed() -> None:
    assert error(OWN, format="toolace") == "line 1: row: field 'system' is missing; a text is needed there"
    assert FORMATS[:4] == ("whetstone", "toolace", "openai", "sharegpt")


def test_an_id_given_twice_is_refused() -> None:
    assert error(OWN, TOOLACE, OWN) == "line 3: id 'a' was given before, by row 1; make the ids unique"


def said(value: str, format_row: dict[str, Any] = TOOLACE) -> list[Any]:
    turns = list(format_row["conversations"])
    return [*turns[:1], {"from": turns[1]["from"], "value": value}, *turns[2:]]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            TOOLACE | {"conversations": said("[Weather (v2)(city=")},
            "turn 2: the assistant's turn holds something like a call that cannot",
        ),
        (TOOLACE | {"conversations": said("Sure: [Weather(a=1)]")}, "turn 2: the assistant's turn holds words around its calls"),
        (
            TOOLACE | {"conversations": said("[Weather(1)]")},
            "can only be guessed at (positional argument); name",
        ),
        (TOOLACE | {"conversations": said("[Weather(a=2 + x)]")}, "can only be guessed at (expression)"),
        (TOOLACE | {"conversations": said("[Weather(a=Rome)]")}, "can only be guessed at (unquoted text)"),
        (TOOLACE | {"conversations": said(" ")}, "turn 2: the assistant's turn is empty; correct it or remove the turn"),
        (TOOLACE | {"conversations": said('[Other(city="Rome")]')}, "turn 2: the truth calls the unknown tool 'Other'"),
        (
            TOOLACE | {"conversations": [{"from": "human", "value": "x"}]},
            "field 'from' is 'human'; allowed: 'user', 'assistant', 'tool'",
        ),
        (TOOLACE | {"system": "No tools."}, "the system text holds no JSON list of tools"),
        (SHAREGPT | {"conversations": said("{", SHAREGPT)}, "conversations[1]: the text in it is not valid JSON"),
        (SHAREGPT | {"conversations": said("[]", SHAREGPT)}, "conversations[1]: an empty list of calls"),
        (SHAREGPT | {"tools": "{}"}, "tools: a list of tools expected, not dict"),
        (OPENAI | {"tools": [{"type": "function"}]}, "tools[0]: field 'name' is missing; every tool needs a name"),
        (
            OPENAI
            | {
                "messages": [
                    {"role": "user", "content": "x"},
                    {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "[]"}}]},
                ]
            },
            "messages[1], call 1: arguments must be an object, or a text that holds one",
        ),
        (
            OPENAI | {"messages": [{"role": "assistant", "content": "Hello."}]},
            "turn 1: no user or tool turn stands before the answer",
        ),
    ],
)
def test_a_turn_that_cannot_be_a_truth_says_which_and_why(row: dict[str, Any], message: str) -> None:
    assert message in error(row, format="toolace" if "system" in row else "auto")


def test_deep_nesting_is_a_row_error() -> None:
    (first,) = read_samples("[" * 100_000)
    (second,) = read_samples('{"a": ' + "[" * 100_000)
    (third,) = read_rows('{"a": ' + "[" * 70 + "]" * 70 + "}")
    assert "nested more than 64 deep" in str(first) + str(second)
    assert third.problem == "not readable: lists and objects nested more than 64 deep"


def test_bytes_that_are_no_utf_8_are_a_row_error() -> None:
    (found,) = read_samples(b'{"id": "\xff"}')
    assert str(found) == "line 1: not UTF-8 at byte 8; save the file as UTF-8"


def sample(**changes: Any) -> Sample:
    return Sample(
        **(
            {"id": "a", "tools": (WEATHER,), "messages": (Message("user", "Is it hot in Rome?"),), "truth": (Call("f"),)}
            | changes
        )
    )


def test_the_content_hash_knows_what_a_model_is_shown_and_asked_for() -> None:
    known = sample_hash(sample())
    assert len(known) == 64
    assert known == sample_hash(sample(id="b", split="heldout", category="x", language="y"))
    changed = [
        sample(tools=()),
        sample(messages=()),
        sample(truth=None),
        sample(truth_text="x"),
        sample(other="x"),
        sample(system="x"),
    ]
    assert len({known, *map(sample_hash, changed)}) == 7


def test_the_content_hash_is_the_same_in_every_version_of_the_program() -> None:
    assert sample_hash(sample()) == "40364b48352b7fc8d6e2b279d347a625dfc4adbf7e547c9cdf03b7037867def7"
    assert (
        sample_hash(sample(other="o", system="s", truth_text="天气"))
        == "43f3e0edcd5fe7125617b7c134a2b7497d5dcda9f9fcfcabbb4276c15c1f46d1"
    )


@pytest.mark.parametrize(
    ("tools", "message"),
    [
        ('[{"name": "f", "x": NaN}]', "line 1: not valid JSON: NaN is no JSON number; write a number or null"),
        ('[{"name": "f", "x": "\\u0000"}]', "line 1: not usable: a text holds a NUL character"),
    ],
)
def test_tools_of_a_system_text_that_cannot_be_stored_are_refused(tools: str, message: str) -> None:
    assert error(TOOLACE | {"system": tools}).startswith(message)


def test_duplicates_and_turns_of_one_conversation_fall_on_the_same_side() -> None:
    side = split_of(sample(), 0.5)
    other = {"name": "Other"}
    assert side == split_of(sample(id="b", messages=(Message("user", "is it HOT, in  rome"),)), 0.5)
    assert side == split_of(sample(messages=(*sample().messages, Message("assistant", "x"), Message("user", "And Oslo?"))), 0.5)
    assert split_of(sample(tools=(WEATHER, other)), 0.5) == split_of(sample(tools=(other, WEATHER)), 0.5)


@pytest.mark.parametrize(
    ("query", "names", "place"),
    [
        ("Is it hot in Rome?", ("weather", "time"), 0.047016),
        ("naïve CAFÉ ﬁn_1", ("a",), 0.408759),
        ("?!", ("x",), 0.96546),
        ("snake_case 10%", ('Tool "é"',), 0.480186),
    ],
)
def test_a_sample_stays_on_its_side_for_good(query: str, names: tuple[str, ...], place: float) -> None:
    same = sample(tools=tuple({"name": name} for name in names), messages=(Message("user", query),))
    assert [split_of(same, place + step) for step in (-1e-5, 1e-5)] == ["train", "heldout"]


def test_the_held_out_share_is_about_as_asked() -> None:
    sides = Counter(split_of(sample(messages=(Message("user", f"Question {number}"),)), 0.2) for number in range(2000))
    assert 340 < sides["heldout"] < 460
    assert split_of(sample(), 0.0) == "train"
    assert split_of(sample(), 1.0) == "heldout"


def test_categories_are_bfcl_s() -> None:
    two, tools = (Call("f"), Call("f")), (WEATHER, WEATHER)
    names = [
        category_of(sample(truth=truth, tools=given)) for truth in ((Call("f"),), two, None) for given in ((WEATHER,), tools)
    ]
    assert names == ["simple", "multiple", "parallel", "parallel_multiple", "no_call", "no_call"]


def test_only_samples_names_the_rows_that_cannot_be_used() -> None:
    with pytest.raises(InputError, match=r"line 1: .*; line 2: .*"):
        only_samples(read({"x": 1}, {"y": 2}, OWN))
    with pytest.raises(InputError, match=r"\(and 3 more\)"):
        only_samples(read(*[{"x": 1}] * 8))
