"""The log in a file and back again; see workers/DECISIONS.md."""
