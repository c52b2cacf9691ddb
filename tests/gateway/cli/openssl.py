"""Stands in for ``openssl dgst -sha256 -hmac KEY -r FILE`` where there is no openssl."""

import hashlib
import hmac
import sys
from pathlib import Path

if __name__ == "__main__":
    key, _, file = sys.argv[4:]
    print(hmac.new(key.encode(), Path(file).read_bytes(), hashlib.sha256).hexdigest(), f"*{file}")
