"""Secrets are replaced wherever they stand, counted, and the rest is left as it was."""

from __future__ import annotations

import json
import random
import re

import msgspec
import pytest
from excerpts import call, excerpt_of

from sparrow_tui.export import formats, redact
from sparrow_tui.export.redact import Redactor
from sparrow_tui.export.secrets import Detector
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, ToolUse, Turn

# Put together here, so that no scanner takes this file for one that holds secrets.
AWS = "AKIA" + "IOSFODNN7" + "EXAMPLE"
GITHUB = "ghp_" + "a1B2" * 9
ANTHROPIC = "sk-ant-" + "api03-" + "aB3_" * 12
OPENAI = "sk-proj-" + "aB3" * 10 + "T3Blbk" + "FJ" + "x9Y" * 10
SLACK = "xoxb-" + "123456789012-" * 2 + "abcdefABCDEF123456789012"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabcd\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "secret", "kind"),
    [
        (f"aws_access_key_id = {AWS}", AWS, "AWS Access Key"),
        (f"git clone https://{GITHUB}@github.com/a/b", GITHUB, "GitHub Token"),
        (f"key: {ANTHROPIC}.", ANTHROPIC, "Anthropic Token"),
        (f"OPENAI {OPENAI} here", OPENAI, "OpenAI Token"),
        (f"slack {SLACK}", SLACK, "Slack Token"),
        (f"Authorization: Bearer {JWT}", JWT, "JSON Web Token"),
        (f"a\n{KEY}\nb", "MIIEow", "Private Key"),
        ("postgres://bob:s3cretpw@db/x", "s3cretpw", "Basic Auth Credentials"),
        ('const password = "correct horse battery";', "correct horse battery", "Secret Keyword"),
        ("export DB_PASSWORD=hunter2xyz\nls", "hunter2xyz", "Secret Keyword"),
        ("client_secret: zx81spectrum", "zx81spectrum", "Secret Keyword"),
        ('x = "3f786850e387550fdab836ed7e6dc881de23001b"', "3f786850e3", "Hex High Entropy String"),
    ],
)
def test_secrets_are_found(text: str, secret: str, kind: str) -> None:
    redactor = Redactor()
    found = redactor.text(text)
    assert secret not in found
    assert "[redacted: " in found
    assert kind in redactor.counts or kind == "JSON Web Token"
    assert redactor.counts.total() == 1


@pytest.mark.parametrize(
    "text",
    [
        "the password is asked for, the secret stays with you",
        "password = getpass.getpass()",
        "token = os.environ['TOKEN']",
        "DB_PASSWORD=${DB_PASSWORD}",
        "api_key: <your key>",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "session 7d1c2f0a-51f4-4c52-9f0e-0123456789ab",
        "see src/components/FooBar/index.tsx at https://example.test/a?b=c#d",
        "10.0.0.1 and 8.8.8.8",
        "",
    ],
)
def test_other_texts_are_left_alone(text: str) -> None:
    assert Redactor().text(text) == text


HEX = "".join(f"{n * 37 % 16:x}" for n in range(64))
MANY = [
    ("Artifactory Credentials", "AKC" + "p8" * 20),
    ("Artifactory Credentials", "AP1" + "b3Xy" * 6),
    ("Cloudant Credentials", f"cloudant_password = '{HEX}'"),
    ("Cloudant Credentials", f"https://bob:{HEX}@bob.cloudant.com"),
    ("Discord Bot Token", "M" + "TA" * 11 + "x" + ".Cl2FMQ." + "ab3" * 9),
    ("IBM Cloud IAM Key", f"ibm_cloud_api_key={HEX[:44]}"),
    ("IBM COS HMAC Credentials", f"cos_hmac_secret_access_key: {HEX[:48]}"),
    ("Mailchimp Access Key", f"{HEX[:32]}-us12"),
    ("SoftLayer Credentials", f"sl_api_key = {HEX}"),
    ("SoftLayer Credentials", f"https://api.softlayer.com/soap/v3/{HEX}"),
    ("Stripe Access Key", "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"),
    ("Telegram Bot Token", "110201543:" + "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"),
    ("AWS Access Key", "aws_key = '" + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" + "'"),
    ("Basic Auth Credentials", "ftp://ann:pw@host"),
    ("JSON Web Token", JWT),
    ("Slack Token", "https://hooks.slack.com/services/" + "T0AB/B0CD/e1f2"),
]
"""Secrets whose detectors only look where a text has some sign of them."""


def detected(text: str) -> set[str]:
    """Kinds that the library's own patterns find anywhere in a text."""
    detector = Detector()
    return {kind for kind, pattern, _ in detector._patterns if pattern.search(text)}


@pytest.mark.parametrize(("kind", "text"), MANY)
@pytest.mark.parametrize(
    "around", ["{}", "x\n{}\ny", 'words "{}" ' * 3 + "z" * 500, "a " * 900 + "{} b"]
)
def test_where_a_detector_does_not_look_there_is_nothing(kind: str, text: str, around: str) -> None:
    whole = around.replace("{}", text)
    assert kind in detected(whole) or kind in ("Artifactory Credentials", "SoftLayer Credentials")
    found = {kind for _, _, kind in Detector().find(whole)}
    assert detected(whole) <= found | {"Public IP (ipv4)"}


def test_secrets_too_many_to_be_remembered_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "MOST_REMEMBERED", 2)
    secrets = [f"tr0ub4dor-and-{n}" for n in range(4)]
    turns = [Turn(role="user", blocks=[Text(f"DB_PASSWORD={secret}")]) for secret in secrets]
    source = excerpt_of([*turns, *turns])
    text = "".join(formats.pieces(source, "md", redact=True))
    assert not any(secret in text for secret in secrets)
    assert source.notes == [
        "8 secrets were redacted: 8 × Secret Keyword; only 2 different ones were looked for "
        "everywhere: others may still stand where nothing gives them away"
    ]


def test_of_long_secrets_fewer_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "MOST_CHARACTERS", 100)
    redactor = Redactor()
    for secret in ("tr0ub4dor" * 9, "c0rrect-h0rse" * 5, "batterystaple7"):
        redactor.learn_text(f"DB_PASSWORD={secret}")
    assert [*redactor._known] == ["tr0ub4dor" * 9, "batterystaple7"]
    redactor.text("DB_PASSWORD=hunter2xyz")
    assert "only 2 different ones" in redactor.summary()


def test_thousands_of_secrets_are_found_as_by_one_alternative_for_each() -> None:
    chance = random.Random(5)
    secrets = ["".join(chance.choices("ab.(|", k=chance.randint(8, 12))) for _ in range(400)]
    secrets += [secret + chance.choice("ab") for secret in secrets[:99]]
    redactor = Redactor()
    for secret in secrets:
        redactor.learn_text(secret, key="password")
        assert secret in redactor._known
    longest_first = sorted(redactor._known, key=len, reverse=True)
    plainly = re.compile("|".join(map(re.escape, longest_first)))
    for _ in range(50):
        text = "".join(chance.choice([*secrets[:40], "a", "b", "|", " "]) for _ in range(60))
        found = [(start, end) for start, end, _ in redactor._known_in(text)]
        assert found == [match.span() for match in plainly.finditer(text)]


def test_no_character_is_compared_with_every_secret() -> None:
    chance = random.Random(6)
    letters = "abcdefghijklmnopqrstuvwxyz"
    pattern = redact._any_of(["".join(chance.choices(letters, k=8)) for _ in range(5_000)])
    depth, most = 0, [0] * 9
    here = [0] * 9
    for sign in pattern:
        if sign == "(":
            depth += 1
            here[depth] = 0
        here[depth] += sign == "|"
        most[depth] = max(most[depth], here[depth])
        depth -= sign == ")"
    assert max(most) < len(letters)


def test_values_are_redacted_by_their_names() -> None:
    redactor = Redactor()
    value = {"api_key": "zzzz1234", "command": "ls", "n": 3, "deep": [{"password": "open sesame"}]}
    assert redactor.value(value) == {
        "api_key": "[redacted: Secret Keyword]", "command": "ls", "n": 3,
        "deep": [{"password": "[redacted: Secret Keyword]"}],
    }  # fmt: skip
    assert redactor.counts == {"Secret Keyword": 2}


@pytest.mark.parametrize("form", list(formats.FORMATS))
def test_a_secret_is_gone_from_every_place_also_before_it_was_given_away(form: str) -> None:
    secret = "tr0ub4dor-and-3"
    turns = [
        Turn(role="user", blocks=[Text(f"is {secret} right?")]),
        Turn(role="assistant", blocks=[Reasoning(f"so {secret}"), Notice("info", secret)]),
        *call(1, "Write", {"file_path": "/p/.env", "content": f"DB_PASSWORD={secret}\n"}, secret),
        *call(2, "Bash", {"command": f"echo {secret}"}, f"{secret}\n"),
        Turn(role="system", blocks=[Raw("odd", {secret: [secret]})]),
    ]
    source = excerpt_of(turns, title=f"why {secret}", project="/p")
    text = "".join(formats.pieces(source, form, redact=True))
    assert secret not in text
    assert "redacted: Secret Keyword" in text
    assert source.notes[-1 if form != "patch" else 0].endswith("× Secret Keyword")
    assert source.notes[-1 if form != "patch" else 0].startswith("9 secrets were redacted")
    whole = "".join(formats.pieces(excerpt_of(turns, project="/p"), form))
    assert secret in whole
    if form == "json":
        json.loads(text)


def test_nothing_found_is_said_too() -> None:
    source = excerpt_of([Turn(role="user", blocks=[Text("hello")])])
    assert "hello" in "".join(formats.pieces(source, "md", redact=True))
    assert source.notes == ["0 secrets were redacted; look it over before you pass it on"]


def test_detectors_look_once_where_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    find = Detector.find

    def counted(self, text, key=""):
        looked.append(text)
        return find(self, text, key)

    monkeypatch.setattr(Detector, "find", counted)
    said = ["only words", f"key: {ANTHROPIC}.", f"{ANTHROPIC} alone", "more words"]
    turns = [Turn(role="user", blocks=[Text(text)]) for text in said]
    text = "".join(formats.pieces(excerpt_of(turns), "md", redact=True))
    assert ANTHROPIC not in text
    assert text.count("[redacted: Anthropic Token]") == 2
    assert [looked.count(text) for text in said] == [1, 2, 2, 1]


def test_a_turn_that_changed_between_is_looked_at_again() -> None:
    redactor = Redactor()
    before = Turn(role="user", blocks=[Text("only words"), Image(url="https://x.org/a.png")])
    learned = redactor.learn(before)
    assert learned
    for changed in (
        [Text(f"key: {AWS}"), before.blocks[1]],
        [before.blocks[0], Image(url=f"https://bob:{'s3cret' + 'pw'}@x.org/a.png")],
        [*before.blocks, ToolUse("a", "t", {"password": "open sesame"})],
    ):
        turn = redactor.turn(Turn(role="user", blocks=changed), learned)
        assert "[redacted: " in str(msgspec.to_builtins(turn))
    assert redactor.turn(before, learned) == before
