"""Reading all masks of a collection: pictures, classes, people, models and gold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePath
from posixpath import normpath
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np

from consensus.errors import FormatError
from consensus.formats import given
from consensus.formats.tables.streams import displayed
from consensus.inputs.counted import counted
from consensus.inputs.pseudonyms import read_key
from consensus.masks.classes import GROUND, Classes, read_classes
from consensus.masks.coding import Coder, Palettes
from consensus.masks.given_masks import GivenMask, GivenMasks, InFile, table_of_labels
from consensus.masks.mask_files import MaskFile, ProbabilityFile, pixels_of, size_of
from consensus.masks.mask_set import NOT_JUDGED, Mask, MaskSet, Picture, ProbabilityMap, refuse_bomb, refuse_size
from consensus.masks.npy_files import is_npy, npy_array
from consensus.masks.png_files import picture_size
from consensus.masks.real_files import is_file
from consensus.masks.shapes import PaintedShapes
from consensus.masks.source_kinds import given_masks
from consensus.wording import in_words_of_the_caller

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consensus.errors import Place
    from consensus.inputs.judgments import Source
    from consensus.masks.mask_set import Kind

KINDS = "a file of COCO, or a JSON export of Label Studio"
MASKS, GOLD_MASKS, MODEL_MASKS = (given.Argument(name, KINDS) for name in ("source", "gold", "models"))
GOLD = "gold"
"""A worker of this name painted gold."""
MOST_VALUES = 256  # that become classes by themselves


class Options(TypedDict, total=False):
    """What may be said besides, of masks of any kind."""

    columns: Mapping[str, str] | None
    """Names of the columns of a manifest by role, such as ``{"image": "file"}``; others are found."""
    images: str | Path | None
    """The folder of the pictures; by default that of the file that names them."""
    void: int | None
    """The value of pixels in masks of numbers that are not judged, such as 255."""
    pseudonyms: str | Path | None
    """File of a secret key, by which people have pseudonyms."""


def read_masks(
    source: Any,
    *,
    classes: Any = None,
    gold: Any = None,
    models: Any = (),
    worker_from_file: bool = False,
    **options: Unpack[Options],
) -> MaskSet:
    """Read what people and models painted; masks are decoded later, one by one (``Mask.read``).

    Parameters
    ----------
    source
        A manifest (image, worker, mask, and perhaps region, timestamp, duration), COCO JSON whose annotations or images
        carry the worker, a JSON export of Label Studio, or several of these; or a table as ``consensus.read`` takes it.
        None for the pictures of ``gold`` alone.
    classes
        As in ``read_classes``; without it, the values, or labels, that are found.
    gold
        The same as ``source``, with one mask a picture that is known to be right. A worker called gold in the
        ``source`` is read as that, too.
    models
        The same with masks of models, or NPY of their probabilities: height x width x classes.
    worker_from_file
        Each file of the ``source`` is one worker's, and called by its name.
    **options
        See ``Options``.

    Raises
    ------
    ConfigError
        A library that is needed is not installed, ``columns`` names an unknown role, or the key of ``pseudonyms`` can't
        be read.
    FormatError
        A source can't be read, a worker painted a picture twice, or the size of a picture can't be told.
    """
    images, void, named = options.get("images"), options.get("void"), options.get("pseudonyms")
    key = None if named is None else read_key(given.path(named, "pseudonyms", "name the file of a key"))
    pictures = None if images is None else given.path(images, "images", "name a folder")
    if pictures is not None and not pictures.is_dir():
        raise FormatError("there is no such folder of pictures; correct --images", pictures, code="file_not_found")
    people = GivenMasks()
    if source is not None or gold is None:
        people = given_masks(given.table(source, MASKS), options.get("columns"), worker_from_file=worker_from_file)
    right = GivenMasks() if gold is None else given_masks(given.table(gold, GOLD_MASKS), None, worker=GOLD)
    right.masks = [one for one in right.masks if one.starred] or right.masks
    right.called(GOLD)
    of_models = (
        given_masks(given.table(models, MODEL_MASKS), None, of_models=True) if _is_given(models) else GivenMasks()
    )
    right.masks += [one for one in people.masks if one.worker.casefold() == GOLD]
    people.masks = [one for one in people.masks if one.worker.casefold() != GOLD]
    if key is not None:
        people.disguise(key)
    collection = _Collection(pictures, void, key)
    collection.add(people, "human")
    collection.add(right, "gold")
    collection.add(of_models, "model")
    return collection.finished(classes)


def _is_given(models: Any) -> bool:
    return models is not None and not (isinstance(models, (list, tuple)) and not models)


class _Collection:
    """Pictures and their masks, gathered from all sources, until the classes are known."""

    def __init__(self, images: Path | None, void: int | None, key: bytes | None) -> None:
        self._images, self._void, self._key = images, void, key
        self._by_name: dict[str, list[tuple[GivenMask, Kind]]] = {}
        self._labels: dict[str, int | None] = {}
        self._palettes = Palettes()
        self._notes: list[str] = []
        self._cautions: list[str] = []
        self._sources: list[Source] = []

    def add(self, masks: GivenMasks, kind: Kind) -> None:
        """Add the masks of one kind, those of people first."""
        self._notes += masks.notes
        self._sources += masks.sources
        for label, number in masks.labels.items():
            self._labels.setdefault(label, number)
        left = Counter[str]()
        is_first = not self._by_name and kind == "gold"
        by_file: dict[str, list[str]] = {}
        for name in self._by_name:
            by_file.setdefault(PurePath(name).name, []).append(name)
        for one in masks.masks:
            name = one.image
            if kind != "human" and not is_first and name not in self._by_name:
                alike = by_file.get(PurePath(name).name, [])
                if len(alike) > 1:
                    raise FormatError(
                        f'"{name}" may be "{alike[0]}" or "{alike[1]}"; call the picture as it is called there',
                        one.place,
                    )
                if not alike:
                    left[one.image] += 1
                    continue
                name = alike[0]
            self._by_name.setdefault(name, []).append((one, kind))
        if left:
            self._cautions.append(
                f"{counted(left.total(), 'mask')} of {kind} left out: nobody painted {counted(len(left), 'picture')} "
                f"of that name, such as {next(iter(left))}"
            )

    def finished(self, classes: Any) -> MaskSet:
        """All pictures, with the classes that are given, or found."""
        if not self._by_name:
            raise FormatError("no mask in the source; a manifest needs a row a mask")
        sized = [self._sized(name) for name in sorted(self._by_name)]
        self._cautions += _called_twice(sized)
        known = self._classes(sized) if classes is None else read_classes(classes)
        if classes is not None and known.has_values and self._void in known.values:
            label = known.labels[known.values.tolist().index(self._void)]
            self._notes.append(f'the class "{label}" has the value of --void, so that nobody judged its pixels')
        coder = Coder(known, self._palettes, self._void)
        ground = self._ground(known)
        pictures = tuple(self._picture(one, coder, ground) for one in sized)
        workers = {mask.worker for one in pictures for mask in one.masks if mask.kind == "human"}
        models = {mask.worker for one in pictures for mask in one.masks if mask.kind == "model"}
        models |= {one_map.worker for one in pictures for one_map in one.probability_maps}
        lost = [one.name for one in pictures if one.path is None]
        if lost:
            self._notes.append(
                f"{counted(len(lost), 'picture')} not found, or of an unknown kind, such as {lost[0]}: the size is "
                "that of the masks, or what the source says"
            )
        return MaskSet(
            pictures,
            known,
            tuple(sorted(workers)),
            tuple(sorted(models)),
            tuple(map(in_words_of_the_caller, self._notes)),
            tuple(map(in_words_of_the_caller, self._cautions)),
            tuple(self._sources),
            self._key,
        )

    def _sized(self, name: str) -> _Sized:
        """A picture with its size: that of its file if there is one, else what the source says, else of a mask."""
        given_here = self._by_name[name]
        first = given_here[0][0]
        folders = [*([self._images] if self._images else []), first.folder]
        path = next((folder / part for folder in folders for part in _parts(name) if is_file(folder / part)), None)
        known = None if path is None else picture_size(path, displayed(path), first.place)
        size, rotated = (None, False) if known is None else (known[:2], known[2])
        if known is None:
            path = None
        elif rotated:
            self._cautions.append(
                f"{name} is rotated by its EXIF: it counts as it is stored, {known[1]:,} x {known[0]:,} pixels"
            )
        for one, _ in given_here:
            told = one.size
            if isinstance(one.content, InFile):
                told = _size_of(one.content.path, one.place, self._palettes)
            if told is None:
                continue
            if size is None:
                refuse_bomb(*told, f'the picture "{name}"', one.place)
                size = told
            what = displayed(one.content.path) if isinstance(one.content, InFile) else f'the mask of "{name}"'
            refuse_size(told, *size, what, one.place, rotated=rotated)
        if size is None:
            raise FormatError(
                f'nothing tells the size of the picture "{name}", and it was not found; name its folder with --images',
                first.place,
            )
        return _Sized(name, size, path, given_here)

    def _classes(self, sized: Sequence[_Sized]) -> Classes:
        """The classes that are found: those of shapes, or the values in the masks."""
        if self._labels:
            values, labels = table_of_labels(self._labels)
            self._notes.append(f"classes, as the source names them: {', '.join(labels[:20])}")
            return Classes.of_values(values, labels)
        found: set[int] = set()
        for one in sized:
            for mask, _ in one.given:
                found |= _values_of(mask, one.size)
        found.discard(NOT_JUDGED if self._void is None else self._void)
        values = sorted(one for one in found if one >= 0)
        if len(values) > MOST_VALUES:
            raise FormatError(
                f"{len(values):,} different values in the masks, more than {MOST_VALUES} classes; name them with "
                "--classes, or give masks of classes, not of objects"
            )
        if not values:
            raise FormatError("the masks hold no value besides that of --void; name the classes with --classes")
        labels = list(map(str, values))
        self._notes.append(f"classes are the values found in the masks: {', '.join(labels[:20])}")
        if 255 in found and found != {0, 255}:
            self._cautions.append("the value 255 counts as a class; name it with --void if it means not judged")
        return Classes.of_values(values, labels, self._palettes.of(values))

    def _ground(self, classes: Classes) -> int:
        """The code of pixels in no shape: -1, and it is said, where the class of value 0 is that of shapes."""
        ground = classes.ground
        if ground >= 0 and classes.labels[ground] in self._labels and classes.labels[ground].casefold() not in GROUND:
            ground = NOT_JUDGED
        if self._labels and ground < 0:
            self._cautions.append(
                "no class is the background, so pixels in no shape count as not judged; add one with --classes, such "
                "as 0,background"
            )
        return ground

    def _picture(self, one: _Sized, coder: Coder, ground: int) -> Picture:
        """A picture with masks that can be read."""
        masks: dict[tuple[str, Kind], Mask] = {}
        maps: dict[str, ProbabilityMap] = {}
        for given_mask, kind in one.given:
            who, place = given_mask.worker, given_mask.place
            key = GOLD if kind == "gold" else who, kind
            twice = maps.get(who) if kind == "model" and who in maps else masks.get(key)
            if twice is not None:
                raise FormatError(
                    f'"{who}" painted "{one.name}" here and in {twice.place}; keep one mask of each on a picture', place
                )
            content = given_mask.content
            if kind == "model" and isinstance(content, InFile) and _is_probabilities(content.path, place):
                maps[who] = ProbabilityMap(who, place, ProbabilityFile(content.path, len(coder.classes.labels)))
                continue
            painted = (
                MaskFile(content.path, coder, content.region)
                if isinstance(content, InFile)
                else PaintedShapes(content.shapes, coder.codes, ground)
            )
            masks[key] = Mask(who, kind, place, painted, given_mask.timestamp, given_mask.duration)
        return Picture(
            one.name,
            *one.size,
            one.path,
            tuple(mask for (_, kind), mask in sorted(masks.items()) if kind != "gold"),
            next((mask for (_, kind), mask in masks.items() if kind == "gold"), None),
            tuple(maps[who] for who in sorted(maps)),
        )


@dataclass(frozen=True, slots=True)
class _Sized:
    """A picture of which the size is known."""

    name: str
    size: tuple[int, int]
    path: Path | None
    given: Sequence[tuple[GivenMask, Kind]]


def _called_twice(sized: Sequence[_Sized]) -> list[str]:
    """That two names mean one picture: they lead to one file, or, where there is none, differ in ./, case or blanks."""
    names: dict[str | Path, str] = {}
    pairs = []
    for one in sorted(sized, key=lambda one: one.path is None):
        alike = normpath(one.name.strip()).casefold()
        key = alike if one.path is None else one.path.resolve()
        other = names.setdefault(key, one.name)
        names.setdefault(alike, one.name)
        if other != one.name:
            pairs.append(f'"{other}" and "{one.name}"')
    n = counted(len(pairs), "picture has", "pictures have")
    return [f"{n} two names, it seems, which count as two: {pairs[0]}; use one of them"] if pairs else []


def _parts(name: str) -> tuple[str, str]:
    """Where a picture may be in a folder."""
    return name, PurePath(name).name


def _size_of(path: Path, place: Place, palettes: Palettes) -> tuple[int, int]:
    """Height and width of what a file holds: labels or probabilities."""
    if _is_probabilities(path, place):
        height, width, _ = npy_array(path, displayed(path), place).shape
        return height, width
    return size_of(path, place, palettes)


def _is_probabilities(path: Path, place: Place) -> bool:
    if not is_npy(path):
        return False
    held = npy_array(path, displayed(path), place)
    return held.ndim == 3 and held.dtype.kind == "f"


def _values_of(mask: GivenMask, size: tuple[int, int]) -> set[int]:
    """The different values in a mask.

    Raises
    ------
    FormatError
        It can't be read, or holds colours.
    """
    if not isinstance(mask.content, InFile) or _is_probabilities(mask.content.path, mask.place):
        return set()
    pixels, _ = pixels_of(mask.content.path, *size, mask.place)
    if pixels.ndim == 3:
        raise FormatError(
            f"{displayed(mask.content.path)} holds colours; say with --classes which colour (#rrggbb) means what",
            mask.place,
        )
    if pixels.dtype == np.uint8:
        return set(np.flatnonzero(np.bincount(pixels.ravel(), minlength=256)).tolist())
    return set(np.unique(pixels).tolist())
