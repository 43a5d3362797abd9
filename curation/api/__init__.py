"""The REST API at /api/v1: everything that the pages can do, through the same stage functions. One noun per file."""
