"""Tensors: engines, encoding and loss mask, LoRA training, merge, checkpoints, evaluation. JSONL in and out, no server."""
