"""Write the golden file of every event version that has none yet: ``python -m tests.events.add_golden``.

It never overwrites one: a stored format does not change, and a changed example changes no file.
"""

import json
from pathlib import Path

from events.canonical import instant
from events.codec import body_of
from tests.events.examples import EVERY_EVENT

GOLDEN = Path(__file__).parent / "golden"


def main() -> None:
    """Write what is missing, and name it."""
    GOLDEN.mkdir(exist_ok=True)
    for kind, event in EVERY_EVENT.items():
        path = GOLDEN / f"{kind}.v{event.schema_version}.json"
        if path.exists():
            continue
        golden = {
            "type": kind,
            "schema_version": event.schema_version,
            "occurred_at": instant(event.at),
            "body": body_of(event),
        }
        path.write_text(json.dumps(golden, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(path.name)


if __name__ == "__main__":
    main()
