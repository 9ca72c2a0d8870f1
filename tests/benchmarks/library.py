"""Made-up libraries of sessions for measuring: any size, the same for the same seed.

What is drawn: words by a Zipf-Mandelbrot law over 200,000 forms, identifiers (snake_case,
camelCase, dotted), paths, versions, commit ids, accents, and one session in twenty in Chinese or
Japanese. Session lengths are lognormal (mean 50 turns); tool output is half of the turns and
about three quarters of the text, as in real archives; sessions overlap in time over three years.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate, count
from pathlib import Path

import platformdirs

from sparrow_tui.model import SessionInfo, Text, ToolResult, ToolUse, Turn, Usage
from sparrow_tui.store import open_store
from sparrow_tui.store.prepared import Prepared, rows
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.sync.indexing import Indexing
from sparrow_tui.sync.progress import Meter

FORMS = 200_000
YEARS_MS = 3 * 365 * 86_400_000
NOW_MS = 1_790_000_000_000
BATCH = 6_000
"""Turns of a transaction, as in an import."""

_HEAD_TEXT = (
    "act al an arch as at back bar base bench bit block bound branch bro buf bun cache call can"
    " cap cast cell chain chan char check clo clu code col com con copy cor count cra cur cy da"
    " de dep diff dis dock do drift dump ed em en er ev ex fa fe fil fix flag flo fold for frag"
    " ga gen glob gra gro guard hand hash he hook hy im in int ite jo key la lay lea lib lin lo"
    " ma mark mer met mig mir mo mul na net no nu ob off op or out pack par pat per pha pi pla"
    " po pre pri pro pu qu ra re ro ru sa sca sche sco se sha shi si ska sla so spa sta ste sto"
    " stra su sy ta te ti to tra tri tu un up va ve vi vo wa wi wo wra zo"
)
_HEADS = _HEAD_TEXT.split()
_TAIL_TEXT = (
    "able age al ance ate ated ation er ers ful ic ing ion ist ity ive ize less ling ly ment"
    " ness or ous s tion ure y"
)
_TAILS = _TAIL_TEXT.split()
_ACCENTED_TEXT = "naïve café résumé über façade größe señal año été Zürich Straße coöperate"
_ACCENTED = _ACCENTED_TEXT.split()
_CJK = (
    "的一是不在有我他这中大来上国个到说们为子和你地出道也时年得就那要下以会自着去过家学对可里后小"
    "测试错误函数变量缓存索引查询数据库线程进程请求响应服务器客户端配置検索設定更新削除追加実行"
)
_TOOLS = ("Bash", "Read", "Edit", "Grep", "Write", "Task")
_AGENTS = ("claude", "codex", "gemini", "opencode", "aider")
_AGENT_SHARES = (60, 20, 10, 7, 3)
_EXTENSIONS = ("py", "rs", "ts", "go", "md", "sql")


class Writing:
    """Draws sessions. One seed, one library."""

    def __init__(self, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        words = random.Random(7)
        forms: dict[str, None] = {}
        while len(forms) < FORMS:
            syllables = words.choices(_HEADS, k=words.choice((1, 1, 2, 2, 2, 3)))
            forms["".join(syllables) + words.choice(_TAILS)] = None
        self.forms = list(forms)
        words.shuffle(self.forms)
        self.forms.sort(key=lambda form: len(form) + words.random() * 8)  # short ones are common
        self._weights = list(accumulate(1 / (rank + 2.7) ** 1.05 for rank in range(FORMS)))
        self._words = self._drawn()
        self.word = self._words.__next__
        self._said: list[str] = []
        self._at = 0
        self._projects = [
            f"/home/dev/{self.forms[900 + n]}-{self.forms[700 + n]}" for n in range(60)
        ]

    def _drawn(self) -> Iterator[str]:
        while True:
            yield from self.chance.choices(self.forms, cum_weights=self._weights, k=100_000)

    def special(self) -> str:
        """Something that is not a plain word."""
        chance, word = self.chance, self.word
        kind = chance.random()
        if kind < 0.25:
            return f"{word()}_{word()}" + (f"_{word()}" if chance.random() < 0.4 else "")
        if kind < 0.45:
            return word() + "".join(word().capitalize() for _ in range(chance.choice((1, 2, 2))))
        if kind < 0.65:
            return f"src/{word()}/{word()}_{word()}.{chance.choice(_EXTENSIONS)}"
        if kind < 0.75:
            return f"{chance.getrandbits(28):07x}"
        if kind < 0.83:
            return f"{chance.randrange(9)}.{chance.randrange(30)}.{chance.randrange(20)}"
        if kind < 0.9:
            return str(chance.randrange(100_000))
        if kind < 0.95:
            return f"{word()}-{word()}"
        return chance.choice(_ACCENTED)

    def sentence(self, length: int, cjk: bool = False) -> str:
        """``length`` words; Chinese or Japanese if asked for."""
        chance = self.chance
        if cjk:
            return "，".join(
                "".join(chance.choices(_CJK, k=chance.randint(4, 14)))
                for _ in range(max(1, length // 8))
            )
        if self._at + length > len(self._said):
            self._said = self.chance.choices(self.forms, cum_weights=self._weights, k=200_000)
            for at in self.chance.sample(range(200_000), 12_000):
                self._said[at] = self.special()
            self._at = 0
        self._at += length
        return " ".join(self._said[self._at - length : self._at])

    def session(self, number: int, end_ms: int) -> tuple[SessionInfo, list[Turn]]:
        """One session that ends about then."""
        chance = self.chance
        length = min(5_000, max(2, int(chance.lognormvariate(3.2, 1.15))))
        agent = chance.choices(_AGENTS, _AGENT_SHARES)[0]
        cjk = chance.random() < 0.05
        at = end_ms - length * 20_000
        turns: list[Turn] = []
        while len(turns) < length:
            turns.append(
                Turn(role="user", blocks=[Text(self.sentence(chance.randint(4, 40), cjk))], time=at)
            )
            for step in range(min(chance.randint(1, 9), length - len(turns))):
                at += chance.randrange(1_000, 40_000)
                call = f"{number}-{len(turns)}"
                if step % 2 == 0:
                    blocks: list[Text | ToolUse] = [Text(self.sentence(chance.randint(6, 40), cjk))]
                    if step:
                        tool = chance.choice(_TOOLS)
                        path = f"src/{self.word()}/{self.word()}.{chance.choice(_EXTENSIONS)}"
                        blocks.append(ToolUse(call, tool, {"file_path": path}))
                    usage = Usage(chance.randrange(9_000), chance.randrange(900), 4_000, 300)
                    turns.append(
                        Turn(role="assistant", blocks=[*blocks], time=at, model="m-1", usage=usage)
                    )
                else:
                    output = self.sentence(min(2_000, int(chance.lognormvariate(4.0, 1.0))))
                    result = ToolResult(call, [Text(output)], is_error=chance.random() < 0.04)
                    turns.append(Turn(role="tool", blocks=[result], time=at))
            at += chance.randrange(5_000, 300_000)
        first = turns[0].blocks[0]
        assert isinstance(first, Text)
        info = SessionInfo(
            id=f"{agent}:bench-{number}",
            title=first.text[:70] if chance.random() < 0.6 else None,
            project=self._projects[min(59, int(chance.expovariate(0.08)))],
            branch="main",
            model="m-1",
        )
        return info, turns

    def sessions(self, turns: int) -> Iterator[tuple[SessionInfo, list[Turn]]]:
        """Sessions of about so many turns together, newest first as an import reads them."""
        left = turns
        for number in count():
            if left <= 0:
                return
            age = (1 - left / turns) * YEARS_MS + self.chance.randrange(5 * 86_400_000)
            info, said = self.session(number, NOW_MS - int(age))
            yield info, said[:left]
            left -= len(said)


def library(turns: int, folder: Path | None = None, seed: int = 1) -> Path:
    """The store of so many turns, made on first use through the store's own writer."""
    folder = folder or Path(platformdirs.user_cache_dir("sparrow-tui-benchmarks"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"search-{turns}-{seed}.db"
    if path.exists():
        return path
    unfinished = path.with_suffix(".part")
    for old in folder.glob(f"{unfinished.name}*"):
        old.unlink()
    store = open_store(str(unfinished))
    fill(store, Writing(seed).sessions(turns))
    store.close()
    unfinished.rename(path)
    return path


def fill(store: SqliteStore, sessions: Iterator[tuple[SessionInfo, list[Turn]]]) -> None:
    """Write sessions as an import does: talk first, tool output when all is there."""
    waiting: list[Prepared] = []
    held = 0
    for info, turns in sessions:
        waiting.append(Prepared(session=info, rows=rows(turns, put_off_output=True)))
        held += len(turns)
        if held >= BATCH:
            store.write(waiting)
            waiting, held = [], 0
    store.write(waiting)
    indexing = Indexing(store)
    indexing.run(Meter(lambda _: None), lambda: False)
    indexing.close()
