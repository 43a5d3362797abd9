"""A row of each format that says the same: somebody asks for the weather of two cities, and two calls answer."""

from __future__ import annotations

import json
from typing import Any

from toolcalls.answers import Call
from toolcalls.records import Message

WEATHER = {
    "name": "Weather (v2)",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TIME = {"name": "clock.now", "description": "", "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}}}
ROME, OSLO = Call("Weather (v2)", {"city": "Rome"}), Call("Weather (v2)", {"city": "Oslo"})
ASKED = Message("user", "Rome and Oslo?")


def as_json(*calls: Call, parameters: str = "arguments") -> list[dict[str, Any]]:
    return [{"name": call.name, parameters: call.arguments} for call in calls]


def toolrl_system(parameters: str) -> str:
    return (
        "You are a helpful dialogue assistant.\n\n**Available Tools**\nIn your response, you can use the following tools:\n"
        f"1. Name: Weather (v2)\nDescription: The weather:\nin 3. Name: words.\nParameters: {parameters}\n"
        "2. Name: clock.now\nDescription: The time.\nParameters: {}\n\n"
        '**Output Format**\n<tool_call>\n{"name": "Tool name", "parameters": {}}\n</tool_call>'
    )


ROWS: dict[str, dict[str, Any]] = {
    "toolace": {
        "system": json.dumps([WEATHER]),
        "conversations": [
            {"from": "user", "value": ASKED.content},
            {"from": "assistant", "value": '[Weather (v2)(city="Rome"), Weather (v2)(city="Oslo")]'},
        ],
    },
    "openai": {
        "tools": [{"type": "function", "function": WEATHER}],
        "messages": [
            {"role": "user", "content": ASKED.content},
            {"role": "assistant", "content": None, "tool_calls": [{"function": call} for call in as_json(ROME, OSLO)]},
        ],
    },
    "sharegpt": {
        "tools": json.dumps([WEATHER]),
        "conversations": [
            {"from": "human", "value": ASKED.content},
            {"from": "function_call", "value": json.dumps(as_json(ROME, OSLO))},
        ],
    },
    "hermes": {
        "conversations": [
            {"from": "system", "value": f"You are a function calling AI model. <tools>{[WEATHER]!r}</tools>"},
            {"from": "human", "value": ASKED.content},
            {"from": "gpt", "value": "\n".join(f"<tool_call>\n{call!r}\n</tool_call>" for call in as_json(ROME, OSLO))},
        ],
    },
    "xlam": {
        "id": 0,
        "query": ASKED.content,
        "answers": json.dumps(as_json(ROME, OSLO)),
        "tools": json.dumps([{"name": "Weather (v2)", "parameters": {"city": {"type": "str", "default": "Rome"}}}]),
    },
    "glaive": {
        "system": f"SYSTEM: You are a helpful assistant with access to the following functions. Use them if required -\n"
        f"{json.dumps(WEATHER, indent=1)}\n\n{json.dumps(TIME)}\n",
        "chat": "USER: Rome and Oslo?\n\n\nASSISTANT: "
        + " ".join(
            f"""<functioncall> {{"name": "Weather (v2)", "arguments": '{json.dumps(call.arguments)}'}}""" for call in (ROME, OSLO)
        )
        + " <|endoftext|>\n\n\n",
    },
    "ms_swift": {
        "tools": json.dumps([{"type": "function", "function": WEATHER}]),
        "messages": [
            {"role": "user", "content": ASKED.content},
            {"role": "assistant", "content": "<think>\nBoth.\n</think>\n"},
            *({"role": "tool_call", "content": json.dumps(call)} for call in as_json(ROME, OSLO)),
        ],
    },
    "llamafactory_v1": {
        "tools": json.dumps([WEATHER]),
        "messages": [
            {"role": "user", "content": [{"type": "text", "value": "Rome and "}, {"type": "text", "value": "Oslo?"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "reasoning", "value": '{"name": "Weather (v2)"}?'},
                    *({"type": "tool_call", "value": json.dumps(call)} for call in as_json(ROME, OSLO)),
                ],
            },
        ],
    },
    "when2call": {
        "tools": [json.dumps(WEATHER)],
        "messages": [{"role": "user", "content": ASKED.content}],
        "chosen_response": {"role": "assistant", "content": f"<TOOLCALL>{json.dumps(as_json(ROME, OSLO))}</TOOLCALL>"},
        "rejected_response": {"role": "assistant", "content": "I cannot."},
    },
    "toolrl": {
        "instruction": toolrl_system('{"city": {"type": "string", "default": ""}}'),
        "input": "**Dialogue Records History**\n<user> Rome and Oslo? </user>",
        "output": "<think> Is <tool_call> right here? </think>\n<tool_call>\n"
        + "\n".join(map(json.dumps, as_json(ROME, OSLO, parameters="parameters")))
        + "\n</tool_call>",
    },
    "hammer": {
        "instruction": "[BEGIN OF TASK INSTRUCTION]\nCall tools.\n[END OF TASK INSTRUCTION]\n\n[BEGIN OF AVAILABLE TOOLS]\n"
        f"{json.dumps([WEATHER])}\n[END OF AVAILABLE TOOLS]\n\n[BEGIN OF QUERY]\nRome and Oslo?\n[END OF QUERY]\n\n",
        "input": "",
        "output": f"```\n{json.dumps(as_json(ROME, OSLO))}\n```",
    },
    "seal_tools": {
        "id": "dev-0",
        "query": ASKED.content,
        "calling": [{"api": call.name, "parameters": call.arguments, "responses": ["API_call_0"]} for call in (ROME, OSLO)],
        "tools": [{"api_name": "Weather (v2)", "api_description": "", "field": "x", "parameters": {"city": {"type": "str"}}}],
    },
    "bfcl": {
        "id": "parallel_0",
        "question": [[{"role": "user", "content": ASKED.content}]],
        "function": [WEATHER],
        "ground_truth": [{"Weather (v2)": {"city": ["Rome", "Roma"], "unit": ["", "C"]}}, {"Weather (v2)": {"city": ["Oslo"]}}],
    },
}
