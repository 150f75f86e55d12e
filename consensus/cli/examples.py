"""Three examples for each command, which its help shows."""

DIGITS = "data/digits/judgments.csv"
"""Judgments that come with the source: what reads them can be tried."""
SHAPES = "data/shapes"
"""Pictures with masks that come with the source."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "run": (
        f"consensus run {DIGITS}",
        f"consensus run {DIGITS} --gold data/digits/gold.csv --target 0.99 -o out",
        "consensus run export.json --platform label-studio --json --fail-on small_data,copying",
    ),
    "update": (
        "consensus update crowd-state new.csv",
        "consensus update crowd-state new.csv --gold gold.csv --retract taken_back.csv",
        "consensus update crowd-state --full --json",
    ),
    "check": (
        f"consensus check {DIGITS}",
        "consensus check votes.csv --item image --worker annotator --label answer",
        "cat votes.jsonl | consensus check - --json",
    ),
    "plan-budget": (
        f"consensus plan-budget {DIGITS} --votes 2 --target 0.9 --items 100",
        f"consensus plan-budget {DIGITS} --votes 3 --items 100 --price-per-judgment 0.02",
        "consensus plan-budget votes.csv --without spammer --target 0.95 -o plan.csv",
    ),
    "plan-gold": (
        f"consensus plan-gold {DIGITS}",
        "consensus plan-gold votes.csv --items 150 -o to_label.csv",
        "consensus plan-gold votes.csv --gold gold.csv --target 0.99",
    ),
    "aggregate": (
        f"consensus aggregate {DIGITS}",
        f"consensus aggregate {DIGITS} --posteriors -o posteriors.parquet",
        "cat votes.csv | consensus aggregate - --labels no,yes --json",
    ),
    "audit": (
        f"consensus audit {DIGITS}",
        f"consensus audit {DIGITS} --evidence w14",
        "consensus audit votes.csv --gold gold.csv --table gold --fail-on wrong_gold",
    ),
    "agreement": (
        f"consensus agreement {DIGITS}",
        "consensus agreement votes.csv --by worker-pair -o pairs.csv",
        "consensus agreement ratings.csv --ordinal --labels low,medium,high",
    ),
    "escalate": (
        f"consensus escalate {DIGITS}",
        f"consensus escalate {DIGITS} --budget 100 --summary promise.json -o next.jsonl",
        "consensus escalate votes.csv --workers people.csv --skill french --audit-sample 0.05",
    ),
    "requeue": (
        "consensus requeue consensus-out",
        "consensus requeue consensus-out --to toloka --until-settled --top 500 -o tasks.tsv",
        "consensus requeue --state crowd-state --source full_report.csv --gold",
    ),
    "export": (
        "consensus export consensus-out",
        "consensus export consensus-out --to crowdflower -o aggregated.csv",
        "consensus export --state crowd-state --to label-studio -o labels.json",
    ),
    "shares": (
        f"consensus shares {DIGITS} --gold data/digits/gold.csv",
        "consensus shares consensus-out",
        "consensus shares votes.csv --gold gold.csv --json --quiet",
    ),
    "report": (
        "consensus report consensus-out",
        "consensus report consensus-out -o page.html --title Digits",
        "consensus report consensus-out --item-url https://example.org/items/{item}",
    ),
    "explain": (
        "consensus explain consensus-out digit_0156",
        "consensus explain consensus-out digit_0156 --json",
        "consensus explain out/tone item-12 --threads 2",
    ),
    "diff": (
        "consensus diff monday tuesday",
        "consensus diff monday tuesday -o changes.csv",
        "consensus diff monday tuesday --json --quiet",
    ),
    "evaluate": (
        "consensus evaluate consensus-out data/digits/truth.csv",
        "consensus evaluate data/digits/gold.csv data/digits/truth.csv",
        "consensus evaluate labels.csv truth.csv --json",
    ),
    "chunks make": (
        f"consensus chunks make {SHAPES}/pictures/dawn.png",
        "consensus chunks make photos/*.jpg --method felzenszwalb --size 400 -o cuts",
        "consensus chunks make scan.png -o cuts --quiet",
    ),
    "chunks run": (
        f"consensus chunks run {SHAPES}/manifest.csv --classes {SHAPES}/classes.csv",
        "consensus chunks run ann.json bob.json --worker-from-file --gold expert.json -o out",
        "consensus chunks run manifest.csv --model-masks sam.csv --cuts cuts --void 255 --clicks 20",
    ),
    "chunks answers": (
        "consensus chunks answers consensus-out answers.csv",
        "consensus chunks answers consensus-out monday.csv --json --quiet",
        "consensus chunks answers out answers.csv --no-report",
    ),
    "chunks evaluate": (
        f"consensus chunks evaluate consensus-out {SHAPES}/truth.csv",
        "consensus chunks evaluate consensus-out truth.csv --boundary 3 --void 255",
        "consensus chunks evaluate consensus-out truth.json --json",
    ),
    "push": (
        "consensus push consensus-out --url https://example.org/labels",
        "consensus push consensus-out --url https://example.org/asked --table escalations --page-size 100",
        "consensus push --state crowd-state --url https://example.org/labels --resume",
    ),
    "label-studio sync": (
        "consensus label-studio sync http://localhost:8080 --project 7 --state digits-state",
        "consensus label-studio sync http://localhost:8080 --project 7 --state digits-state --dry-run",
        "consensus label-studio sync http://localhost:8080 --project 7 --state digits-state --every 10m",
    ),
    "serve": (
        "consensus serve kept",
        "consensus serve kept --port 8080 --refit-after 300 --refit-judgments 5000",
        "consensus serve kept --host 0.0.0.0 --access-log",
    ),
    "simulate": (
        "consensus simulate crowd",
        "consensus simulate crowd --items 5000 --workers 40 --labels 5 --per-item 3",
        "consensus simulate crowd --spammers 0.1 --adversaries 0.05 --seed 7 --overwrite",
    ),
    "demo": (
        "consensus demo",
        "consensus demo crowd --seed 7",
        "consensus demo crowd --overwrite --quiet",
    ),
}
