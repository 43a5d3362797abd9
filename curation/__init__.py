"""The record and its pages: settings, models, stages (every write), HTML and commands. It loads no torch."""

__version__ = "0.1.0"
