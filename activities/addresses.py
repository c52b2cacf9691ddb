"""What counts as an e-mail address.

The answer is yes or no: a complaint that quoted the address would leak it.
"""

import re
from email.errors import HeaderParseError
from email.headerregistry import Address


def is_address(text: str) -> bool:
    """Tell whether a text is one e-mail address in ASCII and nothing else."""
    if re.search(r"[^\x21-\x7e]", text):
        return False
    try:
        address = Address(addr_spec=text)
    except (HeaderParseError, ValueError, IndexError):
        return False
    return bool(address.username and address.domain)
