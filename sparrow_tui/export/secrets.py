"""Where the secrets in a text are, by the detectors and filters of the detect-secrets library.

Its scanner works on lines of files; here its detectors' patterns are run over whole texts,
which finds the same, gives places and is quick enough for large sessions. Tokens younger than
the library's last release have patterns of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.filters import heuristic
from detect_secrets.plugins import keyword
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.high_entropy_strings import HighEntropyStringsPlugin

Place: TypeAlias = tuple[int, int, str]
"""Start and end of a secret, and what kind it is."""

_LEFT_OUT = {"Public IP (ipv4)", "Private Key"}
"""An address is no secret; a private key is more than the line the library looks for."""
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END [A-Z0-9 ]{0,40}-----|\Z)"
    r"|PuTTY-User-Key-File-\d.*?(?:Private-MAC: \S+|\Z)",
    re.DOTALL,
)
_YOUNGER = (
    ("Anthropic Token", re.compile(r"sk-ant-[\w-]{20,}")),
    ("OpenAI Token", re.compile(r"sk-(?:proj|svcacct|admin)-[\w-]{20,}")),
    ("OpenRouter Token", re.compile(r"sk-or-v1-[0-9a-f]{32,}")),
    ("Groq Token", re.compile(r"gsk_\w{32,}")),
    ("xAI Token", re.compile(r"xai-[\w-]{32,}")),
    ("Hugging Face Token", re.compile(r"hf_[A-Za-z0-9]{30,}")),
    ("Google API Key", re.compile(r"AIza[\w-]{35}")),
    ("GitHub Token", re.compile(r"github_pat_\w{22,}")),
    ("Authorization Header", re.compile(r"(?:[Bb]earer|[Bb]asic) ([\w.~+/=-]{16,})")),
)  # fmt: skip
_WORDS = "|".join(keyword.DENYLIST) + "|(?:access|auth|api)_?token"
_KEYWORD = re.compile(_WORDS)
_CUES = ("key", "pw", "pass", "secret", "token", "contrase")
"""No text in lower case without one of these has anything assigned to a tell-tale word."""
_NEEDS = {
    "AWS Access Key": ("aws", "akia", "asia", "abia", "acca", "a3t"),
    "Basic Auth Credentials": ("://",),
    "JSON Web Token": ("eyj",),
    "Slack Token": ("xox", "hooks.slack.com"),
    "Stripe Access Key": ("k_live_",),
}
"""What a text with a secret of these kinds has in lower case: one of these."""
_LONG_WORD = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{23,}")
_ASSIGNING = {"Cloudant Credentials", "IBM Cloud IAM Key", "IBM COS HMAC Credentials",
              "SoftLayer Credentials"}  # fmt: skip
_BESIDE_LONG = {"Discord Bot Token", "Mailchimp Access Key", "Telegram Bot Token", *_ASSIGNING}
"""Kinds of secrets that are, or have in them, a long word. Their detectors take ten times as long
as looking for those."""
_CUE = re.compile("key|pw|pass|token|cloudant|softlayer", re.IGNORECASE)
_ARTIFACTORY = re.compile(r"A(?:KC|P[\dA-F])[A-Za-z0-9]{8,}")
# What is assigned without quotes, as files of settings and shells have it: the whole line.
_ASSIGNED = re.compile(
    r"^[ \t]{0,80}(?:export +|set +|- +)?[\w.-]{0,80}?(?:"
    + _WORDS
    + r")[\w.-]{0,80}[ \t]*[=:][ \t]*(\S+)[ \t\r]*$",
    re.IGNORECASE | re.MULTILINE,
)
_NEAR = 120
"""Characters beside what tells of a secret within which all of it is."""
_AROUND = 300
"""Characters beside a tell-tale word in which its secret is looked for."""
_REST = re.compile(r"[\w+/=.-]*")
_FILTERS = (
    heuristic.is_sequential_string,
    heuristic.is_potential_uuid,
    heuristic.is_templated_secret,
    heuristic.is_prefixed_with_dollar_sign,
    heuristic.is_not_alphanumeric_string,
)


class Detector:
    """All detectors, ready to be run over texts."""

    def __init__(self) -> None:
        self._patterns: list[tuple[str, re.Pattern[str], Any]] = []
        self._entropy: list[HighEntropyStringsPlugin] = []
        plugins: dict[str, Any] = get_mapping_from_secret_type_to_class()
        for kind, plugin in plugins.items():
            if kind in _LEFT_OUT:
                continue
            if issubclass(plugin, RegexBasedDetector):
                made = plugin()
                self._patterns += [(kind, pattern, made) for pattern in made.denylist]
            elif issubclass(plugin, HighEntropyStringsPlugin):
                self._entropy.append(plugin())

    def find(self, text: str, key: str = "") -> Iterator[Place]:
        """Secrets in a text, in no order; they may overlap.

        Args:
            text: searched.
            key: the name it was given in a JSON object, if any.
        """
        if key and _KEYWORD.search(key.lower()) and _is_value(text, words=True):
            yield 0, len(text), "Secret Keyword"
        if "PRIVATE KEY" in text or "PuTTY-User-Key-File" in text:
            for match in _PRIVATE_KEY.finditer(text):
                yield match.start(), match.end(), "Private Key"
        for kind, pattern in _YOUNGER:
            for match in pattern.finditer(text):
                yield (*match.span(match.lastindex or 0), kind)
        lower = text.lower()
        out = {kind for kind, cues in _NEEDS.items() if not _has(lower, cues)}
        beside = list(_beside(_LONG_WORD, text))
        cued = [(start, end) for start, end in beside if _CUE.search(text, start, end)]
        for kind, pattern, plugin in self._patterns:
            if kind in out:
                continue
            places: Iterable[tuple[int, int]] = ((0, len(text)),)
            if kind in _BESIDE_LONG:
                places = cued if kind in _ASSIGNING else beside
            elif kind == "Artifactory Credentials":
                places = _beside(_ARTIFACTORY, text)
            for start, end in places:
                for match in pattern.finditer(text, start, end):
                    yield from _token(match, kind, plugin)
        yield from self._random(text)
        if _has(lower, _CUES):
            yield from _assigned(text, lower if len(lower) == len(text) else text)

    def _random(self, text: str) -> Iterator[Place]:
        """Quoted strings too random to be words."""
        for plugin in self._entropy:
            for match in plugin.regex.finditer(text):
                secret = match[2]
                if plugin.calculate_shannon_entropy(secret) <= plugin.entropy_limit:
                    continue
                line = text[max(text.rfind("\n", 0, match.start()) + 1, match.start() - _AROUND) :
                            match.end()]  # fmt: skip
                if not _harmless(secret, line, plugin):
                    yield (*match.span(2), plugin.secret_type)


def _has(lower: str, cues: Sequence[str]) -> bool:
    for cue in cues:  # noqa: SIM110 - for every text of a session
        if cue in lower:
            return True
    return False


def _beside(sign: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Where a sign is in a text, with what is around it: starts and ends that do not overlap."""
    start = end = -1
    for match in sign.finditer(text):
        if match.start() - _NEAR > end:
            if end > 0:
                yield start, end
            start = max(match.start() - _NEAR, 0)
        end = min(match.end() + _NEAR, len(text))
    if end > 0:
        yield start, end


def _token(match: re.Match[str], kind: str, plugin: Any) -> Iterator[Place]:
    """The secret in a detector's match: its group, or all of it to the token's end."""
    group = next((n for n in range(1, (match.re.groups or 0) + 1) if len(match[n] or "") >= 8), 0)
    if match.re.groups and not group and kind == "Basic Auth Credentials":
        group = 1
    start, end = match.span(group)
    if kind == "JSON Web Token" and not plugin.is_formally_valid(match[0]):
        return
    if group == 0:
        rest = _REST.match(match.string, end)
        end = rest.end() if rest is not None else end
    if not heuristic.is_templated_secret(match.string[start:end]):
        yield start, end, kind


def _assigned(text: str, lower: str) -> Iterator[Place]:
    """What is assigned to something called a password, key or secret."""
    done = assigned = -1
    for word in _KEYWORD.finditer(lower):
        begins = max(text.rfind("\n", max(word.start() - _AROUND, 0), word.start()) + 1, 0)
        if (begins or word.start() <= _AROUND) and begins > assigned:
            assigned = begins
            yield from _whole_line(text, begins)
        if word.start() < done:
            continue
        start = max(begins, word.start() - _AROUND)
        stop = text.find("\n", word.end(), word.end() + _AROUND)
        stop = min(len(text), word.end() + _AROUND) if stop < 0 else stop
        done = stop
        line = text[start:stop]
        for pattern, group in keyword.QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP.items():
            for match in pattern.finditer(line):
                if not _harmless(match[group], line) and _is_value(match[group], words=True):
                    begin, end = match.span(group)
                    yield start + begin, start + end, "Secret Keyword"


def _whole_line(text: str, start: int) -> Iterator[Place]:
    """What a line that begins there assigns, without quotes, to something with such a name."""
    stop = text.find("\n", start)
    match = _ASSIGNED.match(text, start, len(text) if stop < 0 else stop)
    if match is None:
        return
    secret = match[1].strip("\"'`,;")
    if _is_value(secret) and not _harmless(secret, match[0]):
        begin = match.start(1) + match[1].index(secret)
        yield begin, begin + len(secret), "Secret Keyword"


def _is_value(secret: str, *, words: bool = False) -> bool:
    """Whether a string can be a secret at all, and is no placeholder or expression.

    Args:
        secret: looked at.
        words: whether it may be several words on a line.
    """
    spaces = sum(c.isspace() for c in secret)
    return (
        4 <= len(secret) <= 4_000
        and (not spaces or (words and len(secret) <= 80 and "\n" not in secret))
        and not secret.startswith(("[redacted", "<", "{", "$", "%", "os.", "process.env", "env."))
        and secret.strip("*.x•X-_") != ""
        and secret.lower() not in _NOTHING
    )


_NOTHING = {"true", "false", "null", "none", "undefined", "string", "required", "optional",
            "changeme", "password", "secret", "example"}  # fmt: skip


def _harmless(secret: str, line: str, plugin: Any = None) -> bool:
    """Whether the library's filters take a string for something else."""
    return (
        any(filtered(secret) for filtered in _FILTERS)
        or heuristic.is_likely_id_string(secret, line, plugin)
        or (plugin is None and heuristic.is_indirect_reference(line))
    )
