"""The secrets that sign what a subscription is sent: made here, shown once, kept sealed.

A secret is bound to its agency, subscription and id: copied to another row, it does not open.
"""

import base64
import os
from typing import Final
from uuid import UUID

from events.log.keys import KeyStore

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
_NONCE: Final = 12


def new_secret() -> str:
    """This will make a secret as the Standard Webhooks write one."""
    return PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


async def seal_secret(
    keys: KeyStore, agency: str, subscription_id: str, secret_id: UUID, secret: str
) -> bytes:
    """This will encrypt a secret under its subscription's own key."""
    key = await keys.get_or_create(agency, _subject(subscription_id))
    nonce = os.urandom(_NONCE)
    return nonce + key.cipher.encrypt(nonce, secret.encode(), _context(agency, subscription_id, secret_id))


async def open_secret(
    keys: KeyStore, agency: str, subscription_id: str, secret_id: UUID, sealed: bytes
) -> str:
    """This will decrypt a secret."""
    key = await keys.get_or_create(agency, _subject(subscription_id))
    context = _context(agency, subscription_id, secret_id)
    return key.cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], context).decode()


def _subject(subscription_id: str) -> str:
    return f"subscription:{subscription_id}"


def _context(agency: str, subscription_id: str, secret_id: UUID) -> bytes:
    return "|".join((agency, subscription_id, str(secret_id))).encode()
