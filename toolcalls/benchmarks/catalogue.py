"""The benchmarks that can be read, and the way from a folder to their items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from toolcalls.benchmarks import acebench, apibank, bfcl, toolalpaca
from toolcalls.benchmarks.files import PAGE, ChangedFiles, FileRead, Files, digest
from toolcalls.benchmarks.items import NAMES, Item
from toolcalls.benchmarks.prompts import Prompts, check_prompts
from toolcalls.errors import InputError

__all__ = ["NAMES", "Benchmark", "categories_of", "items_by_id", "open_benchmark", "open_files"]

Read = Callable[[Files, tuple[str, ...]], Iterator[Item]]


@dataclass(frozen=True, slots=True)
class _Source:
    """layout: its folder among all benchmarks. mark: what its own folder holds. inside: where its repository has that."""

    layout: str
    mark: str
    inside: tuple[str, ...]
    categories: tuple[str, ...]
    read: Read


_SOURCES: dict[str, _Source] = {
    "bfcl": _Source(
        "bfcl",
        "BFCL_v4_*.json",
        ("bfcl_eval/data", "berkeley-function-call-leaderboard/bfcl_eval/data"),
        bfcl.CATEGORIES,
        bfcl.read,
    ),
    "acebench": _Source("acebench", "data_en", ("data_all",), acebench.CATEGORIES, acebench.read),
    "acebench-zh": _Source("acebench", "data_zh", ("data_all",), acebench.CATEGORIES, partial(acebench.read, language="zh")),
    "apibank": _Source(
        "apibank", apibank.DIALOGUES, ("lv1-lv2-samples", "api-bank/lv1-lv2-samples"), apibank.CATEGORIES, apibank.read
    ),
    "toolalpaca": _Source("toolalpaca", "eval_*.json", ("data",), toolalpaca.CATEGORIES, toolalpaca.read),
}


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark as it was read. digest: sha256 over the files. prompts: whose prompt is shown, see `prompts.messages`."""

    name: str
    items: tuple[Item, ...]
    files: tuple[FileRead, ...]
    digest: str
    prompts: Prompts = "paper"

    @property
    def changed_files(self) -> tuple[str, ...]:
        """Files that are not the known ones: results rest on another benchmark then, and say so."""
        return tuple(sorted(file.name for file in self.files if not file.known))


def open_benchmark(
    name: str,
    folder: Path,
    *,
    categories: Sequence[str] | None = None,
    changed_files: ChangedFiles = "refuse",
    prompts: Prompts = "paper",
) -> Benchmark:
    """Read a benchmark, or some categories of it.

    folder: one that holds all benchmarks (bfcl/, acebench/, apibank/, toolalpaca/), or the benchmark's own as its repository has
    it. changed_files "allow" reads files whose bytes are not the known ones. Raises InputError, saying what to do, for an
    unknown name or category, a folder without the benchmark, a missing, changed or empty file, ids without an answer or given
    twice.
    """
    files = open_files(name, folder, changed_files)
    check_prompts(name, prompts)
    chosen = _chosen(name, categories)
    items = tuple(_SOURCES[name].read(files, chosen))
    held = {item.category for item in items}
    if empty := [category for category in chosen if category not in held]:
        raise InputError(f"{files.root}: holds no question of {empty[0]}; take the files that {PAGE} names")
    return Benchmark(name, items, tuple(files.read), digest(files.read), prompts)


def open_files(name: str, folder: Path, changed_files: ChangedFiles = "refuse") -> Files:
    """The benchmark's own folder within `folder`. Raises InputError where it is not there."""
    if name not in _SOURCES:
        raise InputError(f"no benchmark {name!r}; there are {', '.join(NAMES)}")
    if not folder.is_dir():
        raise InputError(f"{folder}: is no folder; name the one that holds {name}'s files, see {PAGE}")
    source = _SOURCES[name]
    for place in (source.layout, ".", *source.inside):
        if any((folder / place).glob(source.mark)):
            return Files(folder / place, source.layout, changed_files)
    raise InputError(
        f"{folder}: no {name} there, neither {source.layout}/{source.mark} nor {source.mark} itself; "
        f"{PAGE} says where it is had and what its folder holds"
    )


def items_by_id(name: str, files: Files, categories: Sequence[str] | None = None) -> dict[str, Item]:
    """All that can be judged by its id: of API-Bank every call of a dialogue, not the first alone. Raises InputError."""
    chosen = _chosen(name, categories)
    found = apibank.read_turns(files) if name == "apibank" else _SOURCES[name].read(files, chosen)
    return {item.id: item for item in found}


def categories_of(name: str) -> tuple[str, ...]:
    """The benchmark's categories, in the order in which they are read."""
    return _SOURCES[name].categories


def _chosen(name: str, categories: Sequence[str] | None) -> tuple[str, ...]:
    known = categories_of(name)
    if categories is None:
        return known
    if not categories:
        raise InputError(f"no category of {name} is chosen; there are {', '.join(known)}")
    if unknown := sorted(set(categories) - set(known)):
        raise InputError(f"{name} has no category {unknown[0]!r}; there are {', '.join(known)}")
    return tuple(category for category in known if category in categories)
