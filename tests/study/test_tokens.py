"""The tokens of pairs: each stands for one pair of one person at one position, and tells nobody which."""

from hypothesis import given
from hypothesis import strategies as st

from app.study.tokens import PairAt, pair_of, pair_token

KEY, OTHER_KEY = bytes(32), bytes(31) + b"\x01"
pairs_at = st.builds(PairAt, st.integers(1, 9999), st.integers(1, 2**63 - 1))
names = st.text("0123456789abcdef", min_size=20, max_size=20)


@given(at=pairs_at, annotator=names)
def test_a_token_stands_for_its_pair_and_comes_out_the_same_again(at: PairAt, annotator: str) -> None:
    token = pair_token(KEY, annotator, at)
    assert pair_of(KEY, annotator, token) == at
    assert pair_token(KEY, annotator, at) == token
    assert len(token) == len(f"{at.position}-") + 48


@given(at=pairs_at, annotator=names, other=names, place=st.integers(0, 51), character=st.characters(codec="utf-8"))
def test_no_other_token_is_taken_for_it(at: PairAt, annotator: str, other: str, place: int, character: str) -> None:
    token = pair_token(KEY, annotator, at)
    changed = token[:place] + character + token[place + 1 :]
    assert changed == token or pair_of(KEY, annotator, changed) is None
    assert other == annotator or pair_of(KEY, other, token) is None
    assert pair_of(OTHER_KEY, annotator, token) is None


def test_tokens_of_the_same_pair_share_nothing_between_people_or_positions() -> None:
    veiled = {pair_token(KEY, f"{n % 20:020x}", PairAt(1 + n // 20, 7)).partition("-")[2][:16] for n in range(400)}
    assert len(veiled) == 400
    ones = sum(int(one, 16).bit_count() for one in veiled)
    assert abs(ones - 400 * 32) < 4 * (400 * 64 / 4) ** 0.5
