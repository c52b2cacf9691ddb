"""Stands in for curl where there is none: the options that the README uses, and no others."""

import argparse
import sys
from pathlib import Path

import httpx


def main() -> int:
    """Send one request and print what came back."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-u", default=None)
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d", default=None)
    parser.add_argument("--data-binary", default=None)
    given = parser.parse_args()
    headers = dict(each.split(": ", 1) for each in given.H)
    body = Path(given.data_binary[1:]).read_bytes() if given.data_binary else given.d
    user = tuple(given.u.split(":", 1)) if given.u else None
    print(httpx.post(given.url, content=body, headers=headers, auth=user, timeout=30).text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
