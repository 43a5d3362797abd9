"""What toolcalls says of mutated answers, as one hash: two builds of it say the same where theirs are equal.

python -m tests.toolcalls.verdicts SEED COUNT     prints whether it is compiled, and the hash
"""

from __future__ import annotations

import hashlib
import random
import sys
from dataclasses import replace

from tests.toolcalls.fuzzing.mutating import hostile_texts
from toolcalls.answers import Call, Calls
from toolcalls.comparing import Comparator
from toolcalls.differing import align
from toolcalls.limits import DEEPEST, LIMITS
from toolcalls.parsing import parse
from toolcalls.plain_lists import COMPILED

COMPARATORS = (Comparator(), Comparator(string_folding="case_space", numeric_tolerance=0.01, nested=True))
FEW = 60  # calls of an answer that are compared
LIMITED = (LIMITS, replace(LIMITS), replace(LIMITS, depth=DEEPEST, calls=3))


def verdicts(seed: int, count: int) -> str:
    said = hashlib.sha256()
    before: tuple[Call, ...] = ()
    for number, text in enumerate(hostile_texts(seed, count)):
        dice = random.Random(number)
        answers = [parse(text, strict=strict, limits=limits) for strict in (False, True) for limits in LIMITED]
        said.update(repr(answers).encode("utf-8", "surrogatepass"))
        if isinstance(answers[0], Calls) and len(answers[0].calls) < FEW:
            calls = answers[0].calls
            truth = dice.choice((calls[::-1], before, calls[1:] + before[:1]))
            for comparator in COMPARATORS:
                said.update(repr(_compared(comparator, truth, calls)).encode("utf-8", "surrogatepass"))
            before = calls
    return said.hexdigest()


def _compared(comparator: Comparator, truth: tuple[Call, ...], calls: tuple[Call, ...]) -> object:
    tools = [{"name": call.name, "parameters": {name: {"default": 1} for name in call.arguments}} for call in truth[:1]]
    number = comparator.compare(truth, calls, tools, told=False).max_param_diff
    return number, comparator.compare(truth, calls, tools), align(truth, calls, tools, comparator)


if __name__ == "__main__":
    print(COMPILED, verdicts(int(sys.argv[1]), int(sys.argv[2])))
