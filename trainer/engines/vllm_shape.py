"""What must be the same in two model folders for the weights of one to be read into the place of the other's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.engines.protocol import CannotSwap

NO_SHAPE = {"_name_or_path", "transformers_version", "bos_token_id", "eos_token_id", "pad_token_id", "use_cache"}
"""What a config says that vLLM does not build by: names, versions, and tokens that every request states itself."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A model's config less NO_SHAPE, and the number format and shape of each of its tensors."""

    config: dict[str, Any]
    tensors: dict[str, tuple[str, tuple[int, ...]]]


def shape_of(model_path: str, config: Any) -> Shape:
    """Read from the headers of the folder's safetensors. Raises CannotSwap for files that are cut off or are none."""
    from safetensors import SafetensorError, safe_open

    tensors = {}
    try:
        for path in sorted(Path(model_path).glob("*.safetensors")):
            with safe_open(path, "pt") as file:
                for name in file.keys():  # noqa: SIM118 (it is no mapping)
                    part = file.get_slice(name)
                    tensors[name] = (str(part.get_dtype()), tuple(part.get_shape()))
    except (OSError, SafetensorError) as error:
        raise CannotSwap(f"{model_path}: its weights cannot be read ({error})") from error
    plain = {name: value for name, value in config.to_dict().items() if name not in NO_SHAPE}
    return Shape(plain, tensors)


def check_same(old: Shape, new: Shape) -> None:
    """Raises CannotSwap, naming the first difference, and for a head that is tied to the embeddings.

    Of such a head vLLM has a packed copy on a CPU, which `reload_weights` leaves as it was: 11 of 40 answers were others.
    """
    if any(part.get("tie_word_embeddings") for part in (new.config, new.config.get("text_config") or {})):
        raise CannotSwap("its output head is tied to its embeddings, and vLLM would keep the old head")
    for what, one, other in (("config", old.config, new.config), ("tensor", old.tensors, new.tensors)):
        for name in sorted(one.keys() | other.keys()):
            if one.get(name) != other.get(name):
                raise CannotSwap(f"{what} {name} is {other.get(name)}, in the model that is loaded {one.get(name)}")
