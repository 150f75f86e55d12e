"""Label items with cleanlab's multiannotator functions. Runs in the peers' environment, without consensus.

    python tests/benchmarks/peer_cleanlab.py FILE OUT majority|crowdlab

Both want a dense table of items and workers. ``majority`` is what needs no model. ``crowdlab``
(``get_label_quality_multiannotator``) wants the probabilities of a model; there is none for ids without content, so it
gets the shares of the votes. Writes a CSV of item, label; prints JSON on stdout.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time

import pandas as pd
from cleanlab import multiannotator


def main(judgments: str, out: str, method: str) -> None:
    start = time.perf_counter()
    table = pd.read_csv(judgments, engine="pyarrow")
    label_ids = sorted(table["label"].unique())
    table["code"] = table["label"].map({label: code for code, label in enumerate(label_ids)})
    dense = table.pivot_table(index="item", columns="worker", values="code")
    ready = time.perf_counter()
    if method == "majority":
        codes = multiannotator.get_majority_vote_label(dense, verbose=False)
    else:
        votes = pd.crosstab(table["item"], table["label"], normalize="index").to_numpy()
        found = multiannotator.get_label_quality_multiannotator(dense, votes, verbose=False)
        codes = found["label_quality"]["consensus_label"].to_numpy()
    end = time.perf_counter()
    labels = [label_ids[int(code)] for code in codes]
    pd.DataFrame({"item": dense.index, "label": labels}).to_csv(out, index=False)
    told = {"version": importlib.metadata.version("cleanlab"), "prepare": ready - start, "seconds": end - ready}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
