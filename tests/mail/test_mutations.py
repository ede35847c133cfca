from __future__ import annotations

import random

import pytest

from bridge.mail.letter import Letter
from bridge.mail.mutations import CHANGES, FORMS, draft, mutant, plain_text
from bridge.mail.specimens import JANE, specimen

WELCOME = Letter.parse(specimen("account_new", marked=True))
ORDER = Letter.parse(specimen("order_new"))


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_every_change_changes_something_of_some_mail(name):
    changed = 0
    for letter in (WELCOME, ORDER, Letter.parse(specimen("password_forgot"))):
        for seed in range(5):
            made, before = draft(letter), draft(letter)
            CHANGES[name](made, random.Random(seed))
            changed += made != before
    assert changed


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_is_read_back_with_its_recipient_and_its_words(form):
    for seed in range(40):
        letter = Letter.parse(FORMS[form](draft(WELCOME), random.Random(seed)))
        assert letter.is_to(JANE)
        assert letter.subject == WELCOME.subject
        assert "createPassword" in (letter.html or letter.text)
        assert bool(letter.attachments) is (form == "with a file")


def test_a_seed_names_a_mutant_for_good():
    first, again = (mutant(WELCOME, random.Random("7 x 1")) for _ in range(2))
    assert first == again
    assert mutant(WELCOME, random.Random("7 x 2")) != first


def test_plain_text_has_the_links_and_no_tags():
    text = plain_text(WELCOME.html)
    assert "createPassword/?id=7&token=" in text
    assert "<" not in text
    assert ".email-items" not in text
