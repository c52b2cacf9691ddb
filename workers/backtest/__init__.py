"""A policy tried on the past: what it would have opened, kept, broken and sent, from a log's own events."""
