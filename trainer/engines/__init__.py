"""Engines: what turns prompts into completions. `protocol` says how one is spoken to, `registry` opens one by name."""
