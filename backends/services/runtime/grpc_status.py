"""HTTP statuses and gRPC codes: the one as the other."""

import grpc

_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ABORTED,
    412: grpc.StatusCode.FAILED_PRECONDITION,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    501: grpc.StatusCode.UNIMPLEMENTED,
    502: grpc.StatusCode.UNAVAILABLE,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
_STATUSES = {code: status for status, code in reversed(_CODES.items())}


def code_of(status: int) -> grpc.StatusCode:
    """The gRPC code of an HTTP status."""
    return _CODES.get(status, grpc.StatusCode.UNKNOWN)


def status_of(code: grpc.StatusCode) -> int:
    """The HTTP status of a gRPC code."""
    return _STATUSES.get(code, 500)
