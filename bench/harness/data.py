"""Data to move: made from a seed, so that every run of every program moves the same bytes."""

import os
import random
from pathlib import Path

GIB = 1 << 30


def small_files(folder: Path, count: int, seed: int = 1) -> Path:
    """Makes `count` files of 1 to 16 KiB of incompressible bytes, 200 to a folder."""
    marker = folder / f".complete-{count}-{seed}"
    tree = folder / f"small-{count}-{seed}"
    if marker.exists():
        return tree
    source = random.Random(seed)
    for index in range(count):
        place = tree / f"folder-{index // 200:04}"
        if index % 200 == 0:
            place.mkdir(parents=True, exist_ok=True)
        (place / f"file-{index:06}.bin").write_bytes(source.randbytes(source.randint(1024, 16384)))
    marker.touch()
    return tree


def large_file(folder: Path, name: str, size: int = GIB, seed: int = 2) -> Path:
    """Makes one file of incompressible bytes."""
    path = folder / f"{name}-{size}-{seed}" / name
    if path.exists() and path.stat().st_size == size:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    source = random.Random(seed)
    with open(path, "wb") as out:
        left = size
        while left:
            piece = min(left, 8 << 20)
            out.write(source.randbytes(piece))
            left -= piece
    return path


def with_byte_changed(original: Path, target: Path) -> Path:
    """Copies `original` with the byte in its middle changed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(original, "rb") as source, open(target, "wb") as out:
        while piece := source.read(8 << 20):
            out.write(piece)
    middle = original.stat().st_size // 2
    with open(target, "r+b") as out:
        out.seek(middle)
        byte = out.read(1)[0]
        out.seek(middle)
        out.write(bytes([byte ^ 0xFF]))
    return target


def with_byte_inserted(original: Path, target: Path) -> Path:
    """Copies `original` with one byte more at its front."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(original, "rb") as source, open(target, "wb") as out:
        out.write(b"\x7f")
        while piece := source.read(8 << 20):
            out.write(piece)
    return target


def tree_bytes(tree: Path) -> int:
    """Adds up the sizes of all files below `tree`."""
    total = 0
    for place, _, names in os.walk(tree):
        for name in names:
            total += os.lstat(os.path.join(place, name)).st_size
    return total
