"""Units of CrowdFlower's JSON report that go out again: their data, test questions, and answers as a table."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import consensus
from consensus.requeue import export, requeue
from tests.naive_platforms import EXAMPLES
from tests.requeue import answers


def units(folder: Path, data: list[dict[str, Any]], votes: list[str]) -> Path:
    """A report with a judgment a letter: r is red, b is blue."""
    lines = []
    for n, (row, said) in enumerate(zip(data, votes, strict=True)):
        judged = [
            {"id": 100 * n + w, "unit_id": n, "worker_id": w, "trust": 1, "data": {"colour": [vote]}, "tainted": False}
            for w, vote in enumerate({"r": "red", "b": "blue"}[one] for one in said)
        ]
        lines.append(json.dumps({"id": n, "data": row, "results": {"judgments": judged}}) + "\n")
    path = folder / "units.json"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def rows_of(content: bytes) -> dict[str, dict[str, str]]:
    rows = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    return {row.get("consensus_item") or row["_unit_id"]: row for row in rows}


def test_data_go_out_as_they_were(tmp_path: Path) -> None:
    data: list[dict[str, Any]] = [
        {"text": 'a, "b"\r\nü', "n": 1.50, "is": True, "none": None, "colour_gold": "red", "colour_gold_reason": "so"},
        {"text": "", "more": {"x": ["y"]}},
    ]
    run = consensus.run(units(tmp_path, data, ["rb", "br"]))
    sent = rows_of(requeue(run).content)
    own = ["consensus_item", "consensus_judgments", "consensus_reason"]
    assert list(sent["0"]) == [*own, "text", "n", "is", "none", "more"]
    assert (sent["0"]["text"], sent["0"]["is"], sent["0"]["none"]) == ('a, "b"\r\nü', "true", "")
    assert (sent["0"]["n"], sent["1"]["text"], sent["1"]["more"]) == ("1.5", "", '{"x": ["y"]}')
    assert rows_of(export(run).content)["0"]["text"] == 'a, "b"\r\nü'


def test_answers_may_come_back_as_a_table(tmp_path: Path) -> None:
    path = EXAMPLES / "crowdflower-json.json"
    before = consensus.run(path)
    sent = requeue(before)
    (tmp_path / "sent.csv").write_bytes(sent.content)
    (tmp_path / "full.csv").write_text(answers.crowdflower(tmp_path / "sent.csv", "red"))
    after = consensus.run([path, tmp_path / "full.csv"], label="colour")
    n = dict(zip(before.labels["item"], before.labels["n_judgments"], strict=True))
    asked = rows_of(sent.content)
    found = dict(zip(after.labels["item"], after.labels["n_judgments"], strict=True))
    assert found == {item: n + (item in asked) for item, n in n.items()}


def test_test_questions_are_proposed(tmp_path: Path) -> None:
    run = consensus.run(units(tmp_path, [{"f": str(n)} for n in range(12)], ["rrrr", "bbbb"] * 5 + ["rb", "br"]))
    made = rows_of(requeue(run, gold=True).content)
    proposed = {item for item, row in made.items() if row["_golden"] == "TRUE"}
    assert proposed == set(run.table("new_gold")["item"]) - {
        item for item, row in made.items() if not row["colour_gold"]
    }
    assert all(made[item]["f"] == item for item in made)
