from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from toolcalls.cli import main

COMMAND = [sys.executable, "-m", "toolcalls"]
ROOT = Path(__file__).parents[3]


def _run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *arguments], input=given, capture_output=True, cwd=ROOT, check=False, timeout=60)


@pytest.mark.process
def test_text_is_parsed_as_a_whole() -> None:
    done = _run("parse", given=b"[f(a=1),\n g()]\n")
    assert done.returncode == 0
    assert [call["name"] for call in json.loads(done.stdout)["calls"]] == ["f", "g"]


@pytest.mark.process
def test_text_that_is_too_long_is_a_failure_and_not_read_to_its_end() -> None:
    done = _run("parse", given=b"x" * 1_000_000)
    assert json.loads(done.stdout)["failure"]["position"] == 65_536


@pytest.mark.process
def test_text_in_another_encoding_is_an_error() -> None:
    done = _run("parse", given=b"\xff\xfe")
    assert (done.returncode, done.stdout) == (2, b"")
    assert "UTF-8" in json.loads(done.stderr)["error"]


@pytest.mark.process
def test_field_of_json_lines_is_parsed_line_by_line() -> None:
    done = _run("parse", "--jsonl", "output", given=b'{"output": "[f()]"}\n{"text": ""}\n{"output": "no"}\n')
    assert done.returncode == 2
    assert [next(iter(json.loads(line))) for line in done.stdout.splitlines()] == ["calls", "text"]
    assert json.loads(done.stderr)["line"] == 2


@pytest.mark.process
def test_answer_comes_before_the_next_line_is_there() -> None:
    with subprocess.Popen([*COMMAND, "compare"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdin is not None and process.stdout is not None
        for output, verdict in (("[f()]", "exact"), ("[g()]", "wrong_tool")):
            process.stdin.write(json.dumps({"truth": "[f()]", "output": output}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["verdict"] == verdict
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.mark.process
def test_reader_that_has_enough_ends_the_command_quietly() -> None:
    lines = (json.dumps({"output": "[f()]"}) + "\n").encode() * 20_000
    command = [*COMMAND, "parse", "--jsonl", "output"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write(lines[:1000])
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        try:
            process.stdin.write(lines[1000:])
            process.stdin.close()
        except BrokenPipeError:
            pass
        assert process.wait(30) == 141
        assert process.stderr.read() == b""


def test_folder_that_is_not_there_is_told_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for benchmark in ("bfcl", "acebench", "apibank"):
        assert main(["score", "--benchmark", benchmark, "--data", str(tmp_path)]) == 2
        assert f"{tmp_path}: no {benchmark} there" in json.loads(capsys.readouterr().err)["error"]


@pytest.mark.parametrize("flag", [("--missing", "wrong"), ("--mode", "fc"), ("--categories", "simple_python")])
def test_what_is_of_result_files_is_not_passed_over_for_lines(
    flag: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["score", "--benchmark", "bfcl", "--data", str(tmp_path), *flag]) == 2
    assert "are of --outputs" in json.loads(capsys.readouterr().err)["error"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["score"],
        ["score", "--benchmark", "none", "--data", "."],
        ["compare", "--tolerance", "-1"],
        ["compare", "--numeric-tolerance", "1"],
        ["compare", "--string-folding", "all"],
    ],
)
def test_wrong_arguments_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m toolcalls" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--numeric-tolerance=nan", "--tolerance=x"])
def test_what_is_no_number_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["compare", option])
    assert "usage" in capsys.readouterr().err


@pytest.mark.process
def test_category_without_its_package_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "bfcl"
    (folder / "possible_answer").mkdir(parents=True)
    (folder / "BFCL_v4_simple_java.json").write_text('{"id": "one", "question": [[]], "function": []}\n')
    (folder / "possible_answer" / "BFCL_v4_simple_java.json").write_text('{"id": "one", "ground_truth": []}\n')
    row = {"sample_id": "one", "category": "simple_java", "mode": "prompt", "output_text": "f()"}
    without = "import runpy, sys; sys.modules['tree_sitter'] = None; runpy.run_module('toolcalls', run_name='__main__')"
    arguments = [
        sys.executable,
        "-c",
        without,
        "score",
        "--benchmark",
        "bfcl",
        "--changed-files",
        "allow",
        "--data",
        str(tmp_path),
    ]
    done = subprocess.run(arguments, input=json.dumps(row).encode(), capture_output=True, cwd=ROOT, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, b"")
    assert "whetstone[official]" in json.loads(done.stderr)["error"]
