"""What the paper says about tool calls, as plain functions on frozen values: no Django, no torch, no clock, no files.

Two packages here do read: `commands` from standard input, `official` the benchmarks' own files.
"""
