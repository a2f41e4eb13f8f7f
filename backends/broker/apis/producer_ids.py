"""InitProducerId: an id for a producer that wants its retries recognised."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..protocol.errors import ErrorCode

if TYPE_CHECKING:
    from ..broker import Broker
    from .api import Answer, Request

_log = logging.getLogger(__name__)


def init_producer_id(broker: Broker, request: Request) -> Answer:
    """InitProducerId: a new id, whatever id the producer had before; it starts in epoch 0."""
    transactional_id = request.body.transactional_id
    if transactional_id is not None:
        return _for_transactions(transactional_id)
    try:
        return {"producer_id": broker.producer_ids.take(), "producer_epoch": 0}
    except OSError as problem:
        _log.error("no producer ids can be reserved: %s", problem)
        return _refused(ErrorCode.COORDINATOR_NOT_AVAILABLE)  # which producers try again


def _for_transactions(transactional_id: str) -> Answer:
    """There is no transaction coordinator: a producer must hear that at once, and for good."""
    if not transactional_id:
        return _refused(ErrorCode.INVALID_REQUEST)
    return _refused(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)


def _refused(error: ErrorCode) -> Answer:
    return {"error_code": error, "producer_id": -1, "producer_epoch": -1}
