"""What a new password must be."""

import pytest

from app.study.password_rules import (
    LONGEST,
    PasswordCommon,
    PasswordPersonal,
    PasswordRefused,
    PasswordTooLong,
    PasswordTooShort,
    refuse_weak,
)

EMAIL = "ada.lovelace@analytical.example.org"


def is_taken(password: str) -> bool:
    """Whether a password is accepted for the account of EMAIL."""
    try:
        refuse_weak(password, EMAIL)
    except PasswordRefused:
        return False
    return True


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "a password that is long enough",
        "Schlüssel für alle",
        "登录密码很长的一个密码啊呀",
        "84719305728163",
        "x8#kQ!2mZ@9p",
        "ada loves difference engines",
        "w" * 3 + "xyzzy plugh twisty",
    ],
)
def test_what_few_would_think_of_is_taken(password: str) -> None:
    assert is_taken(password)


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "PASSWORD PASSWORD 99!",
        "P@ssw0rd2026!",
        "123456789012",
        "098765432109",
        "qwertyuiop123",
        "asdfghjkl;'asdf",
        "abcdefghijklm",
        "aaaaaaaaaaaa",
        "abababababab",
        "!!!!!!!!!!!!",
        "iloveyou1234",
        "welcome2candor!",
        "1q2w3e4r5t6y7u",
        "ｐａｓｓｗｏｒｄ１２３４",
    ],
)
def test_what_is_guessed_early_is_refused(password: str) -> None:
    with pytest.raises(PasswordCommon):
        refuse_weak(password, EMAIL)


@pytest.mark.parametrize(
    "password", ["ada.lovelace2026", "AdaLovelace1815!", "analytical.ada", "lovelace-lovelace", EMAIL]
)
def test_what_is_made_of_the_email_is_refused(password: str) -> None:
    with pytest.raises(PasswordPersonal):
        refuse_weak(password, EMAIL)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("jane.doe@example.org", "jane.doe@example.org1"),
        ("jane.doe@example.org", "JaneDoe@Example.org"),
        ("jane.doe@example.org", "2026!jane.doe#73"),
        ("jo@mit.ac.uk", "jo@mit.ac.uk"),
        ("jo@mit.ac.uk", "jo@mit.ac.uk 1847!"),
        ("li@pku.edu.cn", "li@pku.edu.cn"),
        ("inv@x.org", "inv@x.org12345"),
    ],
)
def test_an_address_is_refused_whole_however_short_its_parts_and_with_digits_beside_it(
    email: str, password: str
) -> None:
    with pytest.raises(PasswordPersonal):
        refuse_weak(password, email)


@pytest.mark.parametrize(
    ("email", "few", "enough"),
    [
        ("jane.doe@example.org", "jane keeee 1234", "jane keeps wombats"),
        ("jo@mit.ac.uk", "jo@mit.ac.uk mum", "my uk train is late"),
    ],
)
def test_beside_a_name_enough_other_letters_are_taken(email: str, few: str, enough: str) -> None:
    with pytest.raises(PasswordPersonal):
        refuse_weak(few, email)
    refuse_weak(enough, email)


def test_a_password_has_a_least_and_a_greatest_length() -> None:
    with pytest.raises(PasswordTooShort, match="at least 12 characters"):
        refuse_weak("xylophones!")
    refuse_weak("xylophones!!")
    long = "many different words " * 40
    refuse_weak(long[:LONGEST])
    with pytest.raises(PasswordTooLong):
        refuse_weak(long[: LONGEST + 1])


def test_no_kind_of_character_is_asked_for_and_no_message_repeats_the_password() -> None:
    for password in ("onlysmallletters", "ONLYCAPITALSHERE", "57193048261750"):
        refuse_weak(password)
    for password in ("password1234", "ada.lovelace2026", "b4d"):
        with pytest.raises(PasswordRefused) as refused:
            refuse_weak(password, EMAIL)
        assert password not in str(refused.value)
