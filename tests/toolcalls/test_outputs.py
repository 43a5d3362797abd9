"""Outputs of batches and BFCL's result files, read as answers to attempts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolcalls.answers import Call, Calls
from toolcalls.batches import Name, Said, named, prompt_digest, request_line
from toolcalls.errors import InputError
from toolcalls.importing import RowError, read_samples
from toolcalls.outputs import LONGEST, Output, read_outputs
from toolcalls.parsing import parse
from toolcalls.records import Message, Sample, Sampling


def batch_line(custom_id: str = "a#direct.0", *, status: int = 200, error: Any = None, **choice: Any) -> dict[str, Any]:
    """A line of a batch's output, as OpenAI documents it."""
    message = {"role": "assistant", "content": choice.pop("content", "[f(a=1)]"), **choice.pop("message", {})}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", **choice}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16},
    }
    return {"id": "batch_req_1", "custom_id": custom_id, "response": {"status_code": status, "body": body}, "error": error}


def read(*lines: Any, **how: Any) -> list[Output | RowError]:
    return list(read_outputs([json.dumps(line).encode() + b"\n" for line in lines], **how))


@pytest.mark.parametrize(
    "name",
    [Name("sample-1", 0, 0), Name("row:1.2", 1, 7, "0123456789ab"), Name("a#direct.3", 0, None), Name("two\nlines", 1, 12)],
)
def test_a_name_is_read_back_from_its_custom_id(name: Name) -> None:
    assert named(str(name)) == name


@pytest.mark.parametrize("custom_id", ["", "request-1", "a#direct", "a#direct.x", "a#other.0", "a#direct.0.zz", "#direct.0"])
def test_other_custom_ids_are_refused(custom_id: str) -> None:
    with pytest.raises(InputError, match=r"SAMPLE#direct\.0"):
        named(custom_id)


def test_a_request_states_every_parameter() -> None:
    messages = (Message("system", "Tools: …"), Message("user", 'He said "Ωmega"'))
    line = json.loads(request_line(Name("a", 0, 1, prompt_digest(messages)), messages, Sampling(0.7), 2**63 - 1, "m"))
    assert line["custom_id"] == f"a#direct.1.{prompt_digest(messages)}"
    assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
    assert line["body"] == {
        "model": "m",
        "messages": [{"role": "system", "content": "Tools: …"}, {"role": "user", "content": 'He said "Ωmega"'}],
        "temperature": 0.7,
        "top_p": 1.0,
        "max_tokens": 256,
        "seed": 2**63 - 1,
    }


def test_another_prompt_has_another_digest() -> None:
    one, other = Message("user", "Rome"), Message("user", "rome")
    assert prompt_digest([one]) == prompt_digest([one]) != prompt_digest([other])
    assert prompt_digest([one, other]) != prompt_digest([other, one])


def test_a_batch_line_is_an_answer() -> None:
    (found,) = read(batch_line("row:3.2#refine.4.0123456789ab"))
    assert found == Output(1, "row:3.2", 1, 4, "0123456789ab", Said("[f(a=1)]", "stop", 11, 5))


def test_an_answer_cut_off_is_told_from_one_that_ended() -> None:
    (found,) = read(batch_line(finish_reason="length"))
    assert isinstance(found, Output) and found.said.finish_reason == "length"


def test_calls_that_the_server_took_out_of_the_text_are_read() -> None:
    function = {"name": "get weather", "arguments": '{"city": "Rome", "days": 1}'}
    calls = [{"id": "call_1", "type": "function", "function": function}]
    (found,) = read(batch_line(content=None, message={"tool_calls": calls}, finish_reason="tool_calls"))
    assert isinstance(found, Output)
    assert parse(found.said.text) == Calls((Call("get weather", {"city": "Rome", "days": 1}),), "openai")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (batch_line(status=429), "status 429"),
        (batch_line(error={"code": "batch_expired", "message": "This request could not be executed"}), "could not be executed"),
        ({"custom_id": "a#direct.0", "response": None}, "no reason is given"),
        ({"custom_id": "a#direct.0", "response": {"status_code": 200, "body": {"choices": []}}}, "0 choices"),
        (batch_line(finish_reason="content_filter"), "'content_filter'"),
        (batch_line(finish_reason=None), "'None'"),
        (batch_line(content=[{"type": "text", "text": "x"}]), "no text"),
        (batch_line(content="x" * (LONGEST + 1)), "1,048,576 characters"),
        (batch_line("mine"), "'mine' is none of ours"),
        ({"response": {}}, "field 'id' is missing"),
        ([1], "an object expected, not list"),
        ({"id": "a"}, "field 'result' is missing"),
        ({"id": "a", "result": 3}, "not int"),
        ({"id": "a", "result": [["[f()]"], ["[g()]"]]}, "several turns"),
        ({"id": "a", "result": ["[f()]"]}, "several turns"),
        ({"id": "a", "result": [{"f": "{}", "g": "{}"}]}, "must hold calls"),
        ({"id": "a", "result": "Error during inference: 429", "traceback": "…"}, "gave no answer"),
    ],
)
def test_a_line_without_an_answer_is_an_error(line: Any, words: str) -> None:
    good, bad, after = read(batch_line(), line, batch_line("a#direct.1"))
    assert isinstance(good, Output) and isinstance(after, Output)
    assert isinstance(bad, RowError) and bad.line == 2
    assert words in bad.message


def test_broken_json_names_its_line() -> None:
    lines = [b"\n", b'{"id": "a", "result": "x"}\n', b"{not JSON\n", b"[" * 100_000, b"\xff\n", b"1" * 5000]
    good, *bad = list(read_outputs(lines))
    assert isinstance(good, Output) and good.line == 2
    assert [(each.line, "not valid JSON" in str(each)) for each in bad] == [(3, True), (4, True), (5, True), (6, True)]


def test_what_a_model_wrote_is_taken_as_it_is() -> None:
    hostile = "\x00 \ud800 <script>alert(1)</script> {{7*7}}\r\n"
    (found,) = read(batch_line(content=hostile))
    assert isinstance(found, Output) and found.said.text == hostile


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(InputError, match="unknown format 'csv'"):
        read(format="csv")


@pytest.mark.parametrize("name", ["bfcl_model_result_fc.jsonl", "bfcl_model_result_prompt.jsonl"])
def test_published_result_files_are_read_whole(name: str, data_dir: Path) -> None:
    with (data_dir / "formats" / name).open("rb") as file:
        found = list(read_outputs(file))
    assert found
    for each in found:
        assert isinstance(each, Output) and each.turn is None
        assert isinstance(parse(each.said.text), Calls)
        assert each.said.prompt_tokens > 0


def test_a_bfcl_question_keeps_its_id() -> None:
    row = {
        "id": "simple_python_0",
        "question": [[{"role": "user", "content": "Area?"}]],
        "function": [{"name": "area", "parameters": {"type": "dict", "properties": {"base": {"type": "integer"}}}}],
        "ground_truth": [{"area": {"base": [10]}}],
    }
    samples = list(read_samples(json.dumps(row), name="file"))
    assert [each.id for each in samples if isinstance(each, Sample)] == ["simple_python_0"]
