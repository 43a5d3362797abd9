"""Whether a value is among the accepted ones, as BFCL compares strings, lists, dicts and lists of dicts.

After `ast_checker.py` of bfcl-eval. `""` among the accepted values marks a parameter or a key that may be left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolcalls.official.bfcl.wrong import Wrong

_IGNORED = str.maketrans("", "", " ,./-_*^")


def standard(value: Any) -> Any:
    """A string without spaces and the marks that BFCL ignores, in lower case; anything else as it is.

    Only the plain space goes: tab, newline and no-break space count. So `"..."` equals `""`, and is accepted where `""` is.
    """
    return value.translate(_IGNORED).lower().replace("'", '"') if type(value) is str else value


def _all_standard(values: Sequence[Any]) -> list[Any]:
    """By index, as the original goes through them: a dict fails here."""
    return [standard(values[index]) for index in range(len(values))]


def string_wrong(parameter: str, value: str, accepted: Sequence[Any]) -> Wrong | None:
    """A string equals an accepted string in standard form."""
    if standard(value) in [standard(option) for option in accepted if type(option) is str]:
        return None
    reason = f"Invalid value for parameter {parameter!r}: {value!r}. Expected one of {accepted}. Case insensitive."
    return Wrong("value_error:string", (reason,))


def list_wrong(parameter: str, value: Sequence[Any], accepted: Sequence[Any]) -> Wrong | None:
    """A list equals an accepted one in order; only its own strings are put in standard form, not those of inner lists."""
    if [standard(item) for item in value] in [_all_standard(option) for option in accepted]:
        return None
    reason = f"Invalid value for parameter {parameter!r}: {value!r}. Expected one of {accepted}."
    return Wrong("value_error:list/tuple", (reason,))


def dict_wrong(value: dict[Any, Any], accepted: Sequence[Any]) -> Wrong | None:
    """A dict has the keys of an accepted one, each with a value among that key's own accepted values.

    Told of the last dict tried. With `""` alone, nothing is accepted, not even an empty dict.
    """
    wrong: Wrong | None = Wrong("dict_checker:unclear", ())
    for option in accepted:
        if option == "":
            continue
        wrong = _one_dict_wrong(value, option)
        if wrong is None:
            break
    return wrong


def _one_dict_wrong(value: dict[Any, Any], accepted: Any) -> Wrong | None:
    """A missing key is looked for even after another error, and then names the error type."""
    wrong = _entry_wrong(value, accepted)
    for key, options in accepted.items():
        if key not in value and "" not in options:
            before = wrong.reasons if wrong else ()
            return Wrong("value_error:dict_key", (*before, f"Missing dict key parameter: '{key}'."))
    return wrong


def _entry_wrong(value: dict[Any, Any], accepted: Any) -> Wrong | None:
    for key, item in value.items():
        if key not in accepted:
            return Wrong("value_error:dict_key", (f"Unexpected dict key parameter: '{key}'.",))
        options = _all_standard(accepted[key])
        if standard(item) not in options:
            reason = f"Invalid value for parameter {key!r}: {item!r}. Expected one of {options}."
            return Wrong("value_error:dict_value", (reason,))
    return None


def dicts_wrong(value: Sequence[Any], accepted: Sequence[Any]) -> Wrong | None:
    """A list of dicts agrees with an accepted one dict by dict, in order. Told of the last list tried."""
    wrong: Wrong | None = Wrong("list_dict_checker:unclear", ())
    for option in accepted:
        wrong = _one_list_wrong(value, option)
        if wrong is None:
            break
    return wrong


def _one_list_wrong(value: Sequence[Any], accepted: Any) -> Wrong | None:
    if len(value) != len(accepted):
        return Wrong("value_error:list_dict_count", ("Wrong number of dictionaries in the list.",))
    for item, option in zip(value, accepted, strict=True):
        if wrong := dict_wrong(item, [option]):
            return wrong
    return None
