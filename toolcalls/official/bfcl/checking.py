"""Whether decoded calls are a benchmark question's answer, after `ast_checker.py` of bfcl-eval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolcalls.official.bfcl.languages import Language
from toolcalls.official.bfcl.typed import typed
from toolcalls.official.bfcl.values import dict_wrong, dicts_wrong, list_wrong, string_wrong
from toolcalls.official.bfcl.wrong import Wrong

Json = Any
_SCALARS = frozenset((str, int, float, bool))
Call = Mapping[str, Mapping[Any, Any]]  # one name with its arguments; `**{}` gives an argument without a name


@dataclass(frozen=True, slots=True)
class Checker:
    """functions: the question's tools, as the benchmark writes them.

    underscores: the model's names have `_` where the tools have `.`, as many APIs force on it.
    """

    functions: Sequence[Mapping[str, Json]]
    language: Language
    underscores: bool

    def check(self, category: str, calls: Sequence[Call], answers: Sequence[Mapping[str, Json]]) -> Wrong | None:
        """What is wrong with the calls. "parallel_multiple" counts as parallel. Raises as the original does on odd values."""
        if "parallel" in category:
            return self._any_order(calls, answers)
        multiple = "multiple" in category
        if len(calls) != (len(answers) if multiple else 1):
            family = "multiple" if multiple else "simple"
            return Wrong(f"{family}_function_checker:wrong_count", ("Wrong number of functions.",))
        tool = self._expected(answers[0]) if multiple else self.functions[0]
        return self._call_wrong(tool, calls[0], answers[0])

    def _expected(self, answer: Mapping[str, Json]) -> Mapping[str, Json]:
        """The tool that an answer calls."""
        name, *_ = answer
        for function in self.functions:
            if function["name"] == name:
                return function
        raise LookupError(f"no tool is named {name}")

    def _any_order(self, calls: Sequence[Call], answers: Sequence[Mapping[str, Json]]) -> Wrong | None:
        """Give each answer in turn the first call left that fits it; no choice is taken back."""
        if len(calls) != len(answers):
            return Wrong("parallel_function_checker_no_order:wrong_count", ("Wrong number of functions.",))
        left = list(range(len(calls)))
        for position, answer in enumerate(answers):
            tool = self._expected(answer)
            fitting = next((index for index in left if not self._call_wrong(tool, calls[index], answer)), None)
            if fitting is None:
                where = f"among index {left} of model output for index {position} of possible answers"
                reason = f"Could not find a matching function {where}."
                return Wrong("parallel_function_checker_no_order:cannot_find_match", (reason,))
            left.remove(fitting)
        return None

    def _call_wrong(self, tool: Mapping[str, Json], call: Call, answer: Mapping[str, Json]) -> Wrong | None:
        accepted, *_ = answer.values()
        properties, required = tool["parameters"]["properties"], tool["parameters"]["required"]
        name = tool["name"].replace(".", "_") if self.underscores else tool["name"]
        if name not in call:
            return _wrong("wrong_func_name", f"Function name {name!r} not found in model output.")
        given = call[name]
        for parameter in required:
            if parameter not in given:
                return _wrong("missing_required", f"Missing required parameter: {parameter!r}.")
        for parameter, value in given.items():
            if parameter not in properties or parameter not in accepted:
                return _wrong("unexpected_param", f"Unexpected parameter: {parameter!r}.")
            if wrong := self._argument_wrong(properties[parameter], parameter, value, accepted[parameter]):
                return wrong
        for parameter in accepted:
            if parameter not in given and "" not in accepted[parameter]:
                reason = f"Optional parameter {parameter!r} not provided and not marked as optional."
                return _wrong("missing_optional", reason)
        return None

    def _argument_wrong(self, schema: Mapping[str, Json], parameter: str, value: Json, options: Sequence[Json]) -> Wrong | None:
        name = schema["type"]
        kind = self.language.types[name]
        if self.language.convert and type(value) is not str:
            reason = f"Incorrect type for parameter {parameter!r}. Expected type String, got {type(value).__name__}."
            return Wrong(self.language.text_error, (f"{reason} Parameter value: {value!r}.",))
        inner_name = schema["items"]["type"] if name in self.language.nested else None
        inner = self.language.types[inner_name] if inner_name is not None else None
        value = self._converted(value, name, inner_name)
        if type(value) is kind and kind in _SCALARS and type(options) is list and value in options:
            return None  # all that follows would say so
        result = typed(parameter, value, options, name, kind, inner)
        return result.wrong or _value_wrong(parameter, value, options, None if result.variable else kind, inner)

    def _converted(self, value: Json, name: str, inner_name: str | None) -> Json:
        """A Python int passes for "float", a tuple for "tuple" alone."""
        if self.language.convert:
            return self.language.convert(value, name, inner_name)
        if name == "tuple" and type(value) is tuple:
            return list(value)
        return float(value) if name == "float" and type(value) is int else value


def _wrong(error: str, reason: str) -> Wrong:
    return Wrong(f"simple_function_checker:{error}", (reason,))


def _value_wrong(parameter: str, value: Json, accepted: Sequence[Json], kind: type | None, inner: type | None) -> Wrong | None:
    """Compare by `kind`; None compares plainly, where 1 == True == 1.0."""
    if kind is dict:
        return dict_wrong(value, accepted)
    if kind is list:
        return dicts_wrong(value, accepted) if inner is dict else list_wrong(parameter, value, accepted)
    if kind is str:
        return string_wrong(parameter, value, accepted)
    if value in accepted:
        return None
    return Wrong("value_error:others", (f"Invalid value for parameter {parameter!r}: {value!r}. Expected one of {accepted}.",))
