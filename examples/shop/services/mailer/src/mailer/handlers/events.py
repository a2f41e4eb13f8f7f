"""What mailer does with the events it reads."""

import logging

from .._gen import models
from .._gen.events import MailerEventsBase
from .._gen.runtime.events import EventInfo

LOG = logging.getLogger(__name__)


class MailerEvents(MailerEventsBase):
    """The example has no mail server: a line in the log stands for the mail."""

    async def order_placed(self, event: models.OrderPlaced, info: EventInfo) -> None:
        """OrderPlaced v1. The mail has the event's id, so that a repeated one can be told."""
        LOG.info("mail sent", extra={"mail": info.id, "order": event.order, "total": event.total})
