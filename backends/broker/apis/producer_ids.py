"""InitProducerId: an id for a producer that wants its retries recognised."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..protocol.errors import ErrorCode
from .transactions import init_producer

if TYPE_CHECKING:
    from ..broker import Broker
    from .api import Answer, Request

_log = logging.getLogger(__name__)


def init_producer_id(broker: Broker, request: Request) -> Answer:
    """InitProducerId: a new id in epoch 0; or the next epoch of the id that a transactional id has."""
    if request.body.transactional_id is not None:
        return init_producer(broker, request)
    try:
        return {"producer_id": broker.producer_ids.take(), "producer_epoch": 0}
    except OSError as problem:
        _log.error("no producer ids can be reserved: %s", problem)
        # Producers try again.
        error = ErrorCode.COORDINATOR_NOT_AVAILABLE
        return {"error_code": error, "producer_id": -1, "producer_epoch": -1}
