"""The registry page: what a person sees who opens the service in a browser.

One file: no scripts, styles, fonts or images from elsewhere, and a content security policy that says so. Everything
that comes from a manifest or a record is escaped.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Any

import orjson

from registry.inference.examples import by_name, example_rows
from registry.inference.loaded import Loaded
from registry.inference.predictor import Predictor
from registry.names import version_key
from registry.record import Record

_SHOWN = 100

_STYLE = """
:root {color-scheme: light dark; --accent: light-dark(#1a5fb4, #8ab4f8);
  --line: color-mix(in srgb, currentColor 15%, transparent); --soft: color-mix(in srgb, currentColor 5%, transparent)}
body {font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 0 auto; padding: 2rem 1rem 4rem}
h1 {font-size: 1.8rem; margin: 0; overflow-wrap: anywhere}
h2 {font-size: 1.1rem; margin: 2.5rem 0 .5rem}
p {margin: .4rem 0}
a {color: var(--accent)}
nav a {margin-right: 1rem}
.quiet {opacity: .7; overflow-wrap: anywhere}
.problem {border-left: .3rem solid #c01c28; padding: .5rem .8rem; background: var(--soft); overflow-wrap: anywhere}
.tag {border: 1px solid var(--line); border-radius: 1rem; padding: 0 .6rem; margin-right: .3rem; white-space: nowrap}
.tag.on {border-color: var(--accent); color: var(--accent)}
.scroll {overflow-x: auto}
table {border-collapse: collapse; width: 100%}
th, td {text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line)}
th {font-weight: 500; opacity: .7}
.n {text-align: right; font-variant-numeric: tabular-nums}
td:has(meter) {width: 40%}
meter {display: block; width: 100%; height: .7rem}
code, pre, textarea, select {font: 14px/1.5 ui-monospace, monospace}
pre, textarea {background: var(--soft); color: inherit; padding: .8rem; border: 1px solid var(--line);
  border-radius: .4rem; overflow: auto; width: 100%; box-sizing: border-box; margin: .5rem 0}
textarea {min-height: 11rem; resize: vertical; display: block}
pre {white-space: pre-wrap; overflow-wrap: anywhere}
button, select {font-size: .95rem; padding: .35rem .9rem; border: 1px solid var(--line); border-radius: .4rem;
  background: var(--soft); color: inherit}
button.go {background: var(--accent); border-color: var(--accent); color: Canvas}
.try {display: grid; gap: 0 1.5rem; grid-template-columns: 1fr 1fr}
.fields {display: flex; gap: .5rem; flex-wrap: wrap}
.fields select {flex: 1 1 8rem; min-width: 0}
@media (max-width: 48rem) {.try {grid-template-columns: 1fr}}
""".strip()

_SCRIPT = """
const form = document.querySelector('form'), body = form.querySelector('textarea');
const answer = document.querySelector('#answer'), from = document.querySelector('#from');
form.querySelectorAll('select').forEach((select) => select.addEventListener('change', () => {
  const chosen = JSON.parse(form.example.value);
  if (form.version.value) chosen.model_version = form.version.value;
  body.value = JSON.stringify(chosen, null, 1).replace(/\\n\\s+(?=[-\\d\\]tf])/g, ' ');
}));
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const start = performance.now();
  try {
    const headers = {'Content-Type': 'application/json'};
    const reply = await fetch('predict', {method: 'POST', headers, body: body.value});
    const text = await reply.text();
    const digest = (reply.headers.get('x-model-digest') || '').slice(0, 23);
    from.textContent = reply.status + ' in ' + Math.round(performance.now() - start) + ' ms ' + digest;
    try { answer.textContent = JSON.stringify(JSON.parse(text), null, 2); } catch { answer.textContent = text; }
  } catch (error) { from.textContent = ''; answer.textContent = 'No answer: ' + error.message; }
});
""".strip()


def _allowed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


HEADERS = {
    "content-security-policy": f"default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
    f"form-action 'none'; frame-ancestors 'none'; style-src {_allowed(_STYLE)}; script-src {_allowed(_SCRIPT)}",
    "vary": "accept",
    "x-content-type-options": "nosniff",
}
"""What goes with the page."""


def registry_page(predictor: Predictor, *, docs: str = "") -> bytes:
    """Return the page for what is served now, as UTF-8 HTML.

    Args:
        predictor: What is served.
        docs: Path of a page that shows the OpenAPI document, where the host has one.
    """
    serving = predictor.serving
    loaded, manifest, record = serving.loaded, serving.manifest, serving.loaded.record
    tags = [record.signature.task, record.estimator.rpartition(".")[2], loaded.format]
    links = [(docs, "Try the API"), ("openapi.json", "OpenAPI"), ("model/info", "Model info"), ("metrics", "Metrics")]
    problem = f'<p class="problem">{escape(predictor.problem)}</p>' if predictor.problem else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{escape(record.model)} {escape(record.version)}</title><link rel="icon" href="data:,">
<style>{_STYLE}</style></head><body>
<h1>{escape(record.model)} <code>{escape(record.version)}</code></h1>
<p>{"".join(f'<span class="tag">{escape(tag)}</span>' for tag in tags)}</p>
<p class="quiet">resolved {escape(" → ".join(serving.resolved.steps))} in manifest revision {manifest.revision} ·
<code>sha256:{loaded.sha256}</code></p>{problem}
<nav>{"".join(f'<a href="{escape(path)}">{text}</a>' for path, text in links if path)}</nav>
<h2>Try it</h2>{_form(predictor)}
<h2>Versions</h2>{_versions(predictor)}
<h2>What the start cost</h2>{_phases(loaded)}
<h2>Columns</h2>{_columns(record)}
{_metrics(record)}{_card(record)}
<script>{_SCRIPT}</script></body></html>
""".encode()


def _form(predictor: Predictor) -> str:
    record = predictor.serving.loaded.record
    rows = example_rows(record)
    examples = {
        "one row, by position": {"features": rows[0]},
        "one row, by name": by_name(rows[0], record.signature),
        "many rows": {"instances": rows},
    }
    options = [(orjson.dumps(value).decode(), words) for words, value in examples.items()]
    first = orjson.dumps({"features": rows[0]}).decode()
    return f"""<form class="try"><div><div class="fields">{_select("example", options)}
{_select("version", _version_options(predictor))} <button class="go">Predict</button></div>
<textarea aria-label="request" spellcheck="false">{escape(first)}</textarea></div>
<div><span id="from" class="quiet">POST predict</span>
<pre id="answer" aria-live="polite">The answer stands here.</pre></div></form>"""


def _version_options(predictor: Predictor) -> list[tuple[str, str]]:
    manifest = predictor.serving.manifest
    served = [("", "the served version")]
    aliases = [(alias, f"{alias} ({version})") for alias, version in sorted(manifest.aliases.items())]
    return served + aliases + [(label, label) for label in reversed(manifest.active()[-_SHOWN:])]


def _select(name: str, options: list[tuple[str, str]]) -> str:
    listed = "".join(f'<option value="{escape(value)}">{escape(words)}</option>' for value, words in options)
    return f'<select name="{name}" aria-label="{name}">{listed}</select>'


def _versions(predictor: Predictor) -> str:
    manifest = predictor.serving.manifest
    loaded = {one.record.version for one in predictor.loaded}
    rows = []
    for label in sorted(manifest.versions, key=version_key, reverse=True)[:_SHOWN]:
        version = manifest.versions[label]
        served = '<span class="tag on">served</span>' if label == predictor.serving.resolved.version else ""
        aliases = "".join(f'<span class="tag">{escape(a)}</span>' for a, to in manifest.aliases.items() if to == label)
        state = version.state + (", loaded" if label in loaded else "")
        size = f"{version.artifacts[version.canonical].size:,}"
        rows.append([f"<code>{escape(label)}</code>", served + aliases, state, escape(version.created_at), size])
    more = len(manifest.versions) - len(rows)
    return _table(["version", "", "state", "published", "bytes"], rows, numbers={4}) + (
        f'<p class="quiet">and {more} older ones</p>' if more else ""
    )


def _phases(loaded: Loaded) -> str:
    longest = max(phase.ms for phase in loaded.phases) or 1.0
    rows = [
        [
            phase.name,
            f"{phase.ms:.1f}",
            "" if phase.size is None else f"{phase.size:,}",
            phase.source or "",
            f'<meter value="{phase.ms / longest:.3f}"></meter>',
        ]
        for phase in loaded.phases
    ]
    rows.append(["<b>total</b>", f"<b>{sum(phase.ms for phase in loaded.phases):.1f}</b>", "", "", ""])
    return _table(["phase", "ms", "bytes", "from", ""], rows, numbers={1, 2})


def _columns(record: Record) -> str:
    rows = [
        [
            f"<code>{escape(column.name)}</code>",
            column.dtype,
            escape(column.limits()),
            _number(column.observed_minimum),
            _number(column.observed_maximum),
        ]
        for column in record.signature.columns
    ]
    return _table(["column", "type", "limits", "seen from", "seen to"], rows, numbers={3, 4})


def _metrics(record: Record) -> str:
    if not record.metrics:
        return ""
    rows = [[escape(name), _number(value)] for name, value in record.metrics.items()]
    return f"<h2>Held-out metrics</h2>{_table(['metric', 'value'], rows, numbers={1})}"


def _card(record: Record) -> str:
    return f"<h2>Model card</h2><pre>{escape(record.card)}</pre>" if record.card else ""


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _table(heads: list[str], rows: list[list[Any]], *, numbers: set[int]) -> str:
    def cells(tag: str, values: list[str]) -> str:
        return "".join(
            f"<{tag}{' class=n' if place in numbers else ''}>{value}</{tag}>" for place, value in enumerate(values)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{cells("th", heads)}</tr>{body}</table></div>'
