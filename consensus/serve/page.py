"""The page of what a service can be asked: made from its OpenAPI document, and without anything from the network."""

from __future__ import annotations

from html import escape
from typing import Any

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "code{font-family:ui-monospace,monospace}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #8888}"
    "h2{margin-top:2rem}"
)


def of(document: dict[str, Any]) -> str:
    """The page of an OpenAPI ``document``, as HTML."""
    info = document["info"]
    title = f"{info['title']} {info['version']}"
    models = document["components"]["schemas"]
    parts = [f"<h1>{escape(title)}</h1><p>{escape(info['description'])} ", 'As OpenAPI: <a href="openapi.json">']
    parts.append("<code>openapi.json</code></a>.</p>")
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            parts += [f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(told['description'])}</p>"]
            asked = [_row(one["name"], one["schema"], one.get("required"), one) for one in told.get("parameters", ())]
            if "requestBody" in told:
                asked += _fields(models["Judgment"])
            parts += [_table(("it takes", "kind", "what it means"), asked)] if asked else []
            answers = ", ".join(sorted(told["responses"]))
            parts.append(f"<p>Answers: {answers}.</p>")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><main>{''.join(parts)}</main></html>"
    )


def _fields(model: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [_row(name, one, name in model["required"], one) for name, one in model["properties"].items()]


def _row(name: str, schema: dict[str, Any], required: bool | None, told: dict[str, Any]) -> tuple[str, str, str]:
    ones = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    kind = ones[0].get("format") or ones[0].get("type", "")
    return name, f"{kind}{', required' if required else ''}", told.get("description", "")


def _table(header: tuple[str, str, str], rows: list[tuple[str, str, str]]) -> str:
    lines = [f"<tr>{''.join(f'<th>{escape(cell)}' for cell in header)}"]
    lines += [f"<tr><td><code>{escape(name)}</code><td>{escape(kind)}<td>{escape(told)}" for name, kind, told in rows]
    return f"<table>{''.join(lines)}</table>"
