"""Every write of the system: one file per stage, one function per operation, one event per operation."""
