"""The searches that stand in for the original's regular expressions find what those find, in linear time."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.official.bfcl import java_values, javascript_values
from toolcalls.official.bfcl.scanning import spans


def _soup(*parts: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(["a", '"', ",", " ", "\n", "\u00a0", *parts]), max_size=10).map("".join)


def _first(pattern: str, text: str, flags: int = 0) -> str | None:
    found = re.search(pattern, text, flags)
    return found[1] if found else None


@given(_soup("add(", ")", "x"))
def test_spans_are_those_of_findall(text: str) -> None:
    assert list(spans(text, re.compile(r"add\("), ")")) == re.findall(r"add\((.*?)\)", text)
    assert list(spans(text, re.compile(r"add\("), ")", least=1)) == re.findall(r"add\((.+?)\)", text)


@given(_soup("new ArrayList<>() {{", "{{", "}}", "}", "add(", "new\tArrayList<B>()"))
def test_the_body_of_a_list_is_the_patterns(text: str) -> None:
    pattern = r"new\s+ArrayList<\w*>\(\)\s*\{\{\s*(.+?)\s*\}\}"
    assert java_values._added(text) == _first(pattern, text, re.DOTALL)


@given(_soup("new HashMap<", ">", "() ", "()", "{", "}", "new HashMap<A> () {{"))
def test_the_body_of_a_map_is_the_patterns(text: str) -> None:
    pattern = r"new\s+HashMap<.*?>\s*\(\)\s*\{\s*\{?\s*(.*?)\s*\}?\s*\}"
    assert java_values._map_content(text) == _first(pattern, text, re.DOTALL)
    assert java_values._makes_map(text) == bool(re.search(r"new\s+HashMap<.*?>\s*\(\)", text))


@given(_soup('put("', '",', ")", "put(", "  "))
def test_the_entries_of_a_map_are_the_patterns(text: str) -> None:
    assert list(java_values._puts(text)) == re.findall(r"put\(\"(.*?)\",\s*(.*?)\)", text)


@given(_soup("[", "]", "], [", "[[", "new Array(", ")", "[1]").map(str.strip))
def test_the_end_of_rows_is_the_patterns(text: str) -> None:
    rows = r"\[.*?\]\s*(,\s*\[.*?\]\s*)*"
    found = re.match(rf"\[\s*{rows}\]|\bnew\s+Array\(\s*{rows}\)", text)
    assert javascript_values._rows_end(text) == (found.end() if found else None)


@given(_soup(":", ", ", "b: ", "::", ",,").map(lambda text: text.replace("\n", "")))
def test_the_entries_of_a_dict_are_the_patterns(text: str) -> None:
    assert list(javascript_values._pairs(text)) == re.findall(r"([^:]+):\s*(.*?)(?:,\s*(?=[^,]+:)|$)", text)


BOMBS: list[tuple[Any, str, str, str, str]] = [
    (javascript_values, "array", "[", "[1],", ""),
    (javascript_values, "array", "[[", "],[", ""),
    (javascript_values, "array", "", "[\n", "]"),
    (javascript_values, "array", "new Array(", "[1],", ""),
    (javascript_values, "dict", "{", "a", "}"),
    (javascript_values, "dict", "{a:,", " ", "}"),
    (javascript_values, "dict", "{a:", ", ", ":}"),
    (java_values, "ArrayList", "", "new ArrayList<>(Arrays.asList(", ""),
    (java_values, "ArrayList", "new ArrayList<>() {{", " ", "}"),
    (java_values, "ArrayList", "new ArrayList<>() {{", "add(", "}}"),
    (java_values, "Array", "", "new int[]{", ""),
    (java_values, "Array", "", "new int[]{\n", "}"),
    (java_values, "HashMap", "", "new HashMap<", ""),
    (java_values, "HashMap", "new HashMap<>() {", " ", ""),
    (java_values, "HashMap", "new HashMap<>() {{", 'put("a",', "}"),
    (java_values, "HashMap", 'new HashMap<>() {{put("', 'a",', "\n)}"),
    (java_values, "double", "", "1", "x"),
]


@pytest.mark.parametrize(("module", "kind", "before", "part", "after"), BOMBS)
def test_odd_source_takes_no_time(module: Any, kind: str, before: str, part: str, after: str) -> None:
    text = before + part * (2**16 // len(part)) + after
    started = time.process_time()
    module.convert(text, kind, None)
    assert time.process_time() - started < 0.5
