"""What every format is brought to: a row as tools, other information and turns."""

from __future__ import annotations

from dataclasses import dataclass

from toolcalls.answers import Call, Json


@dataclass(frozen=True, slots=True)
class Said:
    """One turn. `content` is what stands in the context of later turns; `calls` is None for words.

    problem: why an assistant turn cannot be a truth. trained: whether the source wants it learnt.
    """

    role: str
    content: str
    calls: tuple[Call, ...] | None = None
    structured: bool = False  # the calls came as JSON, not as text in a call form
    problem: str = ""
    trained: bool = True
    written: str | None = None  # as the source wrote it, where `content` says the same in the paper's form

    @property
    def truth_text(self) -> str | None:
        """The turn as the source wrote it; None for calls that came as JSON."""
        if self.structured:
            return None
        return self.content if self.written is None else self.written


@dataclass(frozen=True, slots=True)
class Conversation:
    """One row of a data set."""

    tools: tuple[dict[str, Json], ...]
    turns: tuple[Said, ...]
    other: str = ""
    system: str | None = None
    id: str = ""  # by which the source names the row everywhere; empty where it has no such name
