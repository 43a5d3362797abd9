"""What each page shows, as plain values: read here, rendered by templates that query nothing."""
