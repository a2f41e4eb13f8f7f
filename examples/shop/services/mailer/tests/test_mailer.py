"""Tests of the handlers."""

import asyncio
import logging
import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from mailer._gen.models import OrderPlaced
from mailer._gen.resources import Resources
from mailer._gen.runtime.events import EventInfo
from mailer._gen.settings import Settings
from mailer.handlers.events import MailerEvents


def test_an_order_is_confirmed(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    event = OrderPlaced(order=uuid.UUID(int=7), total=Decimal("24.90"), at=datetime.now(UTC))
    info = EventInfo("event-1", "OrderPlaced", "order-events", "7", "")
    asyncio.run(MailerEvents(Resources.__new__(Resources)).order_placed(event, info))
    assert caplog.messages == ["mail sent"]
