"""A search index (Elasticsearch, OpenSearch) over its HTTP interface."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from .errors import DependencyError
from .http_client import HttpClient, Policy

POLICY = Policy(timeout_s=5, retries=1)


class Search:
    """One cluster; each kind of document has its index."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.client = HttpClient(name, url, POLICY, inside=False)

    async def put(self, index: str, id_: str, document: Mapping[str, Any]) -> None:
        """Store a document, or replace it."""
        path = f"/{quote(index, safe='')}/_doc/{quote(id_, safe='')}"
        await self._call("PUT", path, document)

    async def find(self, index: str, query: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The documents that answer a search request of the cluster's own query language."""
        found = await self._call("POST", f"/{quote(index, safe='')}/_search", query)
        return [hit["_source"] for hit in found["hits"]["hits"]]

    async def open(self) -> None:
        """Nothing: connections are made when they are wanted."""

    async def check(self) -> None:
        """Nothing: a service whose search is gone still does all else."""

    async def close(self) -> None:
        """Close all connections."""
        await self.client.close()

    async def _call(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        text = json.dumps(body, default=str).encode()
        answer = await self.client.request(method, path, body=text, repeatable=True)
        if not answer.is_success:
            raise DependencyError(self.name, f"answered {answer.status_code}", answer.status_code)
        return answer.json()
