"""Which kernels run on this processor, and which of them is the fastest."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from minequeue.chain.protocol.header import PREFIX_SIZE
from minequeue.chain.protocol.proof_of_work import HASHLIB, Search, search_with_hashlib
from minequeue.workers.kernels.cache import CodeCache

if TYPE_CHECKING:
    from minequeue.workers.kernels.catalogue import Recipe
    from minequeue.workers.kernels.machine_code import Processor

_TRIAL_HASHES = 100_000  # a few milliseconds of a kernel
_PROOF_NONCES = 2_000  # are searched by hashlib too, to see that a kernel finds the same
_PROOF_BITS = 9  # so that there are a few hits among them
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kernel:
    """A search and its name, as people see it in /queue."""

    name: str
    search: Search


def load_search(cache: Path, installed: Path | None = None) -> Kernel:
    """The fastest kernel that runs here; hashlib, with a warning, where no other does.

    Args:
        cache: the directory that keeps machine code.
        installed: one that :func:`make_all` has filled.
    """
    kernels = load_searches(cache, installed)
    if not kernels:
        _log.warning(
            "nonces are searched with hashlib, far slower than machine code: "
            "install llvmlite for this platform"
        )
        return Kernel(HASHLIB, search_with_hashlib)
    return min(kernels, key=lambda kernel: _time(kernel.search))


def load_searches(cache: Path, installed: Path | None = None) -> list[Kernel]:
    """Every kernel that runs here and is right; none where llvmlite does not run."""
    try:
        return list(_load(CodeCache(cache, installed)))
    except (ImportError, OSError) as error:  # there is no wheel, or its library does not load
        _log.warning("llvmlite does not run here: %s", error)
        return []


def make_all(directory: Path) -> list[str]:
    """Keep the machine code of each kernel for this architecture in ``directory``.

    Returns:
        The kernels' names.
    """
    from minequeue.workers.kernels import catalogue, machine_code  # noqa: PLC0415  # may be missing

    here, cache = machine_code.Processor.here(), CodeCache(directory)
    recipes = catalogue.list_all(here.architecture)
    for recipe in recipes:
        _make(cache, recipe, here)
    return [recipe.name for recipe in recipes]


def _load(cache: CodeCache) -> Iterator[Kernel]:
    from minequeue.workers.kernels import catalogue, machine_code  # noqa: PLC0415  # may be missing

    processor = machine_code.Processor.here()
    for recipe in catalogue.list_for(processor):
        code = _make(cache, recipe, processor)
        search = machine_code.make_search(machine_code.load_object(code))
        if _is_right(search):
            yield Kernel(recipe.name, search)
        else:
            _log.error(
                "the kernel %s finds wrong nonces on this machine, and is not used", recipe.name
            )


def _make(cache: CodeCache, recipe: "Recipe", here: "Processor") -> bytes:
    """The machine code of ``recipe``, for every processor like ``here`` that has what it needs."""
    from minequeue.workers.kernels import loop, machine_code  # noqa: PLC0415  # may be missing

    # not for this very processor, which would not be faster: so it can be made on another one
    processor = here.with_only(recipe.needs)
    source = str(loop.write_search(recipe.hashing))
    return cache.get(
        source.encode() + processor.describe(),
        partial(machine_code.make_object, source, processor),
    )


def _is_right(search: Search) -> bool:
    """Whether it finds what hashlib finds, in order, in a range whose lower half runs over."""
    prefix = _with_bits(_PROOF_BITS)
    start = 2**32 - _PROOF_NONCES // 2
    return list(_find_all(search, prefix, start)) == list(
        _find_all(search_with_hashlib, prefix, start)
    )


def _find_all(search: Search, prefix: bytes, start: int) -> Iterator[int]:
    end = start + _PROOF_NONCES
    while (found := search(prefix, start, end - start)) is not None:
        yield found
        start = found + 1


def _time(search: Search) -> float:
    """How long the kernel takes for a range without a hit, in seconds; the best of three."""
    prefix = _with_bits(256)
    return min(_time_once(search, prefix) for _ in range(3))


def _time_once(search: Search, prefix: bytes) -> float:
    began = time.perf_counter()
    search(prefix, 0, _TRIAL_HASHES)
    return time.perf_counter() - began


def _with_bits(bits: int) -> bytes:
    return bytes(4) + bits.to_bytes(4, "big") + bytes(PREFIX_SIZE - 8)
