"""What is done with products that nobody knows waits for them, and not without bound."""

from wares.engine.waiting import Waiting, What


def _event(number: int) -> What:
    return number, 0, number, 1.0


def test_what_waits_is_taken_once_in_the_order_in_which_it_came() -> None:
    waiting = Waiting()
    for number in (1, 2):
        waiting.add(7, _event(number))
    waiting.add(8, _event(3))
    assert len(waiting) == 3
    assert waiting.take(7) == [_event(1), _event(2)]
    assert waiting.take(7) == []
    assert len(waiting) == 1


def test_of_too_many_the_product_that_waits_longest_goes_first() -> None:
    waiting = Waiting(most=5)
    for number in range(12):
        waiting.add(number // 3, _event(number))  # three events each on four products
        assert len(waiting) <= 5
    assert [len(waiting.take(product)) for product in range(4)] == [0, 0, 0, 3]


def test_a_flood_of_one_product_alone_starts_anew() -> None:
    waiting = Waiting(most=5)
    for number in range(7):
        waiting.add(1, _event(number))
    assert len(waiting) == 1
    assert waiting.take(1) == [_event(6)]
