"""The two cookies of signing in: the session, and the random value that ties a login form to its browser."""

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from app.web.signed_in import SESSION_COOKIE

LOGIN_COOKIE = "candor_login"
_LOGIN_SECONDS = 3600


def _set(request: Request, response: Response, name: str, value: str, *, path: str, seconds: int) -> None:
    secure = request.url.scheme == "https"
    response.set_cookie(name, value, seconds, path=path, httponly=True, samesite="lax", secure=secure)


def give_login(request: Request, response: Response, token: str) -> Response:
    """Tie the form on a page to the browser that asked for it, for an hour."""
    _set(request, response, LOGIN_COOKIE, token, path="/login", seconds=_LOGIN_SECONDS)
    return response


def signed_in(request: Request, token: str, hours: int, to: str) -> Response:
    """Give the browser its session and send it on."""
    response = RedirectResponse(to, 303)
    _set(request, response, SESSION_COOKIE, token, path="/", seconds=hours * 3600)
    response.delete_cookie(LOGIN_COOKIE, path="/login")
    return response


def signed_out() -> Response:
    """Take the session from the browser and send it to the login page."""
    response = RedirectResponse("/login", 303)
    response.delete_cookie(SESSION_COOKIE, path="/")
    return response
