"""A Prometheus server's answers, right and wrong; and a real server that scrapes our page."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event, Thread

import pytest

from sparrow_tui.cli.app import fill_demo
from sparrow_tui.metrics import fleet as fleet_module
from sparrow_tui.metrics import parse
from sparrow_tui.metrics.ancestor import MAX_U64
from sparrow_tui.metrics.fleet import Fleet, FleetError
from sparrow_tui.metrics.page import page
from sparrow_tui.metrics.serve import PageServer
from sparrow_tui.store import open_store
from tests.metrics.endpoints import endpoint, says


def vector(value: str) -> str:
    row = {"metric": {"job": "a"}, "value": [1, value]}
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": [row]}})


def api(request: BaseHTTPRequestHandler) -> None:
    if request.path.startswith("/api/v1/query_range"):
        rows = [{"metric": {}, "values": [[1, "5"], [2, "NaN"], [3, "7"]]}]
        body = {"status": "success", "data": {"resultType": "matrix", "result": rows}}
        says(json.dumps(body), "application/json")(request)
    else:
        says(vector("42.5"), "application/json")(request)


def test_sums_rates_and_ranges() -> None:
    with endpoint(api) as server:
        fleet = Fleet(server.url)
        assert fleet.query("x") == [({"job": "a"}, 42.5)]
        remote = fleet.remote(1_700_000_000)
        fleet.close()
    assert remote.sample.requests_total == 42
    assert remote.cost_micro == 42_500_000
    assert remote.tokens_a_minute == 42.5
    assert list(remote.history) == [5, 0, 7]
    assert any("timeout=5s" in path for path in server.asked)


@pytest.mark.parametrize(
    ("value", "count", "micro"),
    [
        ("1e305", MAX_U64, MAX_U64),
        ("-4", 0, 0),
        ("NaN", 0, 0),
        ("+Inf", 0, 0),
        ("237.5", 237, 237_500_000),
    ],
)
def test_values_no_counter_has(value: str, count: int, micro: int) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        rows = [{"metric": {}, "values": [[1, value], [2, "3"]]}]
        matrix = {"status": "success", "data": {"resultType": "matrix", "result": rows}}
        ranged = request.path.startswith("/api/v1/query_range")
        says(json.dumps(matrix) if ranged else vector(value), "application/json")(request)

    with endpoint(answer) as server:
        fleet = Fleet(server.url)
        remote = fleet.remote(1_700_000_000)
        fleet.close()
    assert (remote.sample.requests_total, remote.cost_micro) == (count, micro)
    assert list(remote.history) == [count, 3]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (says("<html>", "text/html"), "is not a Prometheus server"),
        (says("[1]", "application/json"), "is not a Prometheus server"),
        (says("{}", "application/json"), "is not a Prometheus server"),
        (says('{"status":"error","error":"parse error at char 3"}', code=400), "says: parse error"),
        (says('{"status":"success","data":{"resultType":"string","result":[]}}'), "with a string"),
        (says('{"status":"success","data":{"resultType":"vector","result":[{}]}}'), "else"),
        (says('{"status":"success"}'), "answers with"),
        (says(vector("x").replace('"x"', "9" * 400)), "else"),
        (lambda request: request.wfile.write(b"nonsense\r\n\r\n"), "does not answer"),
    ],
)  # fmt: skip
def test_servers_that_lie(answer, sentence: str) -> None:
    with endpoint(answer) as server:
        fleet = Fleet(server.url)
        with pytest.raises(FleetError, match=sentence):
            fleet.query("up")
        fleet.close()


def test_answers_that_drip_or_swell_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_module, "TIMEOUT", 0.5)
    monkeypatch.setattr(fleet_module, "MOST_BYTES", 10_000)

    def drips(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(b" ")
            request.wfile.flush()
            time.sleep(0.05)

    for answer, sentence in ((drips, "within"), (says(b" " * 50_000), "more than")):
        with endpoint(answer) as server:
            fleet = Fleet(server.url)
            with pytest.raises(FleetError, match=sentence):
                fleet.query("up")
            fleet.close()


def test_nothing_of_ours_there_is_said() -> None:
    empty = says('{"status":"success","data":{"resultType":"vector","result":[]}}')
    with endpoint(empty) as server:
        fleet = Fleet(server.url)
        remote = fleet.remote(1_700_000_000)
        fleet.close()
    assert "none of Sparrow's counters" in remote.note


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.skipif(not shutil.which("prometheus"), reason="there is no Prometheus server here")
def test_a_real_server_scrapes_us_and_is_read_by_us(tmp_path: Path) -> None:
    location = str(tmp_path / "demo.db")
    fill_demo(location)
    store = open_store(location, readonly=True)
    expected = parse(page(store))
    store.close()
    server, stop = PageServer(("127.0.0.1", 0), location), Event()
    serving = Thread(target=server.serve_until, args=(stop.is_set,))
    serving.start()
    target = f"127.0.0.1:{server.server_address[1]}"
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\nscrape_configs:\n"
        f"  - {{job_name: sparrow, static_configs: [{{targets: ['{target}']}}]}}\n"
    )
    port = free_port()
    process = subprocess.Popen(
        ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'tsdb'}",
         f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    fleet = Fleet(f"127.0.0.1:{port}")
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                remote = fleet.remote(time.time())
                if remote.up and remote.sample.requests_total:
                    break
            except FleetError:
                pass
            assert time.monotonic() < deadline, "the server never had our counters"
            time.sleep(0.2)
        remote = fleet.remote(time.time())  # the first was asked while the server was scraping
        url = f"http://127.0.0.1:{port}/api/v1/targets"
        targets = json.load(urllib.request.urlopen(url))["data"]["activeTargets"]
        assert [t["lastError"] for t in targets] == [""]
    finally:
        fleet.close()
        process.terminate()
        process.wait(20)
        stop.set()
        serving.join()
        server.server_close()
    assert not remote.problem
    sample = remote.sample
    assert sample.requests_total == expected.requests_total
    assert sample.tokens_input == expected.tokens_input
    assert sample.tool_calls_errors == expected.tool_calls_errors
    assert remote.cost_micro // 10_000 == expected.cost_usd_cents
