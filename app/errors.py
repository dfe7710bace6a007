"""The root of every error that Candor raises on purpose.

An error is a fact about the domain (`PairAlreadyJudged`), never an HTTP status: `app.web.errors` maps facts to
pages, and the commands print the message and exit with 1.
"""


class CandorError(Exception):
    """Something was refused. The message is one clear line: what, where, and how to mend it."""
