"""Leases: what was handed out comes back once, by a judgment or by the clock."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from consensus.state.leases import Leases


def test_a_lease_ends_by_the_clock() -> None:
    one = Leases()
    one.give("a", "w", 10.0)
    one.give("b", None, 5.0)
    assert (len(one), one.per_item()) == (2, Counter(a=1, b=1))
    assert one.expire(4.9) == []
    assert one.expire(5.0) == ["b"]
    assert one.of_worker("w") == {"a"}
    assert one.expire(99.0) == ["a"]
    assert (len(one), one.of_worker("w"), one.expire(99.0)) == (0, frozenset(), [])


def test_a_judgment_ends_the_lease_of_its_worker_before_one_of_nobody() -> None:
    one = Leases()
    one.give("a", None, 5.0)
    one.give("a", "w", 9.0)
    assert one.fulfil("a", "w")
    assert one.fulfil("a", "w")  # now that of nobody
    assert not one.fulfil("a", "w")
    assert not one.fulfil("b", "w")
    assert one.expire(99.0) == []


def test_one_that_was_given_again_lasts_as_long_as_the_new_one() -> None:
    one = Leases()
    one.give("a", "w", 5.0)
    assert one.fulfil("a", "w")
    one.give("a", "w", 9.0)
    assert one.expire(5.0) == []
    assert one.expire(9.0) == ["a"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["u", "v", None]), st.integers(1, 9)), max_size=30))
def test_as_a_list_of_leases_would(given: list[tuple[str, str | None, int]]) -> None:
    one, known = Leases(), list[tuple[str, str | None, int]]()
    for n, (item, worker, until) in enumerate(given):
        if worker is None or (item, worker) not in [pair[:2] for pair in known]:
            one.give(item, worker, float(until))
            known.append((item, worker, until))
        if n % 3 == 2:
            found = sorted(one.expire(n / 3))
            assert found == sorted(item for item, _, until in known if until <= n / 3)
            known = [lease for lease in known if lease[2] > n / 3]
        if n % 4 == 3:
            own = next((lease for lease in known if lease[:2] == (item, "u")), None)
            taken = own or next((lease for lease in known if lease[:2] == (item, None)), None)
            assert one.fulfil(item, "u") == (taken is not None)
            if taken is not None:
                known.remove(taken)
        assert len(one) == len(known)
        assert one.per_item() == Counter(item for item, _, _ in known)
        assert one.of_worker("u") == {item for item, worker, _ in known if worker == "u"}
