"""The OpenAPI document in a file, so that a change of the HTTP API is seen in review.

``python -m gateway.http.openapi`` writes it; ``--check`` says whether it is as the code would write it.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gateway.http.app import make_app

FILE: Final = Path(__file__).resolve().parent.parent / "openapi.json"


def document() -> str:
    """Write the document."""
    return json.dumps(make_app(None).openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the file, or check it."""
    wanted = document()
    if "--check" not in arguments:
        FILE.write_text(wanted, encoding="utf-8")
        return 0
    if not FILE.exists() or FILE.read_text(encoding="utf-8") != wanted:
        print(f"{FILE.name} is not as the code has it; run 'python -m gateway.http.openapi'", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
