"""What can go wrong, in words that handlers may raise and catch."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus


class ProblemError(Exception):
    """A fault with an HTTP status. Raise one from a handler, and the caller gets the problem document.

    `place` is a line of the architecture; `errors` are pointers into the request and what is wrong there.
    """

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        place: str = "",
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.place = place
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    @property
    def title(self) -> str:
        """The status in words."""
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return "Problem"


class NotFoundError(ProblemError):
    """There is no such thing: 404."""

    def __init__(self, detail: str = "there is no such thing") -> None:
        super().__init__(HTTPStatus.NOT_FOUND, detail)


class ConflictError(ProblemError):
    """It does not fit with how things are: 409."""

    def __init__(self, detail: str) -> None:
        super().__init__(HTTPStatus.CONFLICT, detail)


class DependencyError(Exception):
    """A call to another service that failed. `status` is its answer's, 0 where there was none."""

    def __init__(self, name: str, detail: str, status: int = 0, *, timed_out: bool = False) -> None:
        super().__init__(f"{name}: {detail}")
        self.name = name
        self.status = status
        self.timed_out = timed_out

    def problem(self) -> ProblemError:
        """What the own caller is told when a handler lets it through."""
        status = HTTPStatus.GATEWAY_TIMEOUT if self.timed_out else HTTPStatus.BAD_GATEWAY
        return ProblemError(status, f"{self.name} could not be asked")
