"""``sparrow-tui metrics``: printed, as JSON, in a file, served."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from sparrow_tui.cli import main
from sparrow_tui.cli.app import fill_demo
from sparrow_tui.metrics import parse
from sparrow_tui.metrics.serve import AddressError, address_of


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> str:
    location = str(tmp_path_factory.mktemp("metrics") / "demo.db")
    fill_demo(location)
    return location


def run(location: str, *arguments: str) -> int:
    return main(["metrics", "--store", location, "--no-sync", *arguments])


def test_printed(filled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(filled) == 0
    assert parse(capsys.readouterr().out).requests_total > 0


def test_json(filled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(filled, "--json") == 0
    body = json.loads(capsys.readouterr().out)
    assert body["schema"] == 1
    by_name = {family["name"]: family for family in body["families"]}
    sample = by_name["sparrow_requests"]["samples"][0]
    assert sample == {
        "name": "sparrow_requests_total", "labels": {"status": "ok"}, "value": sample["value"],
    }  # fmt: skip


def test_textfile(filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sparrow.prom"
    path.write_text("old")
    before = path.stat().st_ino
    assert run(filled, "--textfile", str(path)) == 0
    assert parse(path.read_text()).requests_total > 0
    assert path.stat().st_ino != before  # replaced, not rewritten
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert os.listdir(tmp_path) == ["sparrow.prom"]
    assert run(filled, "--textfile", str(tmp_path)) == 2
    assert run(filled, "--textfile", str(tmp_path / "no" / "x.prom")) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "cannot be written" in said.err


def test_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "--example", "grafana"]) == 0
    assert json.loads(capsys.readouterr().out)["panels"]
    assert main(["metrics", "--example", "prometheus"]) == 0
    assert "scrape_configs" in capsys.readouterr().out
    assert main(["metrics", "--example", "nagios"]) == 2
    assert main(["metrics", "--json", "--serve"]) == 2


@pytest.mark.parametrize(
    ("text", "address"),
    [("9000", ("127.0.0.1", 9000)), (":9000", ("127.0.0.1", 9000)), ("0.0.0.0", ("0.0.0.0", 9469)),
     ("[::1]:9", ("::1", 9)), ("localhost:0", ("localhost", 0))],
)  # fmt: skip
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert address_of(text) == address


@pytest.mark.parametrize("text", ["a:b", "http://x", "x:99999", "x/y", "[::1"])
def test_addresses_that_are_none(
    text: str, capsys: pytest.CaptureFixture[str], filled: str
) -> None:
    with pytest.raises(AddressError):
        address_of(text)
    assert run(filled, "--serve", text) == 2
    assert "HOST:PORT" in capsys.readouterr().err


def fetch(url: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_served_until_told_to_stop(filled: str, number: int) -> None:
    command = [sys.executable, "-m", "sparrow_tui", "metrics", "--serve", "127.0.0.1:0",
               "--store", filled]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            url = said.split()[1]
            code, kind, text = fetch(url)
            assert code == 200
            assert kind.startswith("text/plain; version=0.0.4")
            assert parse(text).requests_total > 0
            assert fetch(url.replace("/metrics", "/etc/passwd"))[0] == 404
            taken = subprocess.run(
                [*command[:-3], url.split("/")[2], "--no-sync", "--store", filled],
                capture_output=True, text=True, timeout=60,
            )  # fmt: skip
            assert taken.returncode == 1
            assert "name another" in taken.stderr
            assert "Traceback" not in taken.stderr
        finally:
            process.send_signal(number)
        assert process.wait(20) == 0
        assert "Traceback" not in process.stderr.read()
