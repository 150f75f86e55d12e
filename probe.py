import pyarrow as pa, pyarrow.compute as pc, polars as pl, uuid, pandas as pd, numpy as np, datetime as dt


def t(name, f):
    try:
        r = f()
        print(name, "OK", str(r)[:150].replace("\n", " "))
    except BaseException as e:
        print(name, "EXC", type(e).__mro__[:3], str(e)[:150].replace("\n", " "))


iv = pa.array([(1, 2, 3), None], pa.month_day_nano_interval())
t("iv str", lambda: iv.cast(pa.string()))
t("iv pylist", lambda: iv.to_pylist())
u = pa.array([uuid.uuid4().bytes, None], pa.uuid())
t("uuid str", lambda: u.cast(pa.string()))
t("uuid py", lambda: u.to_pylist())
t("far", lambda: pa.array([2**61, 1], pa.timestamp("s")).cast(pa.string()))
t("far2", lambda: pa.array([3876000000000, 1], pa.timestamp("s")).cast(pa.string()))
t("far3", lambda: pa.array([2**61, 1], pa.timestamp("s")).cast(pa.timestamp("us"), safe=False))
t("tz", lambda: pa.array([1], pa.timestamp("s", "Mars/X")).cast(pa.string()))
t("date64", lambda: pa.array([2**62], pa.int64()).cast(pa.date64()))
t("date32", lambda: pa.array([2**31 - 1], pa.date32()).cast(pa.string()))
t("dur", lambda: pa.array([1], pa.duration("s")).cast(pa.string()))
t("time", lambda: pa.array([1], pa.time32("s")).cast(pa.string()))
t("dec256", lambda: pa.array([1], pa.decimal256(70, -3)).cast(pa.string()))
t("f16", lambda: pa.array([np.float16(1.5)], pa.float16()).cast(pa.string()))
t("ree", lambda: pc.run_end_encode(pa.array(["a", "a", "b"])).cast(pa.string()))
t("ree2", lambda: pc.run_end_decode(pc.run_end_encode(pa.array(["a", "a", "b"]))))
t("union", lambda: pa.types.is_nested(pa.dense_union([pa.field("a", pa.int64())])))
t("bool8", lambda: pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, None], pa.int8())).cast(pa.string()))
t("json", lambda: pa.ExtensionArray.from_storage(pa.json_(), pa.array(["1"])).cast(pa.string()))
t("view", lambda: pa.array(["a", None], pa.string_view()).cast(pa.string()))
t("bview", lambda: pa.array([b"a", None], pa.binary_view()).cast(pa.large_binary()))
t("fsb", lambda: pa.array([b"aa", None], pa.binary(2)).cast(pa.large_binary()))
t("null", lambda: pa.nulls(2).cast(pa.string()))
t("dictdict", lambda: pa.DictionaryArray.from_arrays(pa.array([0, None, 1]), pa.array(["a", None])).cast(pa.string()))
t("dec32", lambda: pa.array([1], pa.decimal32(5, 2)).cast(pa.string()))
for name, s in dict(
    i128=pl.Series("a", [1, 2**100], dtype=pl.Int128),
    obj=pl.Series("a", [object(), 1], dtype=pl.Object),
    dur=pl.Series("a", [dt.timedelta(1)]),
    time=pl.Series("a", [dt.time(1)]),
    arr=pl.Series("a", [[1, 2]], dtype=pl.Array(pl.Int64, 2)),
    en=pl.Series("a", ["x"], dtype=pl.Enum(["x", "y"])),
    cat=pl.Series("a", ["x"], dtype=pl.Categorical),
    dec=pl.Series("a", ["1.5"], dtype=pl.String).cast(pl.Decimal(20, 2)),
    null=pl.Series("a", [None]),
    bin=pl.Series("a", [b"\xff"]),
    st=pl.Series("a", [{"a": 1}]),
    u128=pl.Series("a", [1], dtype=getattr(pl, "UInt128", pl.Int8)),
    f16=pl.Series("a", [1.0], dtype=getattr(pl, "Float16", pl.Float32)),
).items():
    f = pl.DataFrame({"a": s})
    t("pl " + name, lambda: pa.table(f).schema)
    t("pl2 " + name, lambda: pa.table(f)["a"].cast(pa.string()))
t("lazy", lambda: hasattr(pl.LazyFrame({"a": [1]}), "__arrow_c_stream__"))
