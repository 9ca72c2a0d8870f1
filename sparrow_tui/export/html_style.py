"""The looks of an exported page: one style sheet, dark or light as the reader's system is."""

from __future__ import annotations

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; " \
    "form-action 'none'"  # fmt: skip
"""What a browser lets the page do: show itself."""

_LIGHT = {
    "paper": "#fdfbf7", "card": "#f4f0e8", "ink": "#2a2520", "dim": "#756c60", "line": "#ddd5c7",
    "link": "#2f63a8", "user": "#a8620c", "assistant": "#157a66", "error": "#b5341c",
    "add": "#216b32", "addbg": "#e0f2e2", "del": "#9c2b1b", "delbg": "#fbe5e0",
    "keyword": "#8a3ea0", "string": "#3d7a2a", "number": "#a35a00", "name": "#2f63a8",
    "c0": "#2a2520", "c1": "#b5341c", "c2": "#2e7d32", "c3": "#946200", "c4": "#2f63a8",
    "c5": "#8a3ea0", "c6": "#137a86", "c7": "#8b8275", "c8": "#756c60", "c9": "#cf4a30",
    "c10": "#3c9441", "c11": "#b37a00", "c12": "#3f7fd0", "c13": "#a655bd", "c14": "#1b93a1",
    "c15": "#4a443c",
}  # fmt: skip
_DARK = {
    "paper": "#16120d", "card": "#211b14", "ink": "#e9e1d4", "dim": "#9d9284", "line": "#3a3127",
    "link": "#7fb2f0", "user": "#f2a93c", "assistant": "#4ec9b0", "error": "#f0674a",
    "add": "#8fd694", "addbg": "#1c2f1f", "del": "#f19a88", "delbg": "#3a1e19",
    "keyword": "#c792ea", "string": "#a5d6a7", "number": "#f2a96a", "name": "#7fb2f0",
    "c0": "#5c5347", "c1": "#f0674a", "c2": "#7ccf82", "c3": "#e8b64c", "c4": "#6fa6e6",
    "c5": "#c792ea", "c6": "#4ec9b0", "c7": "#cfc6b8", "c8": "#8b8275", "c9": "#ff8a70",
    "c10": "#9be3a0", "c11": "#ffd37a", "c12": "#93c0f7", "c13": "#dcb3f5", "c14": "#7fe0cd",
    "c15": "#f5efe4",
}  # fmt: skip

_RULES = """
*{box-sizing:border-box}
html{background:var(--paper);color:var(--ink);-webkit-text-size-adjust:100%}
body{font:16px/1.6 system-ui,sans-serif;max-width:52rem;margin:0 auto;padding:2rem 1.25rem 5rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 1rem;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:0 0 2rem;
 font-size:.875rem;color:var(--dim)}
dd{margin:0;overflow-wrap:anywhere;color:var(--ink)}
h2{font-size:.875rem;margin:2.25rem 0 .5rem;padding-top:.75rem;border-top:1px solid var(--line);
 color:var(--assistant);display:flex;gap:.75rem;flex-wrap:wrap}
h2 a,h2 time{color:var(--dim);font-weight:400;text-decoration:none}
h2 time{margin-left:auto}
.user h2{color:var(--user)}.system h2,.summary h2,.meta h2,.tool h2{color:var(--dim)}
.taken{opacity:.6}
section{overflow-wrap:anywhere}
p,ul,ol,pre,blockquote,table,details{margin:.6rem 0}
.said h1,.said h2,.said h3,.said h4,.said h5,.said h6{all:unset;display:block;font-weight:700;
 margin:1.1rem 0 .4rem}
.said h1{font-size:1.25rem}.said h2{font-size:1.12rem}
a{color:var(--link)}
code,pre{font:.8125rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
code{background:var(--card);padding:.1em .3em;border-radius:3px}
pre{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.7rem .9rem;
 overflow-x:auto;tab-size:4;max-height:40rem}
pre.plain{white-space:pre-wrap}
pre code{background:none;padding:0}
blockquote{border-left:3px solid var(--line);margin-left:0;padding-left:1rem;color:var(--dim)}
table{border-collapse:collapse;display:block;overflow-x:auto}
th,td{border:1px solid var(--line);padding:.25rem .6rem;text-align:left}
hr{border:0;border-top:1px solid var(--line)}
img{max-width:100%;border:1px solid var(--line);border-radius:6px}
details{border-left:3px solid var(--line);padding-left:.75rem}
details.failed{border-color:var(--error)}
summary{cursor:pointer;font-size:.875rem;color:var(--dim)}
summary b{color:var(--ink)}
summary .about{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.thought,.notice{color:var(--dim);font-size:.9375rem}
.notice{border-left:3px solid var(--user);padding-left:.75rem}
.notice.error{border-color:var(--error)}
.comment,.dim{color:var(--dim)}.keyword{color:var(--keyword)}.string{color:var(--string)}
.number{color:var(--number)}.name{color:var(--name)}.hunk,.heading{color:var(--link)}
.add{color:var(--add);background:var(--addbg)}.delete{color:var(--del);background:var(--delbg)}
.add-word{color:var(--add);background:var(--addbg);font-weight:700;text-decoration:underline}
.delete-word{color:var(--del);background:var(--delbg);font-weight:700;text-decoration:underline}
.s1{font-weight:700}.s2{opacity:.7}.s3{font-style:italic}.s4{text-decoration:underline}
.s9{text-decoration:line-through}
"""
_PRINTED = """
html{font-size:80%}
body{max-width:none;padding:0}
pre{max-height:none;white-space:pre-wrap}
h1,h2,summary,.said h3,.said h4{break-after:avoid}
p,li{orphans:2;widows:2}
img,tr{break-inside:avoid}
details::details-content{content-visibility:visible;block-size:auto}
"""
"""On paper everything is open, and as light as paper is."""


def sheet() -> str:
    """The style sheet."""
    terminal = "".join(
        f".f{number}{{color:var(--c{number})}}.b{number}{{background:var(--c{number})}}"
        for number in range(16)
    )
    return (
        f":root{{color-scheme:light dark;{_variables(_LIGHT)}}}"
        f"@media(prefers-color-scheme:dark){{:root{{{_variables(_DARK)}}}}}"
        f"{_RULES}{terminal}\n"
        f"@media print{{:root{{color-scheme:light;{_variables(_LIGHT)}--paper:#fff}}{_PRINTED}}}\n"
    )


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())
