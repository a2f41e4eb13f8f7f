"""What products does for each of its gRPC operations."""

from datetime import UTC, datetime, timedelta

from .._gen import models
from .._gen.rpc import ProductsRpcBase
from .._gen.runtime.errors import NotFoundError
from .._gen.runtime.identity import Caller
from .tables import PRODUCTS

GOOD_FOR = timedelta(minutes=15)


class ProductsRpc(ProductsRpcBase):
    """Prices for other services of the domain."""

    async def price(self, request: models.PriceRequest, caller: Caller) -> models.PriceQuote:
        """Price."""
        wanted = PRODUCTS.select().where(PRODUCTS.c.id == request.product)
        async with self.resources.products_db.begin() as connection:
            row = (await connection.execute(wanted)).first()
        if row is None:
            raise NotFoundError(f"there is no product {request.product}")
        total = row.price * request.quantity
        return models.PriceQuote(product=row.id, total=total, until=datetime.now(UTC) + GOOD_FOR)
