"""What workers are called where an export names them by their e-mail."""

import time

from consensus.formats.platforms import people


def test_an_e_mail_becomes_a_name_that_is_the_same_everywhere() -> None:
    made = people.called("Ann <Ann@example.org>")
    assert made.startswith(people.MADE)
    assert made == people.called("ann@example.org")
    assert people.called("ann") == "ann"


def test_a_long_text_takes_no_longer_than_it_is_long() -> None:
    start = time.process_time()
    text = "a" * 200_000
    assert people.called(f"{text} @") == f"{text} @"
    assert time.process_time() - start < 2.0  # seconds; from each letter to the end it would be minutes
