"""The longer invented sessions: the ones worth reading."""

from __future__ import annotations

from collections.abc import Iterator

from sparrow_tui.agents.base import Batch
from sparrow_tui.demo.script import MINUTE, Script, picture
from sparrow_tui.model import Text

HOUR = 60 * MINUTE


def batches(now: int) -> Iterator[Batch]:
    """The stories, newest first."""
    yield _retry(now)
    yield _child(now)
    yield _flaky(now)
    yield _migration(now)
    yield _chart(now)
    yield _inventory(now)


def _retry(now: int) -> Batch:
    script = Script(
        "claude:7d1c2f0a-51f4-4c52-9f0e-demo00000001",
        now - 26 * MINUTE,
        "claude-sonnet-4-5",
        title="Retry with backoff for the payment client",
        project="/home/ada/code/harbor",
        branch="feature/retry",
    )
    script.user(
        "Payments fail when the gateway answers 503. Add a retry with exponential backoff and "
        "jitter to `client.py`, at most 5 tries. Keep idempotency keys stable.",
        after=0,
    )
    script.tool(
        "Read",
        {"file_path": "/home/ada/code/harbor/payments/client.py", "offset": 1, "limit": 60},
        "     1\timport httpx\n     2\t\n     3\tclass PaymentClient:\n"
        "     4\t    def charge(self, order):\n"
        "     5\t        response = self.http.post('/charges', json=order.body())\n"
        "     6\t        response.raise_for_status()\n     7\t        return response.json()\n",
        thinks="The key must be made before the first try, otherwise a retry after a timeout that "
        "did reach the gateway charges twice. Let me read the client first.",
        says="I'll read the client and its tests before changing anything.",
        seconds=0.4,
    )
    script.tool(
        "Grep",
        {"pattern": "idempotency", "path": "/home/ada/code/harbor", "output_mode": "content"},
        "payments/orders.py:41:    idempotency_key: str = field(default_factory=new_key)\n"
        "tests/test_client.py:12:def test_same_idempotency_key_on_retry():",
        seconds=0.2,
    )
    script.tool(
        "Edit",
        {
            "file_path": "/home/ada/code/harbor/payments/client.py",
            "old_string": "    def charge(self, order):\n"
            "        response = self.http.post('/charges', json=order.body())\n"
            "        response.raise_for_status()\n"
            "        return response.json()\n",
            "new_string": "    def charge(self, order, max_retry_count=5):\n"
            "        headers = {'Idempotency-Key': order.idempotency_key}\n"
            "        for attempt in range(max_retry_count):\n"
            "            response = self.post('/charges', order.body(), headers)\n"
            "            if response.status_code != 503:\n"
            "                response.raise_for_status()\n"
            "                return response.json()\n"
            "            self.sleep(backoff(attempt))\n"
            "        raise GatewayUnavailable(order.id)\n",
        },
        "The file has been updated.",
        says="The key already lives on the order, so every try can send the same one.",
        seconds=0.3,
    )
    script.tool(
        "Bash",
        {"command": "pytest -q tests/test_client.py", "description": "Run the client's tests"},
        "\x1b[31mF\x1b[0m\x1b[32m..\x1b[0m\n"
        "=================== FAILURES ===================\n"
        "_____ test_same_idempotency_key_on_retry _____\n"
        "E   NameError: name 'backoff' is not defined\n"
        "\x1b[31m1 failed\x1b[0m, \x1b[32m2 passed\x1b[0m in 0.41s",
        error=True,
        seconds=1.9,
    )
    script.tool(
        "Write",
        {
            "file_path": "/home/ada/code/harbor/payments/backoff.py",
            "content": "import random\n\n\n"
            "def backoff(attempt: int, base: float = 0.25) -> float:\n"
            '    """Seconds to wait: full jitter, doubling up to eight seconds."""\n'
            "    return random.uniform(0, min(8.0, base * 2**attempt))\n",
        },
        "File created successfully.",
        thinks="`backoff` is missing: full jitter is the better default (AWS Architecture Blog).",
        seconds=0.2,
    )
    script.tool(
        "Bash",
        {"command": "pytest -q"},
        "\x1b[32m.......................\x1b[0m\n\x1b[32m23 passed\x1b[0m in 1.87s",
        seconds=3.1,
    )
    script.says(
        "Done. A charge is now tried up to **five times** on `503`:\n\n"
        "| try | waits at most |\n|---|---|\n| 1 | 0.25 s |\n| 2 | 0.5 s |\n| 3 | 1 s |\n"
        "| 4 | 2 s |\n\n"
        "- the idempotency key is the order's own, the same for every try\n"
        "- other errors are raised at once\n"
        "- after the last try it raises `GatewayUnavailable`\n\n"
        "```python\ndef backoff(attempt: int, base: float = 0.25) -> float:\n"
        "    return random.uniform(0, min(8.0, base * 2**attempt))\n```\n\n"
        "> Timeouts are not retried yet: say so if you want that, see the "
        "[gateway's notes](https://example.test/retries).",
        seconds=14,
    )
    script.user("Yes, retry timeouts too, but only for idempotent calls.", after=8 * 60)
    script.says(
        thinks="Timeout after send: unknown outcome. With the key it is safe to send again.",
        text="Timeouts are safe to retry *because* the key is stable. I'll ask a reviewer agent "
        "to check the refund path as well.",
    )
    script.tool(
        "Task",
        {
            "description": "Review refund path",
            "subagent_type": "reviewer",
            "prompt": "Check that refunds cannot be sent twice.",
        },
        "Refunds carry no idempotency key: a retry could refund twice.",
        seconds=48,
        child="claude:7d1c2f0a-51f4-4c52-9f0e-demo00000001/agent-5e1f",
    )
    script.says(
        "The reviewer found a real problem: **refunds have no key**. I kept retries off for "
        "refunds and left a test that fails until they get one."
    )
    return script.batch("waiting")


def _child(now: int) -> Batch:
    script = Script(
        "claude:7d1c2f0a-51f4-4c52-9f0e-demo00000001/agent-5e1f",
        now - 8 * MINUTE,
        "claude-haiku-4-5",
        title="Review refund path",
        project="/home/ada/code/harbor",
        branch="feature/retry",
        parent="claude:7d1c2f0a-51f4-4c52-9f0e-demo00000001",
    )
    script.user("Check that refunds cannot be sent twice.", after=0)
    script.tool(
        "Grep",
        {"pattern": "def refund", "path": "/home/ada/code/harbor"},
        "payments/refunds.py:18:def refund(charge_id, amount):",
        seconds=0.2,
    )
    script.says("Refunds carry no idempotency key: a retry could refund twice.")
    return script.batch()


def _flaky(now: int) -> Batch:
    script = Script(
        "codex:0199a2b4-demo-7000-8000-000000000002",
        now - 3 * HOUR,
        "gpt-5-codex",
        title="Flaky integration test on CI",
        project="/home/ada/code/lighthouse",
        branch="main",
    )
    script.user("test_reconnect is flaky on CI. Find out why and fix the cause.", after=0)
    script.tool(
        "exec_command",
        {"cmd": "rg -n test_reconnect", "workdir": "/home/ada/code/lighthouse"},
        "tests/test_socket.py:88:async def test_reconnect(server):",
        thinks="**Looking for the test**\n\nIt may depend on a port that is reused.",
        seconds=0.3,
    )
    script.tool(
        "exec_command",
        {"cmd": "for i in $(seq 20); do pytest -q -k reconnect || break; done"},
        "1 passed\n1 passed\n1 passed\n1 failed\nE  OSError: [Errno 98] Address already in use",
        error=True,
        seconds=31,
    )
    script.tool(
        "apply_patch",
        "*** Begin Patch\n*** Update File: tests/test_socket.py\n@@\n"
        " async def test_reconnect(server):\n"
        "-    port = 8765\n"
        "+    port = server.free_port()\n"
        "     await server.start(port)\n*** End Patch",
        "Success. Updated the following files:\nM tests/test_socket.py",
        seconds=0.2,
    )
    script.notice("compaction", "Context compacted: 168,000 → 21,000 tokens")
    script.tool(
        "exec_command",
        {"cmd": "for i in $(seq 50); do pytest -q -k reconnect || break; done"},
        "1 passed\n" * 50,
        seconds=74,
    )
    script.says(
        "The port was **fixed at 8765**; on CI another worker sometimes had it. The test now asks "
        "the server fixture for a free port. 50 runs in a row pass."
    )
    return script.batch()


def _migration(now: int) -> Batch:
    script = Script(
        "gemini:demo-3c0ffee0",
        now - 27 * HOUR,
        "gemini-2.5-pro",
        title="Database migration without downtime",
        project="/home/ada/code/ledger",
    )
    script.user("Plan a migration that splits `name` into two columns, without downtime.", after=0)
    script.says(
        "# Expand, migrate, contract\n\n"
        "1. **Expand**: add `given_name`, `family_name`, nullable.\n"
        "2. **Write both**: the app fills old and new columns.\n"
        "3. **Backfill** in batches of 1,000:\n\n"
        "```sql\nUPDATE person\n   SET given_name = split_part(name, ' ', 1),\n"
        "       family_name = split_part(name, ' ', 2)\n"
        " WHERE id BETWEEN :low AND :high AND given_name IS NULL;\n```\n\n"
        "4. **Read new**, watch for a week.\n5. **Contract**: drop `name`.\n\n"
        "Each step can be rolled back by itself.",
        seconds=22,
    )
    script.user("お客様の名前は日本語もあります。分割できますか?")
    script.says(
        "日本語の名前は空白で分割できないことが多いです。`display_name` を残し、"
        "姓と名は利用者に確認してもらう方が安全です。",
        seconds=12,
    )
    script.notice("error", "429 Too Many Requests: retrying in 10 s")
    script.says("In short: keep `display_name`, never guess where a name splits.")
    return script.batch()


def _chart(now: int) -> Batch:
    script = Script(
        "opencode:ses_demo_chart",
        now - 52 * HOUR,
        "claude-opus-4-1",
        title="Dashboard chart is upside down",
        project="/home/ada/code/harbor-web",
        branch="fix/chart-axis",
    )
    script.user("The bars hang from the top, see the screenshot.", picture(), after=0)
    script.tool(
        "read",
        {"filePath": "/home/ada/code/harbor-web/src/charts/BarChart.tsx"},
        "const y = (value: number) => scale(value)\n",
        thinks="SVG's y axis points down; the scale's range is probably not reversed.",
    )
    script.tool(
        "edit",
        {
            "filePath": "/home/ada/code/harbor-web/src/charts/BarChart.tsx",
            "oldString": "const y = (value: number) => scale(value)",
            "newString": "const y = (value: number) => height - scale(value)",
        },
        "Edit applied successfully.",
    )
    script.tool("webfetch", {"url": "http://localhost:5173/"}, [Text("Rendered:"), picture()])
    script.says("The axis is flipped back: SVG counts `y` downwards, so bars grow from `height`.")
    script.raw("telemetry.heartbeat", {"uptime_ms": 184_233, "build": {"channel": "stable"}})
    return script.batch()


def _inventory(now: int) -> Batch:
    script = Script(
        "sparrow:cli:/home/ada/code/inventory",
        now - 4 * 24 * HOUR,
        "deepseek-chat",
        title="phoenix-context: load src/auth/jwt.rs lazily",
        project="/home/ada/code/inventory",
    )
    script.user("Why does phoenix-context load src/auth/jwt.rs at start, even for --help?", after=0)
    script.says(
        "Because `getUserById` is registered in `main.rs` 0.5.1 before arguments are parsed. "
        "Move the registration behind `lazy_static`:\n\n"
        "```rust\nstatic VERIFIER: Lazy<JwtVerifier> =\n"
        "    Lazy::new(|| JwtVerifier::from_env());\n```\n",
        thinks="The module graph shows an eager import in main.rs.",
    )
    script.user("Don't break the C++ bindings, please.")
    script.says("They only use the C ABI in `ffi.h`; nothing changes there.")
    return script.batch()
