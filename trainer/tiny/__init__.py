"""A base model small enough to train on a CPU: its synthetic tool world, its tokenizer, its pre-training, its checkpoint."""
