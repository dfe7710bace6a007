"""What a form says of how its characters are written."""

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers

_OF_FORMS = {b"multipart/form-data", b"application/x-www-form-urlencoded"}
_UTF_8 = {b"utf-8", b"utf8"}


def is_foreign_charset(headers: Headers) -> bool:
    """Say whether a form names a charset that is not UTF-8, by which half characters could come in. No page does.

    The header is read as the form's own parser reads it, so that the two cannot differ.
    """
    kind, options = parse_options_header(headers.get("content-type"))
    return kind in _OF_FORMS and options.get(b"charset", b"utf-8").lower() not in _UTF_8
