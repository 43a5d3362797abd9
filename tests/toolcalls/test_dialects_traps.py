"""The traps that readers of tool calls fall into, one test each: those seen in data sets and those of other programs."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from toolcalls.answers import Call, Calls, ParseFailure, Text
from toolcalls.dialects import DIALECTS
from toolcalls.parsing import parse
from toolcalls.rendering import render


def calls_of(text: str) -> tuple[Call, ...]:
    answer = parse(text)
    assert isinstance(answer, Calls), answer
    return answer.calls


def test_toolace_a_name_with_a_space_is_not_cut_to_its_last_word() -> None:
    call = Call("Market Trends API", {"country": "us"})
    for form in ("paper", "hermes", "json", "openai", "qwen", "mistral"):
        assert calls_of(render([call], form)) == (call,)


def test_toolace_an_assistant_turn_in_words_is_text() -> None:
    assert parse("I need the date before I can book (see above).") == Text("I need the date before I can book (see above).")


def test_xlam_answers_are_a_json_string_of_a_list() -> None:
    answers = json.loads('"[{\\"name\\": \\"f\\", \\"arguments\\": {\\"n\\": 1}}, {\\"name\\": \\"f\\", \\"arguments\\": {}}]"')
    assert calls_of(answers) == (Call("f", {"n": 1}), Call("f"))


def test_hermes_bodies_are_often_python_dicts_with_the_arguments_first() -> None:
    text = "<tool_call>\n{'arguments': {'symbol': 'A\"B', 'on': None, 'all': True}, 'name': 'quote'}\n</tool_call>"
    assert calls_of(text) == (Call("quote", {"symbol": 'A"B', "on": None, "all": True}),)


def test_hermes_several_calls_of_one_turn_are_all_read() -> None:
    block = '<tool_call>\n{"name": "f", "arguments": {"n": %d}}\n</tool_call>\n'
    assert calls_of("".join(block % number for number in range(20))) == tuple(Call("f", {"n": number}) for number in range(20))


def test_hermes_a_closing_tag_inside_a_string_ends_no_block() -> None:
    call = Call("write", {"text": 'Use <tool_call>{"name": "g", "arguments": {}}</tool_call> for it.'})
    for form in ("hermes", "toolrl", "when2call", "qwen", "glm", "glaive"):
        assert calls_of(render([call], form)) == (call,)


def test_glaive_arguments_in_single_quotes_are_no_json() -> None:
    text = """<functioncall> {"name": "find", "arguments": '{"query": "", "author": "A. Writer"}'} <|endoftext|>"""
    assert calls_of(text) == (Call("find", {"query": "", "author": "A. Writer"}),)


def test_glaive_an_apostrophe_inside_the_single_quotes_does_not_end_them() -> None:
    text = """<functioncall> {"name": "say", "arguments": '{"text": "it's 'so', \\"isn't\\" it}'"}'}"""
    assert calls_of(text) == (Call("say", {"text": """it's 'so', "isn't" it}'"""}),)


@pytest.mark.parametrize(
    "value",
    [
        '{"name": "f", "arguments": {"n": 1}}',
        '[{"name": "f", "arguments": {"n": 1}}]',
        '{"name": "f", "arguments": "{\\"n\\": 1}"}',
    ],
)
def test_llama_factory_a_function_call_is_an_object_or_a_list(value: str) -> None:
    assert calls_of(value) == (Call("f", {"n": 1}),)


def test_openai_arguments_are_a_json_string_and_content_may_be_null_or_missing() -> None:
    function = {"name": "f", "arguments": '{"n": 1}'}
    for message in (
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": function}]},
        {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": function}]},
        {"role": "assistant", "content": "", "function_call": function},
        {"content": 'I call "f": {"n": 1}.', "tool_calls": [{"type": "function", "function": function}]},
    ):
        assert calls_of(json.dumps(message)) == (Call("f", {"n": 1}),)


def test_openai_no_arguments_are_an_empty_string() -> None:
    assert calls_of('{"tool_calls": [{"function": {"name": "f", "arguments": ""}}]}') == (Call("f"),)


def test_trl_arguments_are_an_object_and_missing_keys_are_filled_with_null() -> None:
    message = {"tool_calls": [{"id": None, "type": "function", "function": {"name": "f", "arguments": {"n": 1, "m": None}}}]}
    assert calls_of(json.dumps(message)) == (Call("f", {"n": 1, "m": None}),)


def test_bfcl_result_files_key_calls_by_name_with_a_json_string() -> None:
    assert calls_of('[{"a.b": "{\\"n\\": 1}"}, {"a.b": "{\\"n\\": 2}"}]') == (Call("a.b", {"n": 1}), Call("a.b", {"n": 2}))


def test_toolalpaca_action_input_is_a_json_string_and_absent_values_stay_empty_texts() -> None:
    assert calls_of('{"Action": "f", "Action_Input": "{\\"a\\": \\"\\", \\"n\\": 1}"}') == (Call("f", {"a": "", "n": 1}),)


def test_when2call_an_empty_list_calls_nothing() -> None:
    assert parse("<TOOLCALL>[]</TOOLCALL>") == Text("<TOOLCALL>[]</TOOLCALL>")
    assert calls_of('<TOOLCALL>[{"name": "f", "arguments": {}}]</TOOLCALL>') == (Call("f"),)


def test_seal_tools_values_may_refer_to_other_calls() -> None:
    text = '[{"api": "f", "parameters": {"of": "API_call_0"}, "responses": ["API_call_1"]}]'
    assert calls_of(text) == (Call("f", {"of": "API_call_0"}),)


def test_toolrl_thinking_that_names_tags_and_calls_is_not_read() -> None:
    text = (
        '<think> I could write <tool_call>{"name": "no", "parameters": {}}</tool_call> here. </think>\n'
        '<tool_call>\n{"name": "Search It", "parameters": {"q": "x"}}\n{"name": "g", "parameters": {}}\n</tool_call>\n'
        "<response> I searched. </response>"
    )
    assert calls_of(text) == (Call("Search It", {"q": "x"}), Call("g"))


def test_hammer_a_fenced_list_with_obfuscated_names() -> None:
    text = '```\n[{"name": ".67xDKY", "arguments": {"Rg9.F0": "x"}}]\n```'
    assert calls_of(text) == (Call(".67xDKY", {"Rg9.F0": "x"}),)
    for form in ("hermes", "json", "openai", "bfcl_fc", "qwen"):
        assert calls_of(render([Call(".67xDKY", {"Rg9.F0": "x"})], form)) == (Call(".67xDKY", {"Rg9.F0": "x"}),)


def test_a_true_is_no_one_and_a_five_in_quotes_no_five() -> None:
    values = {"a": True, "b": 1, "c": 1.0, "d": "5", "e": 5, "f": "true", "g": None, "h": "null", "i": "None", "j": -0.0}
    for dialect in DIALECTS:
        read = calls_of(render([Call("f", values)], dialect.name))[0].arguments
        assert repr(read) == repr(values), dialect.name


def test_the_order_of_lists_and_calls_and_what_stands_twice_are_kept() -> None:
    written = (Call("f", {"a": [2, 1, 2]}), Call("g"), Call("f", {"a": [2, 1, 2]}), Call("f", {"a": [2, 1, 2]}))
    for dialect in DIALECTS:
        assert calls_of(render(written, dialect.name)) == written


def test_a_key_given_twice_is_no_silent_choice_of_one() -> None:
    for text in (
        '<tool_call>{"name": "f", "arguments": {"a": 1, "a": 2}}</tool_call>',
        '{"name": "f", "arguments": "{\\"a\\": 1, \\"a\\": 2}"}',
        '{"name": "f", "arguments": {"a": {"b": 1, "b": 2}}}',
    ):
        answer = parse(text)
        assert isinstance(answer, ParseFailure)
        assert "given twice" in answer.reason


@pytest.mark.parametrize("text", ["__import__('os').getpid()", "9**9**9", "'A'*10**10", "1e400", "NaN", "[" * 1000, "9" * 5000])
def test_nothing_is_ever_evaluated_and_nothing_grows(text: str) -> None:
    forms = (
        f'<tool_call>{{"name": "f", "arguments": {{"a": {text}}}}}</tool_call>',
        f"<tool_call><function=f><parameter=a>{text}</parameter></function></tool_call>",
        f"<tool_call>f<arg_key>a</arg_key><arg_value>{text}</arg_value></tool_call>",
        f'[TOOL_CALLS]f[ARGS]{{"a": {text}}}',
        f"""<functioncall> {{"name": "f", "arguments": '{{"a": {text}}}'}}""",
    )
    start = time.process_time()
    for form in forms:
        answer = parse(form)
        if isinstance(answer, Calls):  # as the text that it is
            assert answer.calls == (Call("f", {"a": text}),)
    assert time.process_time() - start < 1


def test_a_bool_word_in_tags_is_a_bool_and_a_word_with_it_a_text() -> None:
    text = "<tool_call><function=f><parameter=a>\n%s\n</parameter></function></tool_call>"
    assert [calls_of(text % word)[0].arguments["a"] for word in ("True", "false", "None", "True story", "no", "1,000")] == (
        [True, False, None, "True story", "no", "1,000"]
    )


def test_every_call_of_the_data_sets_is_read(data_dir: Path) -> None:
    """Each file's calls, in the file's own form; the truth about them comes from `json`, not from `parse`."""
    rows = json.loads((data_dir / "formats" / "toolrl_rlla_sft.json").read_text())
    outputs = [row["output"] for row in rows]
    read = 0
    for output in outputs:
        _, opened, block = output.partition("<tool_call>\n")
        expected = [json.loads(line) for line in block.partition("\n</tool_call>")[0].splitlines()] if opened else []
        answer = parse(output)
        calls = answer.calls if isinstance(answer, Calls) else ()
        assert [(call.name, call.arguments) for call in calls] == [(item["name"], item["parameters"]) for item in expected]
        read += len(calls)
    assert read > 0
    demo = json.loads((data_dir / "train" / "llamafactory" / "glaive_toolcall_en_demo.json").read_text())
    values = [turn["value"] for row in demo for turn in row["conversations"] if turn["from"] == "function_call"]
    for value in values:
        (call,) = calls_of(value)
        assert {"name": call.name, "arguments": call.arguments} == json.loads(value)
    assert len(values) > 100
