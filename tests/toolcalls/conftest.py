from __future__ import annotations

from hypothesis import settings

# The same examples in every run; `--hypothesis-profile=search` looks for new ones.
settings.register_profile("unit", max_examples=40, deadline=None, database=None, derandomize=True)
settings.register_profile("search", max_examples=3000, deadline=None, database=None)
settings.load_profile("unit")
