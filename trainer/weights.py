"""The weights that are trained, by name."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trainer.sharding import gathered, part_of


def trained_weights(model: nn.Module) -> dict[str, Tensor]:
    """What is trained, by name, whole, on the CPU. Of a sharded model every process asks, and the first one is told."""
    return gathered({name: weight for name, weight in model.named_parameters() if weight.requires_grad})


def set_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """The inverse of `trained_weights`. Raises KeyError when `weights` are not those that this model trains."""
    own = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    with torch.no_grad():
        for name in own.keys() | weights.keys():
            own[name].copy_(part_of(weights[name], own[name]))
