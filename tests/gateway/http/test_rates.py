"""A moving window lets in so many within any minute, and forgets who no longer asks."""

from dataclasses import dataclass

from gateway.http.rates import Rates


@dataclass
class Clock:
    """A clock that is set."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


class TestHit:
    def test_lets_in_again_what_has_left_the_window(self) -> None:
        clock = Clock()
        rates = Rates(per_address=2, monotonic=clock)
        assert rates.hit("a", None).wait == 0
        clock.now += 40
        assert rates.hit("a", None).wait == 0
        refused = rates.hit("a", None)
        assert (refused.wait, refused.headers["RateLimit"]) == (20, '"address";r=0;t=20')
        clock.now += 20
        assert rates.hit("a", None).wait == 0
        assert rates.hit("a", None).wait == 40

    def test_counts_a_refused_request_not_at_all(self) -> None:
        clock = Clock()
        rates = Rates(per_address=1, monotonic=clock)
        rates.hit("a", None)
        for _ in range(59):
            clock.now += 1
            assert rates.hit("a", None).wait > 0
        clock.now += 1
        assert rates.hit("a", None).wait == 0

    def test_remembers_nobody_who_has_not_asked_within_the_window(self) -> None:
        """Whoever makes up credentials by the million fills no memory with them."""
        clock = Clock()
        rates = Rates(monotonic=clock)
        for number in range(100):
            rates.hit(f"address {number}", f"credential {number}")
        clock.now += 60
        for number in range(100):
            rates.hit("one", f"another {number % 2}")
        assert (rates.remembered, rates.hit("one", None).wait) == (3, 0)
