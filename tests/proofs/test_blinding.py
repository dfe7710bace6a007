"""No byte before the debrief tells which response is which (invariant 3).

Annotators walk through 30 studies with keys and seeds of their own, on the real application, and every response that
their browsers receive before the debrief is recorded: pages, redirects, headers, cookies. One person of each study also
pries: with HEAD, for pages out of turn, with stale, foreign and wrong posts. The texts are replaced by constants;
everything else stays. Then

- a classifier that learns from some studies does not guess the side of the truthful response in others better than
  it guesses permuted sides (p > .01 on more than 2,000 pages);
- what is received is the same words and markup whichever side is truthful, ids and numbers aside;
- pages without a pair, static files and pages of errors are the same for everybody;
- each of several planted leaks of one bit is found (p < .001), so the proof can fail.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import chain
from random import Random
from typing import Any

import httpx
import pytest

from app.cli.annotating import Simulation, annotator_number
from app.cli.behaviours import behaviour
from tests.conftest import NewDatabase
from tests.proofs.conftest import Say
from tests.proofs.guessing import Guesses, guess_sides
from tests.proofs.received import Browser, JudgingPage, masked, payload_of, received_from, stripped
from tests.proofs.starter_studies import ADDRESS, N_PAIRS, application, open_starter_study

SEED = 22
N_STUDIES = 30
PEOPLE_EACH = 3
OPTIONS = {
    "tie": True,
    "confidence": True,
    "reason": "optional",
    "attention_checks": 2,
    "comprehension": "default",
    "background": [{"key": "english", "question": "Is English your first language?", "answers": ["Yes", "No"]}],
}
"""What every fifth study switches on: all that adds to the pages, and no text of the set's own."""


@dataclass
class Crawl:
    """What the browsers of all studies received."""

    browsers: list[Browser]
    elsewhere: list[dict[str, bytes]]
    """What answers in each study to addresses that no annotator is led to."""
    static: dict[str, int]
    """The status of every static file that a page asks for."""

    @property
    def pages(self) -> list[JudgingPage]:
        """Every judging page with the answer to its choice, as an honest browser met it."""
        return [_as_met(page, "honest") for browser in self.browsers for page in browser.pages]

    @property
    def pried(self) -> list[JudgingPage]:
        """The judging pages at which somebody pried, with what prying brought."""
        return [_as_met(page, "prying") for browser in self.browsers if browser.pries for page in browser.pages]


def _as_met(page: JudgingPage, how: str) -> JudgingPage:
    return replace(page, received=[received for received in page.received if received.asked.startswith(how)])


def design_of(number: int) -> dict[str, Any]:
    return {
        "ratings_per_pair": PEOPLE_EACH,
        "pairs_per_annotator": N_PAIRS,
        "seed": SEED * 1000 + number,
        "platform": ("generic", "prolific", "open")[number % 3],
        "arms": ({"truthful_kind": ("helpful", "baseline")[number % 2]},),
        "options": OPTIONS if number % 5 == 0 else {},
    }


async def walk(app: httpx.ASGITransport, simulation: Simulation, number: int, name: str) -> Browser:
    browser = Browser(app, simulation.slug, simulation.known, pries=number == 0)
    async with httpx.AsyncClient(transport=browser) as client:
        annotator = annotator_number(simulation, number, behaviour(name), client)
        assert await annotator.take_part()
    assert len(browser.pages) == N_PAIRS
    return browser


async def walk_study(app: httpx.ASGITransport, simulation: Simulation) -> list[Browser]:
    """Let the people of a study take part one after the other, so that who gets what is the same each time."""
    return [await walk(app, simulation, number, "attentive") for number in range(PEOPLE_EACH)]


_NOT_OURS = {"cookie": f"candor_annotator={'0' * 20}.{'0' * 32}"}
_TOO_LARGE = b"side=" + b"x" * 1_000_001


async def ask_elsewhere(client: httpx.AsyncClient, slug: str) -> dict[str, bytes]:
    """Return what answers to requests that no annotator is led to, ids and numbers aside."""
    pair = f"/s/{slug}/pairs/1"
    asked = {
        "without a place": await client.get(pair),
        "with a pass that is not ours": await client.get(pair, headers=_NOT_OURS),
        "a peek": await client.head(f"/s/{slug}"),
        "a preview": await client.get(f"/s/{slug}", headers={"user-agent": "a preview"}),
        "one person too many": await client.get(f"/s/{slug}?pid=late"),
        "another study": await client.get(f"/s/{slug}-not"),
        "another page": await client.get(f"{pair}/more"),
        "NUL": await client.get(f"{pair}?a=%00"),
        "a post from another site": await client.post(pair, headers={"origin": "https://example.org"}),
        "a post without a place": await client.post(pair, data={"side": "left"}),
        "a post too large": await client.post(pair, content=_TOO_LARGE),
        "a method that is not allowed": await client.put(pair),
        "a static file that is not there": await client.get("/static/sides.json"),
        "the start": await client.get("/"),
    }
    return {
        name: masked(payload_of(received_from(response.request, response)), slug) for name, response in asked.items()
    }


@pytest.fixture(scope="module")
async def crawl(new_database: NewDatabase) -> Crawl:
    url = new_database()
    keys = Random(SEED)
    simulations = [
        await open_starter_study(url, f"blind-{number}", keys.randbytes(32), **design_of(number))
        for number in range(N_STUDIES)
    ]
    async with application(url) as app:
        # One after the other, so that everybody is who they were in the last run, and the guesses are the same.
        walked = [await walk_study(app, simulation) for simulation in simulations]
        browsers = list(chain.from_iterable(walked))
        async with httpx.AsyncClient(transport=app, base_url=ADDRESS) as client:
            elsewhere = [await ask_elsewhere(client, simulation.slug) for simulation in simulations]
            addresses = {address for browser in browsers for address in browser.addresses}
            static = {
                address: (await client.get(address)).status_code for address in addresses if "/static/" in address
            }
    return Crawl(browsers, elsewhere, static)


def in_words(guesses: Guesses) -> str:
    return f"{guesses.share_right:.1%} of {guesses.n} sides guessed, p = {guesses.p:.4f}"


def test_the_side_cannot_be_guessed_from_any_page(crawl: Crawl, say: Say) -> None:
    guesses = guess_sides(crawl.pages)
    say(f"blinding, as it is: {in_words(guesses)}")
    assert guesses.n >= 2000
    assert guesses.p > 0.01


def test_the_side_cannot_be_guessed_from_what_prying_brings(crawl: Crawl, say: Say) -> None:
    guesses = guess_sides(crawl.pried)
    say(f"blinding, prying: {in_words(guesses)}")
    assert guesses.n == N_STUDIES * N_PAIRS
    assert guesses.p > 0.01


def test_every_response_reads_the_same_whichever_side_is_truthful(crawl: Crawl) -> None:
    assert wordings(crawl.pages + crawl.pried, truthful_left=True) == wordings(
        crawl.pages + crawl.pried, truthful_left=False
    )


def wordings(pages: Iterable[JudgingPage], *, truthful_left: bool) -> dict[str, set[bytes]]:
    """Return the responses to each kind of request at a pair, without texts, ids and numbers."""
    found = defaultdict(set)
    for page in pages:
        if page.truthful_left == truthful_left:
            for received in page.received:
                if "pairs/" in received.asked:
                    found[received.asked].add(masked(stripped(received, page.texts), page.study))
    return dict(found)


def test_the_texts_are_stripped_from_every_page_and_each_was_there_once(crawl: Crawl) -> None:
    """Else a classifier could tell by the texts, and a leak beside them could hide."""
    for page in crawl.pages:
        shown = stripped(page.received[0], page.texts)
        assert (shown.count(b"\x01"), shown.count(b"\x02")) == (1, 2)


def test_what_comes_before_the_first_pair_is_the_same_for_everybody(crawl: Crawl) -> None:
    by_study = defaultdict(set)
    for browser in crawl.browsers:
        by_study[browser.study].add(
            tuple((received.asked, masked(payload_of(received), browser.study)) for received in browser.before)
        )
    assert {len(ways) for ways in by_study.values()} == {1}


def test_errors_and_static_files_are_the_same_everywhere(crawl: Crawl) -> None:
    assert all(answers == crawl.elsewhere[0] for answers in crawl.elsewhere)
    assert len(crawl.static) >= 3
    assert set(crawl.static.values()) == {200}


# Planted leaks: what a browser would have received, had the application told the side by one bit.

Leak = Callable[[JudgingPage], JudgingPage]


def changed(page: JudgingPage, which: int, body: bytes) -> JudgingPage:
    """Return a page of which one response has another body, and the length of that."""
    was = page.received[which]
    headers = tuple(
        (name, str(len(body)).encode() if name == b"content-length" else value) for name, value in was.headers
    )
    received = list(page.received)
    received[which] = was._replace(headers=headers, body=body)
    return replace(page, received=received)


def a_trailing_space(page: JudgingPage) -> JudgingPage:
    return changed(page, 0, page.received[0].body + b" " * page.truthful_left)


def a_space_beside_a_text(page: JudgingPage) -> JudgingPage:
    body = page.received[0].body
    place = body.rindex(b"</div>", 0, body.index(b"judge__bar"))
    return changed(page, 0, body[:place] + b" " * page.truthful_left + body[place:])


def a_class_put_first(page: JudgingPage) -> JudgingPage:
    body, by_side = page.received[0].body, {True: b"response--left response", False: b"response response--left"}
    return changed(page, 0, body.replace(b"response response--left", by_side[page.truthful_left]))


def a_header_put_first(page: JudgingPage) -> JudgingPage:
    answer = page.received[1]
    headers = answer.headers if page.truthful_left else answer.headers[::-1]
    return replace(page, received=[page.received[0], answer._replace(headers=headers), *page.received[2:]])


def a_bit_of_the_token(page: JudgingPage) -> JudgingPage:
    body = page.received[0].body
    place = body.index(b'"', body.index(b'name="token" value="') + len(b'name="token" value="')) - 1
    digit = int(body[place : place + 1], 16) & ~1 | page.truthful_left
    return changed(page, 0, body[:place] + f"{digit:x}".encode() + body[place + 1 :])


def a_bit_of_the_cookie_for_each_pair(page: JudgingPage) -> JudgingPage:
    digits = bytearray(page.before)
    place, bit = divmod(page.position - 1, 4)
    mask = 8 >> bit
    digit = int(chr(digits[place]), 16) & ~mask | mask * page.truthful_left
    digits[place] = ord(f"{digit:x}")
    return replace(page, before=bytes(digits))


LEAKS: tuple[Leak, ...] = (
    a_trailing_space,
    a_space_beside_a_text,
    a_class_put_first,
    a_header_put_first,
    a_bit_of_the_token,
    a_bit_of_the_cookie_for_each_pair,
)


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_a_planted_leak_of_one_bit_is_found(crawl: Crawl, leak: Leak, say: Say) -> None:
    guesses = guess_sides([leak(page) for page in crawl.pages])
    say(f"blinding, planted {leak.__name__}: {in_words(guesses)}")
    assert guesses.p < 0.001
