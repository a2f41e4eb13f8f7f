"""Faults as RFC 9457 problem documents."""

import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from . import context
from .errors import DependencyError, ProblemError

MEDIA_TYPE = "application/problem+json"
ERRORS_MAX = 100
LOG = logging.getLogger(__name__)


def answer(request: Request, problem: ProblemError) -> JSONResponse:
    """The problem document of a fault."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.url.path,
        "request-id": context.current().request_id,
    }
    if problem.place:
        body["place"] = problem.place
    if problem.errors:
        body["errors"] = [dict(error) for error in problem.errors]
    return JSONResponse(body, problem.status, headers=dict(problem.headers), media_type=MEDIA_TYPE)


def mismatches(errors: Iterable[Mapping[str, Any]], within: str = "") -> list[dict[str, str]]:
    """Validation errors as pointers and details; what was sent is not repeated."""
    found = []
    for error in errors:
        pointer = "".join(f"/{part}" for part in error["loc"])
        found.append({"pointer": f"{within}{pointer}" or "/", "detail": str(error["msg"])[:500]})
    return found[:ERRORS_MAX]


async def _problem(request: Request, fault: Exception) -> JSONResponse:
    if isinstance(fault, DependencyError):
        fault = fault.problem()
    elif isinstance(fault, RequestValidationError):
        fault = ProblemError(422, "the request does not match the contract", errors=mismatches(fault.errors()))
    elif isinstance(fault, HTTPException):
        fault = ProblemError(fault.status_code, str(fault.detail or ""), headers=dict(fault.headers or {}))
    return answer(request, fault) if isinstance(fault, ProblemError) else unexpected(request, fault)


def unexpected(request: Request, fault: Exception) -> JSONResponse:
    """The answer to a fault that nobody foresaw; what it was goes to the logs alone."""
    LOG.error("unexpected fault", exc_info=fault)
    detail = "an unexpected fault; the logs know it by the request's id"
    return answer(request, ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, detail))


def install(app: FastAPI) -> None:
    """Answer the faults of an application with problem documents."""
    for kind in (ProblemError, DependencyError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _problem)
