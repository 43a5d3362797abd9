"""How large the demonstration is; every figure can be changed on the command line or by an environment variable."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from curation import environment
from curation.cores import cores, default_workers
from toolcalls.settings import Settings, Training, settings_from, settings_json

TRAINING_THREADS = 4  # at most: more do not make a step of two million parameters faster


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """The main job: the paper's loop with k = 8, three iterations, learning rate and batch for a tiny model."""

    pool: int = 500  # samples
    heldout: int = 300  # samples
    k: int = 8  # attempts; paper: 8
    iterations: int = 3
    seed: int = 0  # of the run; the pool's draw too
    learning_rate: float = 2e-3  # paper: 1e-4, for 8 B parameters
    batch: int = 8  # rows per optimiser step; paper: 64
    workers: int = 1

    def settings(self) -> Settings:
        """The run's settings. bfloat16, because a CPU without a GPU's help trains twice as fast in it; threads are fixed.

        Raises SettingsError for a figure that is out of range.
        """
        training = Training(
            learning_rate=self.learning_rate,
            batch_rows=self.batch,
            device_rows=self.batch,
            max_length=MAX_LENGTH,
            dtype="bfloat16",
            threads=min(cores(), TRAINING_THREADS),
        )
        chosen = Settings(
            k=self.k,
            max_new_tokens=MAX_NEW_TOKENS,
            max_length=MAX_LENGTH,
            max_iterations=self.iterations,
            seed=self.seed,
            shard_samples=SHARD_SAMPLES,
            engine_dtype="bfloat16",
            engine_threads=1,
            training=training,
        )
        return settings_from(settings_json(chosen))


MAX_LENGTH = 1024  # tokens; prompts of the tiny world have 380 at most, a refine turn adds an answer
MAX_NEW_TOKENS = 200  # tokens; the hard tier's longest truth has 195 with its end token
SHARD_SAMPLES = 50  # so that two workers share 500 samples, and 300, evenly


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the size; each defaults to the environment's DEMO_NAME, else to the main job."""
    main = DemoOptions()
    for name, kind, words in (
        ("pool", int, "samples of the training pool"),
        ("heldout", int, "samples of the held-out set"),
        ("k", int, "attempts per sample and turn"),
        ("iterations", int, "iterations at most"),
        ("seed", int, "the run's seed"),
        ("learning_rate", float, "peak learning rate"),
        ("batch", int, "rows per optimiser step"),
    ):
        default = environment.text(f"DEMO_{name.upper()}", str(getattr(main, name)))  # text, so that argparse checks it
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=default, help=f"{words} ({default})")
    parser.add_argument("--workers", type=int, default=default_workers(), help=f"worker processes ({default_workers()})")


def from_arguments(values: dict[str, object]) -> DemoOptions:
    """The options among a command's parsed values."""
    return DemoOptions(**{name: values[name] for name in DemoOptions.__dataclass_fields__})  # type: ignore[arg-type]
