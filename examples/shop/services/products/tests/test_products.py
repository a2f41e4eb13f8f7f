"""Tests of the handlers."""

import asyncio

import pytest
from products._gen.resources import Resources
from products._gen.runtime.errors import ProblemError
from products._gen.runtime.identity import Caller
from products._gen.runtime.pages import CursorRequest
from products.handlers.api import ProductsApi


def test_a_cursor_of_somebody_else_is_refused() -> None:
    api = ProductsApi(Resources.__new__(Resources))
    with pytest.raises(ProblemError) as caught:
        asyncio.run(api.get_catalogue(CursorRequest(cursor="surprise"), Caller()))
    assert caught.value.status == 422
