"""What `python -m toolcalls` can do, one command a file: JSON in, JSON out, a line at a time."""
