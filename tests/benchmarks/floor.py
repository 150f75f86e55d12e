"""The floor: read a table of judgments with pyarrow's defaults and encode its columns; nothing else.

    python tests/benchmarks/floor.py FILE [THREADS]

Prints JSON on stdout: seconds in this process and the number of distinct values of each column.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main(path: str, threads: str = "0") -> None:
    start = time.perf_counter()
    import pyarrow as pa

    if int(threads):
        pa.set_cpu_count(int(threads))
    if Path(path).suffix == ".parquet":
        import pyarrow.parquet as pq

        table = pq.read_table(path)
    else:
        import pyarrow.csv as pacsv

        table = pacsv.read_csv(path)
    read = time.perf_counter()
    encoded = [column.dictionary_encode() for column in table.columns]
    end = time.perf_counter()
    distinct = [len(column.chunk(0).dictionary) for column in encoded]  # all chunks share one dictionary
    told = {"read": read - start, "encode": end - read, "seconds": end - start, "distinct": distinct}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
