"""What payments does for each of its HTTP operations. Written once: this file is yours."""

from .._gen import models
from .._gen.api import PaymentsApiBase
from .._gen.runtime.identity import Caller


class PaymentsApi(PaymentsApiBase):
    """The handlers. `self.resources` has the stores, the clients of other services and the topics."""

    async def post_payments(self, body: models.NewPayment, caller: Caller) -> models.Payment:
        """POST /payments."""
        raise NotImplementedError
