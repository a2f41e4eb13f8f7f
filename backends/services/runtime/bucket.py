"""A bucket (S3, MinIO): files are put and got through signed URLs, which callers may be given too."""

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import quote, unquote, urlsplit

import httpx

from .errors import DependencyError, NotFoundError

REGION = "us-east-1"
TIMEOUT_S = 30
_NOT_FOUND = 404


class Bucket:
    """One bucket. The URL's user and password are the keys, its path is the bucket's name."""

    def __init__(self, name: str, url: str, region: str = REGION) -> None:
        self.name = name
        self.region = region
        parts = urlsplit(url)
        self._key, self._secret = unquote(parts.username or ""), unquote(parts.password or "")
        self._host = parts.netloc.rpartition("@")[2]
        self._base = f"{parts.scheme}://{self._host}"
        self._path = parts.path.rstrip("/")
        self._client = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)

    def url(self, key: str, method: str = "GET", expires_s: int = 900, at: datetime | None = None) -> str:
        """A URL that lets whoever has it do one thing to one file for a while (Signature Version 4)."""
        now = (at or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        path = quote(f"{self._path}/{key}", safe="/~")
        query = "&".join(
            f"{name}={quote(value, safe='~')}"
            for name, value in (
                ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
                ("X-Amz-Credential", f"{self._key}/{scope}"),
                ("X-Amz-Date", now),
                ("X-Amz-Expires", str(expires_s)),
                ("X-Amz-SignedHeaders", "host"),
            )
        )
        request = "\n".join((method, path, query, f"host:{self._host}", "", "host", "UNSIGNED-PAYLOAD"))
        signed = "\n".join(("AWS4-HMAC-SHA256", now, scope, hashlib.sha256(request.encode()).hexdigest()))
        key_of_day = f"AWS4{self._secret}".encode()
        for part in scope.split("/"):
            key_of_day = hmac.digest(key_of_day, part.encode(), "sha256")
        signature = hmac.new(key_of_day, signed.encode(), "sha256").hexdigest()
        return f"{self._base}{path}?{query}&X-Amz-Signature={signature}"

    async def put(self, key: str, content: bytes) -> None:
        """Store a file, or replace it."""
        await self._call("PUT", key, content)

    async def get(self, key: str) -> bytes:
        """A file's content. Raises NotFoundError if there is none."""
        return await self._call("GET", key)

    async def delete(self, key: str) -> None:
        """Take a file away."""
        await self._call("DELETE", key)

    async def open(self) -> None:
        """Nothing: connections are made when they are wanted."""

    async def check(self) -> None:
        """Nothing: a service whose files are gone still does all else."""

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _call(self, method: str, key: str, content: bytes | None = None) -> bytes:
        try:
            answer = await self._client.request(method, self.url(key, method), content=content)
        except httpx.HTTPError as fault:
            raise DependencyError(self.name, "could not be reached") from fault
        if answer.status_code == _NOT_FOUND:
            raise NotFoundError
        if not answer.is_success:
            raise DependencyError(self.name, f"answered {answer.status_code}", answer.status_code)
        return answer.content
