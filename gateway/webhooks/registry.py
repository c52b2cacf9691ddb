"""Which providers there are, by the name that a connection has.

A provider is one file and one line here; a name is stored with every connection and never changes.
"""

from collections.abc import Mapping
from typing import Final

from gateway.webhooks.ashby import Ashby
from gateway.webhooks.calendly import Calendly
from gateway.webhooks.greenhouse import Greenhouse
from gateway.webhooks.lever import Lever
from gateway.webhooks.mail import InboundMail
from gateway.webhooks.provider import Provider
from gateway.webhooks.smartrecruiters import SmartRecruiters
from gateway.webhooks.standard_webhooks import StandardWebhooks
from gateway.webhooks.workable import Workable

_ALL: Final[tuple[Provider, ...]] = (
    StandardWebhooks(),
    Greenhouse(),
    Lever(),
    Ashby(),
    Calendly(),
    Workable(),
    SmartRecruiters(),
    InboundMail(),
)
PROVIDERS: Final[Mapping[str, Provider]] = {each.name: each for each in _ALL}
