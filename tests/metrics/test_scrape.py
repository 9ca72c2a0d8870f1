"""Endpoints that answer, hang, lie, reset and vanish."""

from __future__ import annotations

import gzip
import queue
import threading
import time
from collections.abc import Callable

import pytest

from sparrow_tui.metrics import Sample, render, scrape
from sparrow_tui.metrics.families import PageError, counts_of, series_of
from sparrow_tui.metrics.remote import AddressError, Remote, checked, shown
from sparrow_tui.metrics.scrape import Scraper
from tests.metrics.endpoints import endpoint, says

SAMPLE = Sample(36, 2, 1000, 200, 77, 5, 264, 3)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrape, "EVERY", 0.05)
    monkeypatch.setattr(scrape, "SLOWEST", 0.2)
    monkeypatch.setattr(scrape, "PAUSE", 0.005)
    monkeypatch.setattr(scrape, "TIMEOUT", 0.5)


class Heard:
    """What a scraper tells, until something holds."""

    def __init__(self, *urls: str) -> None:
        self.told: queue.Queue[Remote] = queue.Queue()
        self.scraper = Scraper(urls, self.told.put)

    def __enter__(self) -> Heard:
        self.scraper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.scraper.stop()
        self.scraper.join(5)
        assert not self.scraper.is_alive()

    def until(self, condition: Callable[[Remote], object]) -> Remote:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            remote = self.told.get(timeout=10)
            if condition(remote):
                return remote
        pytest.fail("what was waited for did not come")


def test_endpoints_add_up() -> None:
    good = says(render(SAMPLE))
    with (
        endpoint(good) as one,
        endpoint(good) as two,
        Heard(one.url, f"{two.url}/metrics") as heard,
    ):
        remote = heard.until(lambda r: r.up == 2)
    assert (remote.sample.requests_total, remote.sample.tokens_input) == (72, 2000)
    assert remote.sample.active_sessions == 6
    assert remote.cost_micro == 5_280_000  # the ancestor's cents
    assert (remote.of, remote.problem, remote.note) == (2, "", "")
    assert set(one.asked) == {"/metrics"}


def test_rates_and_resets() -> None:
    with endpoint(says(render(SAMPLE))) as one, Heard(one.url) as heard:
        assert heard.until(lambda r: r.up == 1).tokens_a_minute is None
        one.answer = says(render(Sample(40, 2, 1600, 200)))
        assert heard.until(lambda r: r.tokens_a_minute).sample.tokens_input == 1600
        one.answer = says(render(Sample(1, 0, 50, 10, active_sessions=1)))
        after = heard.until(lambda r: r.sample.requests_total == 41)
    assert (after.sample.tokens_input, after.sample.tokens_output) == (1650, 210)
    assert after.sample.active_sessions == 1  # a gauge may fall
    assert after.cost_micro == 2_640_000


@pytest.mark.parametrize("odd", ["NaN", "-5", "+Inf", "-Inf"])
def test_what_is_no_count_is_no_reset(odd: str) -> None:
    page = render(SAMPLE)
    bad = (
        page.replace(" 36\n", f" {odd}\n")
        .replace(" 264\n", f" {odd}\n")
        .replace(" 200\n", " 300\n")
    )
    with endpoint(says(page)) as one, Heard(one.url) as heard:
        heard.until(lambda r: r.up == 1)
        one.answer = says(bad)
        during = heard.until(lambda r: r.sample.tokens_output == 300)
        one.answer = says(page.replace(" 36\n", " 37\n").replace(" 200\n", " 400\n"))
        after = heard.until(lambda r: r.sample.tokens_output == 400)
    assert (during.sample.requests_total, during.cost_micro) == (36, 2_640_000)
    assert (after.sample.requests_total, after.cost_micro) == (37, 2_640_000)


def test_a_series_that_is_gone_for_once_keeps_its_count() -> None:
    page = render(SAMPLE)
    lines = [line for line in page.splitlines(True) if "requests_total" not in line]
    less = "".join(lines).replace(" 200\n", " 300\n").replace("cost_usd", "other_cost")
    with endpoint(says(page)) as one, Heard(one.url) as heard:
        heard.until(lambda r: r.up == 1)
        one.answer = says(less)
        during = heard.until(lambda r: r.sample.tokens_output == 300)
        one.answer = says(page.replace(" 200\n", " 400\n"))
        after = heard.until(lambda r: r.sample.tokens_output == 400)
    for remote in (during, after):
        assert (remote.sample.requests_total, remote.cost_micro) == (36, 2_640_000)


def moved(where: str):
    def answer(request) -> None:
        request.send_response(302)
        request.send_header("Location", where)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def packed(request) -> None:
    request.send_response(200)
    request.send_header("Content-Encoding", "gzip")
    request.end_headers()
    request.wfile.write(gzip.compress(b"x" * 10_000_000))


def drips(request) -> None:
    """A byte now and then, for ever: every read is in time, the page never is."""
    request.send_response(200)
    request.end_headers()
    while True:
        request.wfile.write(b"#")
        request.wfile.flush()
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (says("<html>log in</html>", "text/html"), "web page"),
        (says("<html>log in</html>"), "none of Sparrow's"),
        (says("up 1\nsparrow_requests_total{status=\"ok\" 3\n"), "not in Prometheus' format"),
        (says(b"\xff\xfe\x00"), "not text"),
        (says("", "text/plain"), "none of Sparrow's"),
        (says("up 1\n"), "none of Sparrow's"),
        (says("gone", code=503), "HTTP 503"),
        (says("moved", code=302), "HTTP 302"),
        (moved("http://ann:secret@example.test:8/m"), "moved to example.test:8/m: name that"),
        (moved("/login"), "/login: name that"),
        (moved("http://a b:x/"), "broke off"),
        (packed, "compressed"),
        (drips, "no answer within"),
        (says(b"\x00\x01\x02" * 5000), "none of Sparrow's"),
        (says(b"sparrow_requests_total{status=\"ok\"} \x00\n"), "not in Prometheus' format"),
        (says(render(SAMPLE), "application/openmetrics-text; version=1.0.0"), "not in Prometheus'"),
        (lambda request: time.sleep(1.5), "no answer within"),
        (lambda request: request.wfile.write(b"garbage\r\n\r\n"), "broke off"),
    ],
)  # fmt: skip
def test_what_does_not_answer_with_counters(answer, sentence: str) -> None:
    with (
        endpoint(answer) as bad,
        endpoint(says(render(SAMPLE))) as good,
        Heard(bad.url, good.url) as heard,
    ):
        remote = heard.until(lambda r: r.problem and r.up)
    assert sentence in remote.problem
    assert remote.problem.startswith("127.0.0.1:")
    assert (remote.up, remote.of) == (1, 2)
    assert remote.sample.requests_total == 36
    assert remote.note.startswith("1/2 up")


def test_pages_without_end_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrape, "MOST_BYTES", 10_000)
    with (
        endpoint(says("# " + "x" * 50_000 + "\n" + render(SAMPLE))) as one,
        Heard(one.url) as heard,
    ):
        assert "too large" in heard.until(lambda r: r.problem).problem


def test_what_vanishes_stays_stale_and_comes_back() -> None:
    with endpoint(says(render(SAMPLE))) as one, Heard(one.url) as heard:
        heard.until(lambda r: r.up == 1)
        one.answer = says("down", code=500)
        remote = heard.until(lambda r: r.stale)
        assert remote.sample.requests_total == 36
        assert remote.up == 0
        assert "s old" in remote.note
        one.answer = says(render(Sample(50)))
        again = heard.until(lambda r: r.up == 1)
        assert (again.sample.requests_total, again.note) == (50, "")


def test_one_that_hangs_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrape, "TIMEOUT", 30.0)
    gate = threading.Event()
    with (
        endpoint(lambda request: gate.wait(20)) as hangs,
        endpoint(says(render(SAMPLE))) as one,
        Heard(hangs.url, one.url) as heard,
    ):
        heard.until(lambda r: len(one.asked) > 3)
        silent, told = heard.scraper.snapshot()
        assert len(hangs.asked) == 1
        gate.set()
    assert (silent.name, silent.sample, silent.age, silent.stale) == (
        hangs.url.removeprefix("http://") + "/metrics", None, None, False,
    )  # fmt: skip
    assert told.sample is not None
    assert told.sample.requests_total == 36
    assert told.age is not None
    assert (told.tokens_a_minute, told.problem) == (0, "")


def test_what_others_count_is_not_parsed() -> None:
    page = 'other_total{x="1" broken\n' * 3 + render(SAMPLE)
    assert counts_of(series_of(page)).values["requests_total"] == 36


def test_nobody_there_is_asked_less_often() -> None:
    place = scrape.Endpoint("http://127.0.0.1:9")
    gaps = []
    for _ in range(5):
        place.fail("nobody answers there", 100.0)
        gaps.append(place.due - 100)
    assert gaps == sorted(gaps)
    assert gaps[0] < gaps[-1] == pytest.approx(scrape.SLOWEST)
    with Heard("127.0.0.1:9") as heard:
        remote = heard.until(lambda r: r.problem)
    assert "nobody answers there" in remote.problem
    assert remote.age is None


def test_addresses() -> None:
    assert checked("localhost:9000") == "http://localhost:9000"
    assert shown("https://ann:secret@example.test:9/metrics") == "example.test:9"
    for bad in ("", "ftp://x", "http://", "http://a b", "http://x:99999", "http://\x1b[2J"):
        with pytest.raises(AddressError, match="not the address"):
            checked(bad)


def test_openmetrics_and_dollars() -> None:
    text = (
        "# TYPE sparrow_requests counter\n"
        'sparrow_requests_total{status="ok",instance="a"} 3.0\n'
        'sparrow_requests_total{status="ok",instance="b"} 4.0\n'
        "# TYPE sparrow_cost_dollars counter\nsparrow_cost_dollars_total 1.25\n"
        "# TYPE sparrow_cost_usd counter\nsparrow_cost_usd_total 125\n# EOF\n"
    )
    counts = counts_of(series_of(text, "application/openmetrics-text; version=1.0.0"))
    assert (counts.values, counts.cost_micro) == ({"requests_total": 7}, 1_250_000)
    odd = counts_of(series_of('sparrow_requests_total{status="ok"} NaN\n'))
    assert odd.values == {"requests_total": 0}
    with pytest.raises(PageError):
        series_of("no EOF 1\n", "application/openmetrics-text")


def test_each_place_is_told_of() -> None:
    with endpoint(says(render(SAMPLE))) as good, endpoint(says("gone", code=404)) as bad:
        secret = bad.url.replace("http://", "http://me:secret@")
        with Heard(f"{good.url}/metrics?key=secret", secret) as heard:
            remote = heard.until(lambda r: r.up == 1 and r.places[1].failures > 1)
            one, two = remote.places
            assert (one.name, one.problem, one.failures) == (f"{shown(good.url)}/metrics", "", 0)
            assert (one.series, one.stale) == (8, False)
            assert one.sample is not None
            assert one.sample.requests_total == 36
            assert (two.sample, two.age, two.problem) == (None, None, "the answer is HTTP 404")
            assert two.again is not None
            assert "secret" not in one.name + two.name
            good.answer = says("{}", "application/json")
            later = heard.until(lambda r: r.places[0].stale).places[0]
        assert later.problem == "there is none of Sparrow's counters on the page"
        assert later.sample == one.sample
        assert later.tokens_a_minute is None
