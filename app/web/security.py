"""Headers on every response, and the refusal of posts that another site sends."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.addresses import SCORE_FILES, SET_UPLOADS
from app.web.charsets import is_foreign_charset
from app.web.problems import is_for_programs, problem

POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; img-src 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), browsing-topics=()",
    "X-Robots-Tag": "noindex",
}
# As the server sends them: this runs for every response, and judging is to cost little.
_ADDED = [(name.lower().encode(), value.encode()) for name, value in (HEADERS | {"Cache-Control": "no-store"}).items()]
_ADDED_UNDER_HTTPS = [*_ADDED, (b"strict-transport-security", b"max-age=31536000")]
LARGEST_FORM = 1_000_000
# A file of misconceptions or scores that is a little too large is read, so that its page can say so.
_LARGEST = {SET_UPLOADS: 2 * 20 * 2**20, SCORE_FILES: 2 * 50 * 2**20}
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class SecurityHeaders:
    """Add the headers to every response; pages are never stored by caches, fingerprinted static files are."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        added = _ADDED_UNDER_HTTPS if scope["scheme"] == "https" else _ADDED

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(header for header in added if header[0] not in given)]
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _from_elsewhere(headers: Headers) -> bool:
    """Say whether a browser tells that a post comes from another site. Plain clients send neither header."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and _host_of(origin) != headers.get("host")


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _holds_nul(scope: Scope) -> bool:
    """Say whether an address holds the one character that Postgres cannot even be asked about."""
    return "\x00" in scope["path"] or b"%00" in scope["query_string"]


def _refusal(scope: Scope) -> tuple[int, str, str] | None:
    """Return the status, code and sentence with which a request is refused before anything is read, if it is."""
    if _holds_nul(scope):
        return 404, "not_found", "There is no such page."
    if scope["method"] in SAFE:
        return None
    headers = Headers(scope=scope)
    if _from_elsewhere(headers):
        return 403, "from_elsewhere", "This form was sent from another site, so nothing was stored."
    if _is_too_large(headers, _LARGEST.get(scope["path"], LARGEST_FORM)):
        return 413, "too_large", "This form is too large, so nothing was stored."
    if is_foreign_charset(headers):
        return 415, "charset", "This form is not sent as UTF-8, so nothing was stored."
    return None


def _is_too_large(headers: Headers, largest: int) -> bool:
    """Say whether a body is too large, or of a size that is not told. Where no header speaks of one there is none."""
    length = headers.get("content-length")
    if length is None:
        return "transfer-encoding" in headers
    return not length.isdigit() or int(length) > largest


class RefuseForeignPosts:
    """Refuse posts from other sites, forms too large to be ours and addresses no page has, before anything is read."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = _refusal(scope) if scope["type"] == "http" else None
        if refused is None:
            await self.app(scope, receive, send)
            return
        status, code, said = refused
        told: Response = PlainTextResponse(said, status)
        if is_for_programs(scope["path"]):
            told = problem(status, code, said)
        await told(scope, receive, send)
