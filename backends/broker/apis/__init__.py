"""The APIs: one module for each group of them, a handler for each API, all of them in APIS."""

from .api import Api
from .fetch import FETCH
from .produce import PRODUCE
from .versions import API_VERSIONS, api_versions

# Produce says 0 although 0 to 2 are refused: librdkafka would not compress otherwise (KAFKA-18659).
APIS: tuple[Api, ...] = (
    Api(PRODUCE, "Produce", 0, 11, None),
    Api(FETCH, "Fetch", 4, 16, None),
    Api(API_VERSIONS, "ApiVersions", 0, 4, api_versions, is_open=True),
)
