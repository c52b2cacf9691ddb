"""What a person does about subscriptions, from the command line or over HTTP.

A receiver is looked at before it is stored, and again before every single message: names move.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import uuid4

from events.canonical import canonical, instant
from events.cloudevents import TEST, short_type, source_of
from events.log.port import EventLog
from workers.delivering.addresses import check_receiver
from workers.delivering.deliverer import utc_now
from workers.delivering.schedule import Answer
from workers.delivering.sending import Sender
from workers.delivering.subscription import Subscription, SubscriptionError
from workers.delivering.subscriptions import Subscriptions

LONGEST_NAME: Final = 80
MOST: Final = 100


class Desk:
    """Adds subscriptions and tries them; what needs no more than the database is in *subscriptions*."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        log: EventLog,
        sender: Sender,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.subscriptions = subscriptions
        self._log, self._sender, self.clock = log, sender, clock

    async def add(
        self, agency: str, url: str, *, types: Sequence[str] = (), personal: bool = False, name: str = ""
    ) -> tuple[Subscription, str]:
        """Subscribe a receiver to what happens from now on; returns the secret, which is shown just once.

        :raises AddressRefused: no webhook may go there.
        :raises SubscriptionError: a type is unknown, the name taken or too long, or there are too many.
        """
        try:
            asked = [short_type(each) for each in types]
        except ValueError as error:
            raise SubscriptionError(str(error)) from None
        if len(name) > LONGEST_NAME or not name.isprintable():
            raise SubscriptionError(f"a name has at most {LONGEST_NAME} characters, on one line")
        if len(await self.subscriptions.standing(agency)) >= MOST:
            raise SubscriptionError(f"an agency has at most {MOST} subscriptions; remove one first")
        await check_receiver(url, self._sender.rules, self._sender.ask)
        head = await self._log.log_head(agency)
        return await self.subscriptions.add(
            agency,
            name=name,
            url=url,
            types=asked,
            personal=personal,
            position=head.position,
            now=self.clock(),
        )

    async def find(self, agency: str, named: str) -> str:
        """Give the id of the subscription that has this id, or this name if no other has it.

        :raises SubscriptionError: several have the name.
        """
        every = await self.subscriptions.standing(agency)
        if any(each.subscription.subscription_id == named for each in every):
            return named
        found = [
            each.subscription.subscription_id for each in every if named and each.subscription.name == named
        ]
        if len(found) > 1:
            raise SubscriptionError(
                "several subscriptions have that name; name one by its id, as the list has it"
            )
        return found[0] if found else named

    async def test(self, agency: str, subscription_id: str) -> Answer:
        """Send an event that never happened, now, and tell what came back; it is sent just once."""
        of = await self.subscriptions.get(agency, subscription_id)
        now, message_id = self.clock(), str(uuid4())
        told = {
            "specversion": "1.0",
            "id": message_id,
            "source": source_of(agency),
            "type": TEST,
            "time": instant(now),
            "datacontenttype": "application/json",
            "data": {"subscription_id": subscription_id},
        }
        secrets = await self.subscriptions.secrets(agency, subscription_id, now)
        return await self._sender.send(of.url, message_id, canonical(told), secrets, now)
