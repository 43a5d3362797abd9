"""The official verdict on one output of a BFCL question, after `eval_runner.py` of bfcl-eval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolcalls.errors import InputError
from toolcalls.official.bfcl.checking import Checker
from toolcalls.official.bfcl.decoding import decode_api, decode_python
from toolcalls.official.bfcl.languages import JAVA, JAVASCRIPT, Language, language_of
from toolcalls.official.python_calls import Undecodable
from toolcalls.official.scored import Scored

MODES = ("prompt", "fc", "fcdot")
# What the original lets fall through: a schema without a type, an item without keys, a number too long to print.
_CRASHES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

_RIGHT = Scored(True)


def score(
    category: str,
    mode: str,
    output_text: str,
    functions: Sequence[Mapping[str, Any]],
    answer: Sequence[Mapping[str, Any]] | None,
) -> Scored:
    """The verdict and its error type. Never raises on an output; InputError where Java or JavaScript lack their parser.

    category: the benchmark's, e.g. "live_parallel_multiple". mode: "prompt" for text; "fc" and "fcdot" for a JSON list of
    {name: "arguments in JSON"}, in "fc" with `_` for every `.` of a name. functions and answer (None of the categories
    about relevance) as the benchmark's files have them. Valid is None where the original crashes.
    """
    if "relevance" in category:
        return _relevance(category, mode, output_text)
    language = language_of(category)
    try:
        calls = _decoded(mode, output_text, language)
    except Undecodable:
        return Scored(False, "ast_decoder:decoder_failed")
    if not _are_calls(calls):
        return Scored(False, "ast_decoder:decoder_wrong_output_format")
    try:
        wrong = Checker(functions, language, underscores=mode == "fc").check(category, calls, answer or ())
    except _CRASHES:
        return Scored(None)
    return Scored(False, wrong.error_type, wrong.reasons) if wrong else _RIGHT


def _relevance(category: str, mode: str, output_text: str) -> Scored:
    """A call is there if the output decodes to at least one, whatever it calls; always read as Python."""
    try:
        calls = _decoded(mode, output_text, None)
        called = _are_calls(calls) and bool(calls)
    except Undecodable:
        called = False
    if "irrelevance" in category:
        return Scored(not called, "irrelevance_error:decoder_success" if called else None)
    return Scored(called, None if called else "relevance_error:decoder_failed")


def _decoded(mode: str, output_text: str, language: Language | None) -> Any:
    if mode not in MODES:
        raise ValueError(f"mode {mode!r} is none of {', '.join(MODES)}")
    if mode != "prompt":
        return decode_api(output_text)
    if language is JAVA or language is JAVASCRIPT:
        return _decoded_by_grammar(output_text, language)
    return decode_python(output_text)


def _decoded_by_grammar(output_text: str, language: Language | None) -> Any:
    """Java and JavaScript are imported when needed: the extra may not be installed."""
    try:
        if language is JAVA:
            from toolcalls.official.bfcl.java import decode_java as decode
        else:
            from toolcalls.official.bfcl.javascript import decode_javascript as decode
    except ModuleNotFoundError as error:
        raise InputError(f"{error}: Java and JavaScript are scored with tree-sitter: pip install 'whetstone[official]'") from None
    return decode(output_text)


def _are_calls(decoded: Any) -> bool:
    """A list of {name: {parameter: value}}; an empty one too."""
    return isinstance(decoded, list) and all(isinstance(next(iter(call.values())), dict) for call in decoded)
