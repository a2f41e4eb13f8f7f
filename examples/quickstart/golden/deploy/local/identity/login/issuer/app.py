"""The issuer over HTTP: discovery, keys, login, tokens, userinfo and health."""

import base64
import binascii
import html
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route

from .grants import DEV_USER, Grants, RefusalError
from .settings import Settings, load

BODY_MAX = 16_384
_LOOPBACK_ORIGIN = r"http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in</title>
<style>body{{font:1rem/1.5 system-ui,sans-serif;margin:4rem auto;max-width:24rem;padding:0 1rem}}
button{{display:block;font:inherit;margin:.5rem 0;padding:.5rem;width:100%}}</style>
</head>
<body><main><h1>{title}</h1>{body}</main></body>
</html>
"""
# The page posts to this issuer, which sends the browser on: to another address, so no form-action.
_PAGE_HEADERS = {
    **_NO_STORE,
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create(settings: Settings | None = None) -> Starlette:
    """The application, with the settings that the environment names unless some are given."""
    settings = settings or load()
    issuer = Issuer(settings)
    origins = sorted({_origin(uri) for client in settings.clients.values() for uri in client.redirect_uris})
    browsers = Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_origin_regex=_LOOPBACK_ORIGIN,
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type"],
    )
    return Starlette(
        middleware=[browsers],
        routes=[
            Route("/.well-known/openid-configuration", issuer.discovery),
            Route("/.well-known/oauth-authorization-server", issuer.discovery),
            Route("/jwks", issuer.jwks),
            Route("/authorize", issuer.authorize, methods=["GET", "POST"]),
            Route("/token", issuer.token, methods=["POST"]),
            Route("/userinfo", issuer.userinfo, methods=["GET", "POST"]),
            Route("/health/live", _healthy),
            Route("/health/ready", _healthy),
        ],
    )


class Issuer:
    """The endpoints."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.grants = Grants(settings)

    def discovery(self, request: Request) -> Response:
        """The metadata of OpenID Connect Discovery 1.0."""
        base = self.settings.issuer
        return JSONResponse(
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "userinfo_endpoint": f"{base}/userinfo",
                "jwks_uri": f"{base}/jwks",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "client_credentials", DEV_USER],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": [
                    "none",
                    "client_secret_basic",
                    "client_secret_post",
                ],
                "scopes_supported": ["openid", "profile", "email", *self.settings.scopes],
                "claims_supported": ["sub", "iss", "aud", "exp", "iat", "name", "scope", "roles"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    def jwks(self, request: Request) -> Response:
        """The public key."""
        keys = {"keys": [self.settings.key.as_dict(private=False)]}
        return JSONResponse(keys, headers={"Cache-Control": "public, max-age=300"})

    async def authorize(self, request: Request) -> Response:
        """The login page, and what it posts: the same request again with the chosen user."""
        try:
            parameters = await _form(request) if request.method == "POST" else _once(request.query_params.multi_items())
            _, redirect_uri = self.grants.client(parameters)
        except RefusalError as refusal:
            return _page("This does not work", f"<p>{html.escape(refusal.description)}</p>", 400)
        state = {"state": parameters["state"]} if "state" in parameters else {}
        try:
            asked = self.grants.authorization(parameters)
            if request.method == "GET":
                return self._login(parameters)
            answer = {"code": self.grants.code(asked, parameters.get("user", ""))}
        except RefusalError as refusal:
            answer = {"error": refusal.error, "error_description": refusal.description}
        query = urlencode({**answer, **state, "iss": self.settings.issuer})
        joint = "&" if urlsplit(redirect_uri).query else "?"
        return RedirectResponse(f"{redirect_uri}{joint}{query}", 303, headers=_NO_STORE)

    def _login(self, parameters: dict[str, str]) -> Response:
        hidden = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in parameters.items()
            if name != "user"
        )
        buttons = "".join(
            f'<button name="user" value="{html.escape(role)}">{html.escape(role)}</button>'
            for role in self.settings.roles
        )
        body = f'<p>Who are you today?</p><form method="post" action="authorize">{hidden}{buttons}</form>'
        return _page("Log in", body)

    async def token(self, request: Request) -> Response:
        """The token endpoint."""
        try:
            form = await _form(request)
            answer = self.grants.token(form, _basic(request))
        except RefusalError as refusal:
            return _refused(refusal)
        return JSONResponse(answer, headers=_NO_STORE)

    def userinfo(self, request: Request) -> Response:
        """Who a token is about."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise RefusalError("invalid_token", "a token is needed", 401)
            claims = self.grants.claims(token.strip())
        except RefusalError as refusal:
            return _refused(refusal, f'Bearer error="{refusal.error}"')
        return JSONResponse({name: claims[name] for name in ("sub", "name", "roles") if name in claims})


def _healthy(request: Request) -> Response:
    return PlainTextResponse("ok\n")


def _page(title: str, body: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(title=html.escape(title), body=body), status, headers=_PAGE_HEADERS)


def _refused(refusal: RefusalError, challenge: str = "Basic") -> Response:
    headers = {**_NO_STORE, "WWW-Authenticate": challenge} if refusal.status == 401 else _NO_STORE
    content = {"error": refusal.error, "error_description": refusal.description}
    return JSONResponse(content, refusal.status, headers=headers)


async def _form(request: Request) -> dict[str, str]:
    """The posted form. Raises RefusalError for anything else, and for more than a form can be."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise RefusalError("invalid_request", "the body must be a form")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX:
            raise RefusalError("invalid_request", "the body is too large", 413)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=50)
    except ValueError as fault:
        raise RefusalError("invalid_request", "the body is no form") from fault
    return _once(pairs)


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """The parameters by name; none may come twice (RFC 6749, 3.1)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RefusalError("invalid_request", "a parameter comes twice")
    return found


def _basic(request: Request) -> tuple[str, str] | None:
    """The credentials of an Authorization header, form-encoded as RFC 6749, 2.3.1 has it."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as fault:
        raise RefusalError("invalid_client", "the Authorization header cannot be read", 401) from fault
    return (unquote_plus(user), unquote_plus(secret)) if colon else None


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"
