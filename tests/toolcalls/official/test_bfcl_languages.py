from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from toolcalls.official.bfcl import score
from toolcalls.official.bfcl.java import decode_java
from toolcalls.official.bfcl.javascript import decode_javascript
from toolcalls.official.python_calls import Undecodable
from toolcalls.official.scored import Scored


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ('[Log.write(line="to be", level=3)]', {"Log.write": {"line": "to be", "level": "3"}}),
        ("[Log.write(line='to be', level=3)]", {"Log.write": {"line": "to be", "level": "3"}}),
        ("Log.write(line=null, level=Level.INFO)", {"Log.write": {"line": "null", "level": "Level.INFO"}}),
        ("[write(it=new int[]{1, 2, 3})]", {"write": {"it": "new int[]{1,2,3}"}}),
        ('[write(it=new String[] {"a b", "c"})]', {"write": {"it": 'new String[]{"a b","c"}'}}),
        (
            '[write(it=new ArrayList<>(Arrays.asList("a", "b")))]',
            {"write": {"it": 'new ArrayList<>(Arrays.asList("a", "b"))'}},
        ),
        (
            '[write(it=new HashMap<String, Object>() {{ put("k", 1); }})]',
            {"write": {"it": "new HashMap<String,Object>()"}},
        ),
        ("[write(it=-1, other=a + b)]", {"write": {"it": "-1", "other": "a+b"}}),
        ("[write(it=x -> x + 1, other=true)]", {"write": {"it": "x->x+1", "other": "true"}}),
        ("[write(first, it=String.class)]", {"write": {None: "first", "it": "String.class"}}),
        ('[write("first", it=this)]', {"write": {"it": "this"}}),
        ("[write(it=/* as asked */ 12)]", {"write": {"it": "/* as asked */"}}),
        ("[write(it='é', more=abc)]", {"write": {"it": "é'", "ore=": "bc)"}}),
        ("[a.b(c=1).d(e=f2)]", {"a.b(c=1).d": {"e": "f2"}}),
    ],
)
def test_a_java_call_decodes(text: str, call: object) -> None:
    assert decode_java(text) == [call]


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("[draw({a: 1}, b=2)]", {"draw": {"b": "2"}}),
        ("[ui.draw(a='x y', b=\"z\", c=12)]", {"ui.draw": {"a": "x y", "b": "z", "c": "12"}}),
        ('draw(a=["p", \'q\'], b={k: "v", w: [1, 2]})', {"draw": {"a": "[\"p\", 'q']", "b": '{k: "v", w: [1, 2]}'}}),
        ("[draw(a=(x) => x + 1, b=null)]", {"draw": {"a": "(x) => x + 1", "b": "null"}}),
        ('[draw(a="x" + "y")]', {"draw": {"a": 'x" + "y'}}),
        ("[draw(canvas, a=true)]", {"draw": {None: "canvas", "a": "true"}}),
        ("[draw(true)]", {"draw": {None: "true"}}),
        ("[draw(a='é', b=1)]", {"draw": {"a": "é", "b": "1"}}),
        ("[draw?.(a=1)]", {"draw": {}}),
        ("[draw(a=1), erase(b=2)]", None),
        ("[x = draw(a=1)]", None),
        ("[await draw(a=1)]", None),
        ("[]", None),
    ],
)
def test_a_javascript_call_decodes(text: str, call: object) -> None:
    assert decode_javascript(text) == (None if call is None else [call])


@pytest.mark.parametrize("decode", [decode_java, decode_javascript])
@pytest.mark.parametrize(
    "text",
    [
        "[write(it=)]",
        "[write(it='open)]",
        "[write(it=1, it=2)]",
        "[write(first, second)]",
        "Here it is: [write(it=1)]",
        "[write(it=1)]<|eot_id|>",
        "```java\n[write(it=1)]\n```",
        "[write(it='\ud800')]",
        "[write(it='" + "x" * 2**14 + "')]",
    ],
)
def test_source_with_errors_does_not_decode(decode: Any, text: str) -> None:
    with pytest.raises(Undecodable):
        decode(text)


def test_java_without_a_call_decodes_to_nothing() -> None:
    assert decode_java("[int writing = 1;]") is None
    assert decode_java("[]") is None


def test_deep_java_is_no_error_of_ours() -> None:
    decoded = decode_java(f"[write(it={'(' * 200}x1{')' * 200})]")
    assert decoded == [{"write": {"it": "(" * 200 + "x1" + ")" * 200}}]
    with pytest.raises(Undecodable):
        decode_java(f"[write(it={'!' * 400}x1)]")


@pytest.mark.parametrize("piece", ["A<", "A<B‹", "x=>", "x=*", "A(/", ";!", "A.B<", "A<int", ";a?"])
def test_java_of_open_marks_takes_little_memory_and_time(piece: str) -> None:
    script = (
        "import resource\n"
        "from toolcalls.official.bfcl.java import decode_java\n"
        "from toolcalls.official.python_calls import Undecodable\n"
        "def tried(length):\n"
        "    try:\n"
        f"        decode_java(({piece!r} * length)[:length])\n"
        "    except Undecodable:\n"
        "        pass\n"
        "tried(8)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for length in (500, 1000, 2000, 4000, 16000):\n"
        "    tried(length)\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(used.ru_maxrss - before, used.ru_utime + used.ru_stime)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    kilobytes, seconds = map(float, told.stdout.split())
    assert kilobytes < 64 * 1024
    assert seconds < 5


def test_a_long_java_text_still_decodes() -> None:
    words, numbers = "to be, or not. " * 600, ", ".join(map(str, range(2000)))
    assert decode_java(f'[write(it="{words}")]') == [{"write": {"it": words}}]
    assert decode_java(f"[write(it=new int[]{{{numbers}}})]")
    with pytest.raises(Undecodable, match="512 marks"):
        decode_java(f"[write(it={'+'.join(['1'] * 600)})]")


def _function(name: str, kind: str, inner: str) -> dict[str, Any]:
    properties = {"it": {"type": kind, "items": {"type": inner}}}
    return {"name": name, "parameters": {"type": "dict", "required": ["it"], "properties": properties}}


@pytest.mark.parametrize(
    ("category", "kind", "inner", "written", "accepted", "error"),
    [
        ("simple_java", "integer", "", "12", [12], None),
        ("simple_java", "integer", "", "12.0", [12], "type_error:simple"),
        ("simple_java", "long", "", "12L", [12], None),
        ("simple_java", "long", "", "12", [12], "type_error:simple"),
        ("simple_java", "double", "", "1e3", [1000.0], None),
        ("simple_java", "boolean", "", "true", [True], None),
        ("simple_java", "boolean", "", "True", [True], "type_error:simple"),
        ("simple_java", "String", "", "To-Be", ["to be"], None),
        ("simple_java", "any", "", "to.be", ["tobe"], None),
        ("simple_java", "any", "", "or", ["to be"], "value_error:string"),
        ("simple_java", "Array", "integer", "new int[]{1, 2}", [[1, 2]], None),
        ("simple_java", "Array", "integer", "{1, 2}", [[1, 2]], "type_error:simple"),
        ("simple_java", "ArrayList", "String", 'new ArrayList<>(Arrays.asList("A", "b"))', [["a", "b"]], None),
        ("simple_java", "ArrayList", "long", "new ArrayList<>(Arrays.asList(1L))", [[2]], "value_error:list/tuple"),
        ("simple_java", "ArrayList", "any", 'new ArrayList<>(Arrays.asList("A"))', [['"a"']], None),
        ("simple_java", "integer", "", "COUNT", ["COUNT"], None),
        ("simple_javascript", "integer", "", "12", [12], None),
        ("simple_javascript", "Bigint", "", "12n", [12], None),
        ("simple_javascript", "float", "", "12", [12.0], None),
        ("simple_javascript", "float", "", "1e3", [1000.0], "type_error:simple"),
        ("simple_javascript", "Boolean", "", "false", [False], None),
        ("simple_javascript", "array", "String", "['A', \"b\"]", [["a", "b"]], None),
        ("simple_javascript", "array", "float", "[1, 2.5]", [[1.0, 2.5]], None),
        ("simple_javascript", "array", "float", "[1, 'x']", [[1.0, 2.5]], "type_error:nested"),
        ("simple_javascript", "dict", "", "{k: 'V', n: 1}", [{"k": ["v"], "n": [1]}], None),
        ("simple_javascript", "dict", "", "{k: 'w'}", [{"k": ["v"]}], "value_error:dict_value"),
        ("simple_javascript", "dict", "", "{}", ["", {}], None),
        ("simple_javascript", "array", "String", "names", ["names"], None),
    ],
)
def test_values_are_compared_as_their_types(
    category: str, kind: str, inner: str, written: str, accepted: list[Any], error: str | None
) -> None:
    arguments = [_function("f.g", kind, inner)], [{"f.g": {"it": accepted}}]
    assert score(category, "fcdot", json.dumps([{"f.g": json.dumps({"it": written})}]), *arguments) == Scored(
        error is None, error
    )


def test_what_is_no_source_text_is_of_the_wrong_type() -> None:
    for category, error in {"simple_java": "type_error:java", "simple_javascript": "type_error:js"}.items():
        output = json.dumps([{"f": json.dumps({"it": 12})}])
        assert score(category, "fcdot", output, [_function("f", "integer", "")], [{"f": {"it": [12]}}]).error_type == error


def test_a_text_without_a_call_is_of_the_wrong_format() -> None:
    for category in ("simple_java", "simple_javascript"):
        scored = score(category, "prompt", "[]", [_function("f", "integer", "")], [{"f": {"it": [12]}}])
        assert scored == Scored(False, "ast_decoder:decoder_wrong_output_format")


def test_a_number_of_too_many_digits_leaves_the_verdict_open() -> None:
    output = json.dumps([{"f": json.dumps({"it": "9" * 4301})}])
    assert score("simple_java", "fcdot", output, [_function("f", "integer", "")], [{"f": {"it": [12]}}]) == Scored(None)
