"""PostgreSQL and Temporal from their wheels, run under a watchdog of ours; see workers/DECISIONS.md."""
