"""The forms that data sets come in: what each row becomes, and the traps of each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.toolcalls.format_rows import ASKED, OSLO, ROME, ROWS, TIME, WEATHER, as_json, toolrl_system
from toolcalls.answers import Call
from toolcalls.formats import READERS, recognised
from toolcalls.importing import RowError, only_samples, read_samples
from toolcalls.records import Message, Sample


def turns(*said: tuple[str, str]) -> list[dict[str, str]]:
    return [{"from": role, "value": value} for role, value in said]


def read(row: Any) -> list[Sample | RowError]:
    return list(read_samples(json.dumps(row)))


def one(row: Any) -> Sample:
    (sample,) = only_samples(read(row))
    return sample


def error(row: Any) -> str:
    (found,) = [str(each) for each in read(row) if isinstance(each, RowError)]
    return found


@pytest.mark.parametrize("name", READERS)
def test_a_row_of_each_format_is_recognised_and_gives_its_sample(name: str) -> None:
    assert recognised(ROWS[name]) == name
    sample = one(ROWS[name])
    assert sample.messages == (ASKED,)
    assert sample.truth == (ROME, OSLO)
    assert sample.tools[0]["name"] == "Weather (v2)"
    assert sample.other in ("", "You are a function calling AI model.")
    assert (sample.system, sample.split) == (None, "train")


@pytest.mark.parametrize("name", READERS)
def test_a_truth_keeps_its_own_text_where_the_source_has_calls_as_text(name: str) -> None:
    text = one(ROWS[name]).truth_text
    written = {"toolace": "[Weather", "hermes": "<tool_call>\n{'", "glaive": "<functioncall> {", "when2call": "<TOOLCALL>["}
    written |= {"toolrl": "<think> Is <tool_call>", "hammer": "```\n["}
    assert (text or "").startswith(written[name]) if name in written else text is None


def test_code_within_words_is_words_where_calls_have_tags() -> None:
    words = 'In Python: print(sep=",") or [len(x=1)] does it.'
    sample = one({"conversations": turns(("human", "How?"), ("gpt", words), ("tool", "x"))})
    assert (sample.truth, sample.truth_text) == (None, words)


def test_assistant_turns_in_a_row_are_one() -> None:
    said = turns(("human", "Rome?"), ("gpt", "Wait."), ("gpt", "I look."), ("observation", ""), ("gpt", "I look."))
    said += turns(("function_call", json.dumps(as_json(ROME)[0])), ("function_call", json.dumps(as_json(OSLO)[0])))
    first, second = only_samples(read({"conversations": said, "tools": [WEATHER]}))
    assert (first.truth, first.truth_text) == (None, "Wait.\n\nI look.")
    assert (second.truth, second.truth_text) == ((ROME, OSLO), None)
    assert second.messages[1].content == "Wait.\n\nI look."


def test_glaive_without_functions_is_talk_with_no_tools() -> None:
    system = "SYSTEM: You are a helpful assistant, with no access to external functions.\n\n"
    sample = one({"system": system, "chat": "USER: Hi\nNOTE: bye\n\n\nASSISTANT: Hello. <|endoftext|>\n\n\n"})
    assert (sample.tools, sample.other, sample.truth_text) == ((), "", "Hello.")
    assert sample.messages == (Message("user", "Hi\nNOTE: bye"),)


def test_glaive_s_function_responses_are_tool_turns() -> None:
    chat = ROWS["glaive"]["chat"] + 'FUNCTION RESPONSE: {"t": 20}\n\n\nASSISTANT: 20 degrees. <|endoftext|>'
    last = only_samples(read(ROWS["glaive"] | {"chat": chat}))[-1]
    assert [message.role for message in last.messages] == ["user", "assistant", "tool"]
    assert (last.messages[2].content, last.truth_text) == ('{"t": 20}', "20 degrees.")
    assert "must begin with USER: or ASSISTANT:" in error(ROWS["glaive"] | {"chat": "Hello."})


def test_no_tool_fits_is_a_truth_in_words() -> None:
    for row in (ROWS["xlam"] | {"answers": "[]"}, ROWS["hammer"] | {"output": "```\n[]\n```"}):
        sample = one(row)
        assert (sample.truth, sample.truth_text, sample.category) == (None, "[]", "no_call")


def test_hammer_s_test_sets_have_a_conversation_for_a_query() -> None:
    said = [("user", "Rome?"), ("agent", "Rome, Italy?"), ("assistant", f"```{json.dumps(as_json(ROME))}```"), ("tool", "20")]
    said += [("user", "And Oslo?"), ("agent", "I look.\nGenerate API Request:")]
    query = [{"role": role, "content": content} for role, content in said]
    sample = one({"query": query, "tools": [WEATHER], "answers": as_json(OSLO)})
    assert [message.role for message in sample.messages] == ["user", "assistant", "tool", "user"]
    assert sample.messages[1].content == '[Weather (v2)(city="Rome")]'
    assert sample.truth == (OSLO,)


def test_ms_swift_s_messages_without_loss_are_context_only() -> None:
    row = ROWS["ms_swift"]
    said = [*row["messages"], {"role": "tool_response", "content": "20"}, {"role": "assistant", "content": "20.", "loss": True}]
    for message in said[2:4]:
        assert message["role"] == "tool_call"
    unlearnt = [message | {"loss": False} if message["role"] == "tool_call" else message for message in said]
    assert [sample.truth for sample in only_samples(read(row | {"messages": said}))] == [(ROME, OSLO), None]
    assert [sample.truth_text for sample in only_samples(read(row | {"messages": unlearnt}))] == ["20."]


def test_llamafactory_s_loss_weight_and_reasoning() -> None:
    row = ROWS["llamafactory_v1"]
    answer = {"role": "assistant", "content": [{"type": "reasoning", "value": "?"}, {"type": "text", "value": "Both are hot."}]}
    said = [
        row["messages"][0],
        row["messages"][1] | {"loss_weight": 0.0},
        {"role": "tool", "content": [answer["content"][1]]},
        answer,
    ]
    sample = one(row | {"messages": said})
    assert sample.truth_text == "Both are hot."
    assert "only the assistant calls tools, not the tool" in error(
        row | {"messages": [{"role": "tool", "content": row["messages"][1]["content"]}]}
    )


def test_when2call_s_answers_of_the_correct_kind_are_the_truth() -> None:
    answers = {
        "direct": "It is hot.",
        "tool_call": json.dumps(as_json(ROME)[0]),
        "request_for_info": "Where?",
        "cannot_answer": "",
    }
    row = {"question": "Weather?", "answers": answers, "tools": [json.dumps(WEATHER)], "orig_tools": [], "target_tool": None}
    assert one(row | {"correct_answer": "tool_call"}).truth == (ROME,)
    assert one(row | {"correct_answer": "request_for_info", "tools": []}).truth_text == "Where?"
    assert "'cannot_answer' is the correct answer and is empty" in error(row | {"correct_answer": "cannot_answer"})


def test_toolrl_learns_the_output_alone_and_shows_the_dialogue() -> None:
    history = (
        "**Dialogue Records History**\n<user> Rome? </user>\n\n<think> Call. </think>\n<tool_call>\n"
        f"{json.dumps(as_json(ROME, parameters='parameters')[0])}\n</tool_call>\n<obs> 20 </obs>\n\n<think> Tell. </think>\n"
        "<response> 20. Not </response> in the text? </response>\n\n<user> And now? </user>"
    )
    row = ROWS["toolrl"] | {"input": history, "output": "<think> Say f(a=1). </think>\n<response> Still 20. </response>"}
    sample = one(row)
    assert [message.role for message in sample.messages] == ["user", "assistant", "tool", "assistant", "user"]
    assert [sample.messages[1].content, sample.messages[2].content] == ['[Weather (v2)(city="Rome")]', "20"]
    assert (sample.truth, sample.truth_text) == (None, "Still 20.")


def test_toolrl_s_tools_are_read_in_json_and_as_python() -> None:
    for parameters in ('{"city": {"type": "string"}}', "{'city': {'type': 'string'}}"):
        weather, clock = one(ROWS["toolrl"] | {"instruction": toolrl_system(parameters)}).tools
        assert weather["parameters"] == {"city": {"type": "string"}}
        assert weather["description"] == "The weather:\nin 3. Name: words."
        assert clock == {"name": "clock.now", "description": "The time.", "parameters": {}}
    without = ROWS["toolrl"] | {"instruction": "**Available Tools**\nNone.", "output": "<response> I cannot. </response>"}
    assert (one(without).tools, one(without).truth_text) == ((), "I cannot.")
    row = {"system": toolrl_system("{}"), "user": "<user>Rome?</user>", "answer": as_json(ROME, parameters="parameters")}
    assert one(row).truth == (ROME,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"instruction": "**Available Tools**\n1. Name: f\n"}, "the tool 'f' needs a line Description: and a line Parameters:"),
        ({"instruction": toolrl_system("{city}")}, "the parameters of 'Weather (v2)': neither JSON nor a Python literal"),
        ({"input": "<user> Rome?"}, "<user> at character 0 is not closed; add </user>"),
        ({"output": "<think> x </think>\n<response> </response>"}, "the assistant's turn is empty"),
    ],
)
def test_toolrl_rows_that_are_broken_say_where(change: dict[str, Any], message: str) -> None:
    assert message in error(ROWS["toolrl"] | change)


def test_seal_tools_without_tools_says_what_to_do() -> None:
    row = ROWS["seal_tools"]
    alone = {name: value for name, value in row.items() if name != "tools"}
    assert "names no tools; add those to choose from as 'tools', out of tool.jsonl" in error(alone)
    assert "the description of a tool, not a sample" in error(row["tools"][0])
    refers = [{"api": "Weather (v2)", "parameters": {"city": ["API_call_0"]}}]
    assert "refers to what another call returns (API_call_0)" in error(row | {"calling": refers})


def test_bfcl_s_first_accepted_values_are_the_truth() -> None:
    accepted = {
        "trip": {
            "to": [{"city": ["Rome", "Roma"], "days": [2]}],
            "stops": [[{"at": ["Bari", ""], "by": "bus"}], []],
            "fast": [False, ""],
        }
    }
    truth = one(ROWS["bfcl"] | {"ground_truth": [accepted], "function": [{"name": "trip"}]}).truth
    assert truth == (Call("trip", {"to": {"city": "Rome", "days": 2}, "stops": [{"at": "Bari", "by": "bus"}], "fast": False}),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ground_truth": None}, "add its 'ground_truth' from possible_answer/"),
        ({"question": [[], []]}, "must hold one turn"),
        ({"ground_truth": [{"f": {}, "g": {}}]}, "ground_truth[0]: one tool's name with its parameters expected, not 2"),
        ({"ground_truth": [{"f": {"a": []}}]}, "'a' has no accepted value"),
    ],
)
def test_bfcl_rows_that_give_no_truth_say_why(change: dict[str, Any], message: str) -> None:
    assert message in error(ROWS["bfcl"] | change)


def test_keys_that_the_datasets_library_filled_with_null_are_left_out() -> None:
    filled = {
        **TIME,
        "parameters": {"type": "object", "properties": {"zone": {"type": "string"}, "city": None}, "required": None},
    }
    call = {"type": "function", "function": {"name": "clock.now", "arguments": {"zone": None, "city": None}}}
    maybe = {
        "name": "maybe",
        "parameters": {"properties": {"a": {"type": ["string", "null"]}, "b": {"type": "string"}}, "required": ["b"]},
    }
    kept = {"type": "function", "function": {"name": "maybe", "arguments": {"a": None, "b": None, "c": None}}}
    said = [
        {"role": "user", "content": "When?", "tool_calls": None},
        {"role": "assistant", "content": None, "tool_calls": [call, kept]},
    ]
    sample = one({"messages": said, "tools": [filled, maybe]})
    assert sample.truth == (Call("clock.now", {}), Call("maybe", {"a": None, "b": None}))
    assert sample.tools[0]["parameters"]["properties"] == {"zone": {"type": "string"}}


def test_nulls_of_arguments_in_a_json_text_were_meant() -> None:
    call = {"function": {"name": "clock.now", "arguments": '{"zone": null}'}}
    said = [{"role": "user", "content": "When?"}, {"role": "assistant", "tool_calls": [call]}]
    assert one({"messages": said, "tools": [TIME]}).truth == (Call("clock.now", {"zone": None}),)


def test_messages_may_be_named_conversations() -> None:
    row = {"system": "It is May.", "tools": ROWS["openai"]["tools"], "conversations": ROWS["openai"]["messages"]}
    sample = one(row)
    assert (recognised(row), sample.truth, sample.other) == ("openai", (ROME, OSLO), "It is May.")


def test_a_row_that_is_not_text_alone_is_refused() -> None:
    for name in ("ms_swift", "sharegpt"):
        assert "field 'images' is given, and only text is read" in error(ROWS[name] | {"images": ["a.png"]})
    assert one(ROWS["sharegpt"] | {"images": []}).truth == (ROME, OSLO)


def test_a_row_without_an_answer_to_learn_is_an_error() -> None:
    unlearnt = [*ROWS["openai"]["messages"][:1], {"role": "assistant", "content": "No.", "weight": 0}]
    for messages in ([], ROWS["openai"]["messages"][:1], unlearnt):
        assert "no turn of the assistant that is to be learnt" in error({"messages": messages, "tools": []})


def test_an_endless_conversation_is_refused() -> None:
    said = turns(("human", "Rome?"), ("gpt", "Hot.")) * 501
    assert "a conversation of more than 1000 turns" in error({"conversations": said})
