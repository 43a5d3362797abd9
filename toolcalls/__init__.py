"""What the paper says about tool calls, as plain functions on frozen values: no Django, no torch, no clock, no files."""
