"""Rebuild the example pictures: ``python data/make_shapes.py [OUTPUT_DIR]``.

Eight drawn harbours with a known truth, four of six simulated painters on each. Everything comes from ``SEED``; pixels
are the same on every machine (the bytes of a PNG file are not: compression libraries differ).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Reals = NDArray[np.float64]
Codes = NDArray[np.uint8]
Points = Sequence[tuple[float, float]]  # x, y in pixels

SEED = 20260907
WIDTH, HEIGHT = 320, 240
FINE = 2  # what is seen is drawn so many times finer, then averaged; the truth is the label of a pixel's centre
CLASSES = ("background", "house", "boat", "tree", "lighthouse", "buoy")
COLOURS = ("#000000", "#e07a3f", "#3f7fe0", "#58a83c", "#e0457b", "#f2cf3b")
HOUSE, BOAT, TREE, LIGHTHOUSE, BUOY = 1, 2, 3, 4, 5
MASKS_EACH = 4
SHARED_WAVE = 0.2  # pixels (standard deviation) by which all painters' outlines stray together


@dataclass(frozen=True)
class Light:
    """An hour of the day: the colours of the sky's top and bottom and of the water, and how bright things are."""

    name: str
    above: tuple[int, int, int]
    below: tuple[int, int, int]
    water: tuple[int, int, int]
    dim: float
    lamps: bool = False


ROWS, COLUMNS = np.mgrid[: HEIGHT * FINE, : WIDTH * FINE]
GRID = ((COLUMNS + 0.5) / FINE, (ROWS + 0.5) / FINE)  # x and y: the centres (H, W) of the fine pixels, in pixels

LIGHTS = (
    Light("dawn", (118, 134, 178), (246, 196, 170), (108, 126, 150), 0.9),
    Light("morning", (126, 178, 222), (226, 236, 238), (84, 138, 160), 1.0),
    Light("noon", (78, 150, 218), (190, 222, 240), (44, 116, 150), 1.06),
    Light("haze", (178, 190, 196), (214, 218, 214), (130, 150, 154), 0.96),
    Light("storm", (84, 94, 110), (150, 158, 164), (70, 88, 98), 0.8),
    Light("evening", (96, 110, 170), (250, 176, 110), (120, 104, 120), 0.88),
    Light("dusk", (58, 56, 104), (206, 118, 110), (66, 62, 94), 0.66, lamps=True),
    Light("night", (16, 22, 48), (40, 52, 88), (20, 30, 54), 0.46, lamps=True),
)


@dataclass(frozen=True)
class Painter:
    """One simulated person.

    ``wave`` is how far outlines stray (pixels), ``grow`` by how much things come out larger, ``brush`` the smallest
    detail (pixels); ``miss`` and ``swap`` the chances to leave a thing out, and to take it for its ``LOOK_ALIKE``;
    below ``stop`` of the height nothing is painted.
    """

    id: str
    kind: str
    wave: float
    grow: int = 0
    brush: int = 0
    miss: float = 0.02
    swap: float = 0.02
    stop: float = 1.0


PAINTERS = (
    Painter("ada", "careful", 0.35),
    Painter("ben", "ordinary", 0.5, miss=0.08, swap=0.08),
    Painter("cleo", "paints too far out", 0.4, grow=2, miss=0.05),
    Painter("dev", "broad brush", 0.5, brush=5, miss=0.05, swap=0.05),
    Painter("eli", "takes one thing for another", 0.4, swap=0.45),
    Painter("fay", "gives up half-way down", 0.5, miss=0.15, stop=0.62),
)
LOOK_ALIKE = {HOUSE: LIGHTHOUSE, BOAT: BUOY, TREE: HOUSE, LIGHTHOUSE: HOUSE, BUOY: BOAT}


@dataclass
class Canvas:
    """What is drawn: light (H, W, 3) at the fine size, and the thing (H, W) every fine pixel belongs to, 0 for none."""

    light: Reals = field(default_factory=lambda: np.zeros((HEIGHT * FINE, WIDTH * FINE, 3)))
    thing: NDArray[np.int64] = field(default_factory=lambda: np.zeros((HEIGHT * FINE, WIDTH * FINE), np.int64))
    labels: list[int] = field(default_factory=lambda: [0])

    def new(self, label: int) -> int:
        """Begin a thing of a label."""
        self.labels.append(label)
        return len(self.labels) - 1

    def fill(self, inside: NDArray[np.bool_], colour: Sequence[float] | Reals, thing: int | None = None) -> None:
        """Colour what is ``inside``, and make it part of a thing."""
        colours = np.asarray(colour, np.float64)
        self.light[inside] = colours[inside] if colours.ndim == 3 else colours
        if thing is not None:
            self.thing[inside] = thing

    def polygon(self, points: Points, colour: Sequence[float], thing: int | None = None) -> NDArray[np.bool_]:
        """Fill a polygon, by the even-odd rule at the centres of fine pixels."""
        inside = polygon(points)
        self.fill(inside, colour, thing)
        return inside


def polygon(points: Points) -> NDArray[np.bool_]:
    """The fine pixels whose centres lie in a polygon."""
    inside = np.zeros((HEIGHT * FINE, WIDTH * FINE), bool)
    heights = [point[1] for point in points]
    rows = slice(max(int(min(heights) * FINE), 0), int(max(heights) * FINE) + 1)
    x, y = (one[rows] for one in GRID)
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        if y0 != y1:
            inside[rows] ^= ((y0 <= y) != (y1 <= y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside


def ellipse(cx: float, cy: float, rx: float, ry: float) -> NDArray[np.bool_]:
    """The fine pixels in an ellipse."""
    x, y = GRID
    return np.asarray(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1)


def smooth(values: Reals, radius: int) -> Reals:
    """Three running means over 2 ``radius`` + 1 pixels, down and across; the picture goes on around its edges."""
    for axis in (0, 1) * 3:
        values = np.mean([np.roll(values, step, axis) for step in range(-radius, radius + 1)], axis=0)
    return values


def noise(rng: np.random.Generator, radius: int, wide: int = 4, tall: int = 4) -> Reals:
    """Smooth noise (H, W) at the fine size, of deviation 1, in grains of ``wide`` by ``tall`` fine pixels."""
    values = smooth(rng.standard_normal((HEIGHT * FINE // tall, WIDTH * FINE // wide)), radius)
    return np.asarray(np.kron(values / values.std(), np.ones((tall, wide))))


def draw_sky(canvas: Canvas, light: Light, horizon: float, rng: np.random.Generator) -> None:
    """Sky, sun or moon, clouds, and hills behind the water."""
    x, y = GRID
    share = np.clip(y / horizon, 0, 1)[..., None]
    canvas.light[:] = np.array(light.above) * (1 - share) + np.array(light.below) * share
    cx, cy = 40 + 240 * rng.random(), 18 + 30 * rng.random()
    glow = np.exp(-(((x - cx) ** 2 + (y - cy) ** 2) / 900))[..., None]
    canvas.light += glow * (30 if light.lamps else 46)
    canvas.fill(ellipse(cx, cy, 9, 9), (236, 232, 206) if light.lamps else (255, 244, 206))
    cloud = np.clip(noise(rng, 5) - 0.4 + 0.4 * share[..., 0], 0, 1.4)[..., None] / 1.4
    canvas.light += cloud * 0.35 * (np.array(light.below) - canvas.light + 24)
    for far in (2, 1, 0):
        waves = sum((6 - k) * np.sin(x / (62 - 13 * k + 9 * far) + 6.3 * rng.random()) for k in range(3))
        hill = y > horizon - 16 - 9 * far + waves * (0.6 + 0.2 * far)
        shade = np.array((74, 96, 84)) * light.dim * (0.72 - 0.08 * far) + np.array(light.below) * (0.24 + 0.13 * far)
        canvas.fill(hill, shade)


def draw_house(canvas: Canvas, light: Light, x: float, foot: float, rng: np.random.Generator) -> float:
    """A gabled house with windows on the quay; returns its right edge."""
    wide, tall, roof = 24 + 14 * rng.random(), 24 + 20 * rng.random(), 10 + 9 * rng.random()
    walls = ((214, 120, 86), (226, 196, 150), (196, 206, 210), (170, 84, 74), (222, 214, 196), (120, 150, 170))
    wall = np.array(walls[int(rng.integers(len(walls)))]) * light.dim
    thing = canvas.new(HOUSE)
    canvas.polygon([(x, foot), (x, foot - tall), (x + wide, foot - tall), (x + wide, foot)], list(wall), thing)
    shaded = [(x + wide * 0.78, foot), (x + wide * 0.78, foot - tall), (x + wide, foot - tall), (x + wide, foot)]
    canvas.polygon(shaded, list(wall * 0.84), thing)
    top = [(x - 2, foot - tall), (x + wide / 2, foot - tall - roof), (x + wide + 2, foot - tall)]
    canvas.polygon(top, list(np.array((122, 66, 56)) * light.dim), thing)
    flue = x + wide * 0.68
    chimney = [(flue, foot - tall - roof * 0.3), (flue, foot - tall - roof), (flue + 4, foot - tall - roof)]
    canvas.polygon([*chimney, (flue + 4, foot - tall - roof * 0.3)], list(np.array((104, 70, 62)) * light.dim), thing)
    for row in range(int(tall // 13)):
        for column in range(int(wide // 10)):
            left, up = x + 3.5 + column * 9.5, foot - tall + 4 + row * 12
            lit = light.lamps and rng.random() < 0.6
            pane = (250, 214, 120) if lit else tuple(np.array((88, 106, 122)) * light.dim)
            canvas.polygon([(left, up), (left + 4.5, up), (left + 4.5, up + 6), (left, up + 6)], pane, thing)
    return x + wide


def draw_tree(canvas: Canvas, light: Light, x: float, foot: float, rng: np.random.Generator) -> None:
    """A trunk, and a crown of several balls of leaves, lit from the left."""
    thing, tall = canvas.new(TREE), 14 + 12 * rng.random()
    trunk = [(x - 1.6, foot), (x - 1.2, foot - tall), (x + 1.2, foot - tall), (x + 1.6, foot)]
    canvas.polygon(trunk, list(np.array((92, 70, 52)) * light.dim), thing)
    green = np.array((70, 116, 58)) + rng.integers(-14, 15, 3)
    for _ in range(7):
        dx, dy, radius = rng.normal(0, 5.0), rng.normal(0, 4.0), 5 + 3.5 * rng.random()
        shade = (0.82 + 0.3 * rng.random() - 0.012 * dx - 0.015 * dy) * light.dim
        canvas.fill(ellipse(x + dx, foot - tall - 5 + dy, radius, radius), list(green * shade), thing)


def draw_lighthouse(canvas: Canvas, light: Light, x: float, foot: float) -> None:
    """A striped tower with a lamp, on a rock that is none of the labels."""
    canvas.fill(ellipse(x, foot + 3, 20, 8), list(np.array((110, 104, 98)) * light.dim))
    thing, tall = canvas.new(LIGHTHOUSE), 62.0
    for stripe in range(6):
        low, high = foot - tall * stripe / 6, foot - tall * (stripe + 1) / 6
        a, b = 8 - stripe * 0.6, 8 - (stripe + 1) * 0.6
        paint = np.array((206, 62, 56) if stripe % 2 else (236, 232, 222)) * light.dim
        canvas.polygon([(x - a, low), (x - b, high), (x + b, high), (x + a, low)], list(paint), thing)
        canvas.polygon(
            [(x + a * 0.3, low), (x + b * 0.3, high), (x + b, high), (x + a, low)], list(paint * 0.82), thing
        )
    top = foot - tall
    lamp = (255, 236, 150) if light.lamps else (226, 224, 190)
    canvas.polygon([(x - 3.4, top), (x - 3.4, top - 8), (x + 3.4, top - 8), (x + 3.4, top)], lamp, thing)
    canvas.polygon([(x - 5, top - 8), (x, top - 14), (x + 5, top - 8)], list(np.array((70, 60, 64)) * light.dim), thing)


def draw_boat(canvas: Canvas, light: Light, x: float, line: float, size: float, rng: np.random.Generator) -> None:
    """A boat with a cabin, or with a mast and a sail; ``line`` is where it meets the water."""
    thing = canvas.new(BOAT)
    hulls = ((62, 92, 140), (180, 60, 52), (230, 226, 214), (52, 110, 96), (210, 150, 70))
    hull = np.array(hulls[int(rng.integers(len(hulls)))]) * light.dim
    if rng.random() < 0.5:
        cabin = np.array((238, 232, 216)) * light.dim
        left, right, up = x - 0.28 * size, x + 0.16 * size, line - 0.42 * size
        canvas.polygon([(left, line), (left + 1, up), (right, up), (right + 2, line)], list(cabin), thing)
        pane = (250, 214, 120) if light.lamps else tuple(np.array((84, 104, 122)) * light.dim)
        canvas.polygon([(left + 3, up + 3), (right - 2, up + 3), (right - 2, up + 8), (left + 3, up + 8)], pane, thing)
    else:
        mast = [(x - 0.8, line), (x - 0.8, line - 1.35 * size), (x + 0.8, line - 1.35 * size), (x + 0.8, line)]
        canvas.polygon(mast, list(np.array((120, 92, 66)) * light.dim), thing)
        sail = np.array((244, 238, 222)) * light.dim
        canvas.polygon(
            [(x + 0.5, line - 1.3 * size), (x + 0.52 * size, line - 6), (x + 0.5, line - 6)], list(sail), thing
        )
        jib = [(x - 0.5, line - 1.15 * size), (x - 0.42 * size, line - 5), (x - 0.5, line - 5)]
        canvas.polygon(jib, list(sail * 0.9), thing)
    bow, stern, deep = x + 0.62 * size, x - 0.56 * size, line + 0.2 * size
    canvas.polygon([(stern, line - 4), (bow, line - 6), (bow - 6, deep), (stern + 4, deep)], list(hull), thing)
    canvas.polygon(
        [(stern, line - 4), (bow, line - 6), (bow - 1.5, line - 3), (stern + 1, line - 1.6)], list(hull * 1.16), thing
    )


def draw_buoy(canvas: Canvas, light: Light, x: float, y: float) -> None:
    """A floating ball with a short pole."""
    thing = canvas.new(BUOY)
    canvas.polygon(
        [(x - 0.9, y), (x - 0.9, y - 11), (x + 0.9, y - 11), (x + 0.9, y)],
        list(np.array((60, 56, 60)) * light.dim),
        thing,
    )
    canvas.fill(ellipse(x, y - 1, 5.4, 5), list(np.array((226, 92, 42)) * light.dim), thing)
    canvas.fill(ellipse(x - 1.4, y - 2.6, 2, 1.6), list(np.array((250, 166, 110)) * light.dim), thing)


def draw_water(canvas: Canvas, light: Light, horizon: float, rng: np.random.Generator) -> None:
    """Water below the horizon: what stands above is mirrored in it, broken by ripples; it is background."""
    x, y = GRID
    below = y >= horizon
    depth = np.where(below, y - horizon, 0)
    sway = noise(rng, 4, wide=16, tall=2)  # stretched, since waves are seen from the side
    ripple = np.sin(y * (1.5 - 0.005 * depth) + 1.1 * sway) * (0.8 + 0.02 * depth)
    source_y = np.clip(horizon - 1 - depth * 0.92, 0, None)
    source_x = np.clip(x + 1.4 * ripple, 0, WIDTH - 1)
    mirror = canvas.light[(source_y * FINE).astype(np.int64), (source_x * FINE).astype(np.int64)]
    share = np.clip(0.62 - depth / 260, 0.18, 1)[..., None]
    water = np.array(light.water) * (1.04 - 0.0016 * depth[..., None]) + 2.6 * ripple[..., None]
    canvas.fill(below, mirror * share + water * (1 - share))
    canvas.thing[below] = 0


def harbour(number: int) -> tuple[Codes, NDArray[np.int64], NDArray[np.int64]]:
    """The picture (H, W, 3), which thing each of its pixels belongs to (H, W), and the label of each thing."""
    rng, light, canvas = np.random.default_rng([SEED, number]), LIGHTS[number], Canvas()
    horizon = 96.0 + 16 * rng.random()
    draw_sky(canvas, light, horizon, rng)
    quay = horizon - 2
    tower_left = bool(number % 2)
    low, high = (64, WIDTH - 8) if tower_left else (4, WIDTH - 66)
    x = low + 14 * rng.random()
    while x < high - 34:
        if rng.random() < 0.36:
            draw_tree(canvas, light, x + 9, quay, rng)
            x += 18 + 12 * rng.random()
        else:
            x = draw_house(canvas, light, x, quay, rng) + (2 if rng.random() < 0.6 else 8 + 14 * rng.random())
    draw_lighthouse(canvas, light, 30 + 8 * rng.random() if tower_left else WIDTH - 38 + 8 * rng.random(), quay)
    wall = np.array((128, 120, 112)) * light.dim
    canvas.polygon([(low - 6, quay), (high, quay), (high, horizon + 1), (low - 6, horizon + 1)], list(wall), 0)
    draw_water(canvas, light, horizon, rng)
    n_boats = int(rng.integers(3, 6))
    for place, line in enumerate(np.sort(horizon + 26 + (HEIGHT - horizon - 48) * rng.random(n_boats)).tolist()):
        size = 24 + 34 * (line - horizon) / (HEIGHT - horizon)
        draw_boat(canvas, light, 36 + (WIDTH - 72) * (place * 0.62 % 1 * 0.9 + 0.1 * rng.random()), line, size, rng)
    for _ in range(int(rng.integers(2, 5))):
        draw_buoy(
            canvas, light, 14 + (WIDTH - 28) * rng.random(), horizon + 20 + (HEIGHT - horizon - 30) * rng.random()
        )
    grain = 1 + 0.022 * noise(rng, 1, 2, 2)[..., None]
    fine = np.clip(canvas.light * grain, 0, 255)
    seen = fine.reshape(HEIGHT, FINE, WIDTH, FINE, 3).mean(axis=(1, 3))
    picture: Codes = np.clip(np.rint(seen / 4) * 4, 0, 255).astype(np.uint8)  # fewer colours: smaller files
    return picture, canvas.thing[FINE // 2 :: FINE, FINE // 2 :: FINE], np.array(canvas.labels)


def wave(rng: np.random.Generator, deviation: float) -> Reals:
    """A smooth displacement (2, H, W) in pixels."""
    fields = np.stack([smooth(rng.standard_normal((HEIGHT, WIDTH)), 6) for _ in range(2)])
    return np.asarray(deviation * fields / fields.std())


def grown(codes: Codes, steps: int) -> Codes:
    """Codes whose things reach ``steps`` pixels further into the background."""
    out = codes.copy()
    for _ in range(steps):
        before = np.pad(out, 1)
        for part in (before[:-2, 1:-1], before[2:, 1:-1], before[1:-1, :-2], before[1:-1, 2:]):
            out = np.where(out == 0, part, out)
    return out


def brushed(codes: Codes, radius: int) -> Codes:
    """The most frequent code around each pixel."""
    shares = [smooth((codes == code).astype(np.float64), radius) for code in range(len(CLASSES))]
    out: Codes = np.argmax(shares, axis=0).astype(np.uint8)
    return out


def painted(
    thing: NDArray[np.int64], labels: NDArray[np.int64], shared: Reals, who: Painter, seed: Sequence[int]
) -> Codes:
    """The mask one painter hands in."""
    rng = np.random.default_rng(seed)
    code = labels.astype(np.uint8)
    swapped, missed = rng.random(len(labels)) < who.swap, rng.random(len(labels)) < who.miss
    code[swapped] = [LOOK_ALIKE.get(label, 0) for label in labels[swapped].tolist()]
    code[missed] = 0
    codes: Codes = code[thing]
    if who.brush:
        codes = brushed(codes, who.brush // 2)
    moved = np.rint(shared + wave(rng, who.wave)).astype(np.int64)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    codes = grown(codes[np.clip(y + moved[0], 0, HEIGHT - 1), np.clip(x + moved[1], 0, WIDTH - 1)], who.grow)
    codes[round(HEIGHT * (who.stop + (0.0 if who.stop == 1 else 0.1 * rng.random()))) :] = 0
    return codes


def write_mask(path: Path, codes: Codes) -> None:
    """Write codes as a PNG with a palette."""
    image = Image.fromarray(codes)
    image.putpalette([int(colour[at : at + 2], 16) for colour in COLOURS for at in (1, 3, 5)])
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, optimize=True)


def assigned() -> list[list[int]]:
    """Who paints each picture: four painters, shared out evenly."""
    rng, done = np.random.default_rng([SEED, 99]), np.zeros(len(PAINTERS))
    chosen = []
    for _ in LIGHTS:
        picked = np.sort(np.argsort(done + rng.random(len(PAINTERS)), kind="stable")[:MASKS_EACH])
        done[picked] += 1
        chosen.append(picked.tolist())
    return chosen


def write_csv(path: Path, header: str, rows: Sequence[Sequence[str]]) -> None:
    """Write one table with LF line ends."""
    path.write_bytes("".join(f"{line}\n" for line in [header, *(",".join(row) for row in rows)]).encode("ascii"))


def main() -> None:
    """Draw the pictures, let the painters paint, and write all to the folder named on the command line."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "shapes"
    manifest, truth = [], []
    for number, (light, painters) in enumerate(zip(LIGHTS, assigned(), strict=True)):
        picture, thing, labels = harbour(number)
        image = f"pictures/{light.name}.png"
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / image, optimize=True)
        write_mask(folder / "truth" / f"{light.name}.png", labels[thing].astype(np.uint8))
        truth.append((image, "truth", f"truth/{light.name}.png"))
        shared = wave(np.random.default_rng([SEED, number, 50]), SHARED_WAVE)
        for w in painters:
            mask = f"masks/{light.name}_{PAINTERS[w].id}.png"
            write_mask(folder / mask, painted(thing, labels, shared, PAINTERS[w], [SEED, number, 51 + w]))
            manifest.append((image, PAINTERS[w].id, mask))
    write_csv(folder / "manifest.csv", "image,worker,mask", manifest)
    write_csv(folder / "truth.csv", "image,worker,mask", truth)
    rows = [(str(code), label, colour) for code, (label, colour) in enumerate(zip(CLASSES, COLOURS, strict=True))]
    write_csv(folder / "classes.csv", "value,label,colour", rows)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    sys.stdout.write(f"{len(LIGHTS)} pictures, {len(manifest)} masks, {size} bytes\n")


if __name__ == "__main__":
    main()
