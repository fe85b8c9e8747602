"""Every kernel finds exactly what hashlib finds, on this processor and on an emulated ARM one."""

import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minequeue.chain.protocol.header import MAX_U64, PREFIX_SIZE
from minequeue.chain.protocol.proof_of_work import HASHLIB, Search, search_with_hashlib
from minequeue.workers.kernels import choice, load_search, load_searches, make_all
from minequeue.workers.kernels.cache import CodeCache, is_trusted
from minequeue.workers.kernels.catalogue import list_all, list_for
from minequeue.workers.kernels.instructions import ArmSha, X86Sha
from minequeue.workers.kernels.loop import Hashing, write_search
from minequeue.workers.kernels.machine_code import Processor, load_object, make_object, make_search
from minequeue.workers.kernels.vectors import Vectors
from tests.arm_machine import ArmMachine

X86 = Processor("x86_64-unknown-linux-gnu", "generic", frozenset({"sha", "sse4.1"}))
ARM = Processor("aarch64-unknown-linux-gnu", "generic", frozenset({"neon", "sha2"}))


def _make_here(hashing: Hashing) -> Search:
    return make_search(load_object(make_object(str(write_search(hashing)), Processor.here())))


def _make_arm(hashing: Hashing) -> Search:
    return make_search(ArmMachine(make_object(str(write_search(hashing)), ARM)))


_native = {kernel.name: kernel.search for kernel in load_searches(Path("/nonexistent"))}
SEARCHES: dict[str, Search] = {
    **{name: _native[name] for name in _native},
    # narrower vectors than this processor's, as LLVM makes them elsewhere
    **{f"vectors-{n}, anywhere": _make_here(Vectors(n)) for n in (4, 8)},
    "arm-sha2, emulated": _make_arm(ArmSha()),
    "vectors-4, emulated ARM": _make_arm(Vectors(4)),
}
each_kernel = pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)


def _with_bits(prefix: bytes, bits: int) -> bytes:
    return prefix[:4] + bits.to_bytes(4, "big") + prefix[8:]


def test_this_processor_has_a_kernel() -> None:
    assert len(_native) >= 1


@each_kernel
@settings(max_examples=60, deadline=None)
@given(
    prefix=st.binary(min_size=PREFIX_SIZE, max_size=PREFIX_SIZE),
    bits=st.integers(0, 9),
    start=st.integers(0, MAX_U64 - 200) | st.integers(2**32 - 200, 2**32) | st.just(MAX_U64 - 199),
    count=st.integers(0, 200),
)
def test_a_kernel_finds_the_first_nonce_of_any_range_that_meets_the_target(
    search: Search, prefix: bytes, bits: int, start: int, count: int
) -> None:
    header = _with_bits(prefix, bits)
    assert search(header, start, count) == search_with_hashlib(header, start, count)


@each_kernel
def test_a_kernel_finds_a_hit_in_every_lane_and_none_past_the_end(search: Search) -> None:
    header = _with_bits(bytes(PREFIX_SIZE), 8)
    hit = search_with_hashlib(header, 100, 10_000)
    assert hit is not None
    for lead in range(40):
        assert search(header, hit - lead, lead + 1) == hit  # the last nonce, and the first
        assert search(header, hit - lead, lead) is None


@each_kernel
def test_the_last_nonce_of_all_can_be_tried(search: Search) -> None:
    assert search(_with_bits(bytes(PREFIX_SIZE), 0), MAX_U64, 1) == MAX_U64


def test_what_machine_code_takes_for_a_hit_by_the_first_word_is_judged_by_the_whole_hash() -> None:
    search = make_search(lambda context, low, count, bound: 0)  # noqa: ARG005  # every nonce "hits"
    header = _with_bits(bytes(PREFIX_SIZE), 10)
    assert search(header, 5, 10_000) == search_with_hashlib(header, 5, 10_000)
    assert search(header, 5, 3) is None


def test_the_bound_of_the_first_word_is_exact_up_to_32_bits_and_zero_beyond() -> None:
    bounds = []

    def note(_context: object, _low: int, count: int, bound: int) -> int:
        bounds.append(bound)
        return count

    search = make_search(note)
    for bits in (0, 1, 31, 32, 33, 64):
        search(_with_bits(bytes(PREFIX_SIZE), bits), 0, 1)
    assert bounds == [2**32 - 1, 2**31 - 1, 1, 0, 0, 0]


def test_the_machine_code_for_arm_uses_its_sha_instructions() -> None:
    code = make_object(str(write_search(ArmSha())), ARM)
    words = {int.from_bytes(code[i : i + 4], "little") & 0xFFE0FC00 for i in range(0, len(code), 4)}
    assert {0x5E004000, 0x5E005000} <= words  # SHA256H, SHA256H2


def test_the_machine_code_for_x86_does_no_more_than_eight_rounds_of_a_nonce_in_a_row() -> None:
    code = make_object(str(write_search(X86Sha())), X86)
    nonces = [frozenset(pair) for pair in _list_registers(code)]
    assert len(nonces) > 50  # two rounds each, for two nonces; a tenth is done once
    assert max(len(list(run)) for _, run in groupby(nonces)) <= 4


def _list_registers(code: bytes) -> Iterator[tuple[int, int]]:
    """The two registers of each SHA256RNDS2 (0F 38 CB /r); they hold the state of one nonce."""
    for found in re.finditer(rb"([\x40-\x4f]?)\x0f\x38\xcb([\xc0-\xff])", code):
        prefix, operands = found[1][0] if found[1] else 0, found[2][0]
        yield (operands >> 3 & 7) + 2 * (prefix & 4), (operands & 7) + 8 * (prefix & 1)


def test_machine_code_is_made_once_and_read_from_disk_afterwards(tmp_path: Path) -> None:
    cache, made = CodeCache(tmp_path / "kernels"), []

    def make() -> bytes:
        made.append(1)
        return b"code"

    assert [cache.get(b"key", make), cache.get(b"key", make)] == [b"code", b"code"]
    assert len(made) == 1
    cache.get(b"other key", make)
    assert len(made) == 2


@pytest.mark.parametrize("fault", ["cut", "flipped", "writable", "open directory"])
def test_kept_code_that_cannot_be_trusted_is_made_anew(tmp_path: Path, fault: str) -> None:
    directory = tmp_path / "kernels"
    cache = CodeCache(directory)
    cache.get(b"key", lambda: b"good code")
    (path,) = directory.iterdir()
    match fault:
        case "cut":
            path.write_bytes(path.read_bytes()[:-1])
        case "flipped":
            path.write_bytes(path.read_bytes()[:-1] + b"E")
        case "writable":
            path.chmod(0o666)
        case _:
            directory.chmod(0o777)
    assert cache.get(b"key", lambda: b"made anew") == b"made anew"


@pytest.mark.parametrize(
    ("owner", "mode", "trusted"),
    [
        (1000, 0o100600, True),
        (0, 0o100644, True),
        (1001, 0o100600, False),
        (0, 0o100664, False),
        (1000, 0o100602, False),
    ],
)
def test_code_is_trusted_that_only_the_user_or_root_can_write(
    owner: int, mode: int, trusted: bool
) -> None:
    assert is_trusted(owner, mode, user=1000) is trusted


def test_machine_code_that_is_installed_is_neither_made_nor_kept_again(tmp_path: Path) -> None:
    installed, own = tmp_path / "installed", tmp_path / "own"
    CodeCache(installed).get(b"key", lambda: b"installed")
    cache = CodeCache(own, installed)
    assert cache.get(b"key", lambda: b"made") == b"installed"
    assert not own.exists()
    assert cache.get(b"other key", lambda: b"made") == b"made"
    assert len(list(installed.iterdir())) == len(list(own.iterdir())) == 1


def test_an_installation_made_elsewhere_has_every_kernel_that_runs_here(tmp_path: Path) -> None:
    installed, own = tmp_path / "installed", tmp_path / "own"
    names = make_all(installed)
    assert len(names) == len(list(installed.iterdir()))
    found = [kernel.name for kernel in load_searches(own, installed)]
    assert found == [recipe.name for recipe in list_for(Processor.here())]
    assert set(found) <= set(names)
    assert not own.exists()


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64", "arm64", "riscv64"])
def test_what_is_made_on_one_processor_is_what_another_one_asks_for(architecture: str) -> None:
    recipes = list_all(architecture)
    for recipe in recipes:
        rich = Processor(f"{architecture}-unknown-linux-gnu", "some", recipe.needs | {"more"})
        plain = Processor(rich.triple, "another", frozenset())
        assert recipe in list_for(rich)
        assert rich.with_only(recipe.needs).describe() == plain.with_only(recipe.needs).describe()
    assert list_for(plain) == [recipes[-1]]


def test_of_the_vectors_only_the_widest_is_tried() -> None:
    able = Processor("x86_64-unknown-linux-gnu", "some", frozenset({"avx2", "avx512f", "sha"}))
    assert [recipe.name for recipe in list_for(able)] == ["vectors-16"]


def test_a_directory_that_cannot_be_written_costs_only_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    assert CodeCache(tmp_path / "file" / "kernels").get(b"key", lambda: b"code") == b"code"
    assert "not kept" in caplog.text


def test_a_kernel_that_finds_wrong_nonces_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from minequeue.workers.kernels import machine_code  # noqa: PLC0415  # to be changed

    def make_wrong(_: object) -> Search:
        return lambda header_prefix, start, count: start + 1 if count else None  # noqa: ARG005

    monkeypatch.setattr(machine_code, "make_search", make_wrong)
    with caplog.at_level(logging.WARNING):
        assert load_search(tmp_path).name == HASHLIB
    assert "finds wrong nonces" in caplog.text
    assert "searched with hashlib" in caplog.text


def test_without_llvmlite_hashlib_searches_and_says_so(tmp_path: Path) -> None:
    program = (
        "import sys, logging; sys.modules['llvmlite'] = None; logging.basicConfig()\n"
        "from pathlib import Path; from minequeue.workers.kernels import load_search\n"
        f"print(load_search(Path({str(tmp_path)!r})).name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == HASHLIB
    assert "searched with hashlib, far slower" in done.stderr


def test_the_fastest_kernel_is_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stroll(header_prefix: bytes, start: int, count: int) -> int | None:
        return search_with_hashlib(header_prefix, start, count)

    slow, fast = choice.Kernel("slow", stroll), choice.Kernel("fast", search_with_hashlib)
    seconds = {slow.search: 2.0, fast.search: 1.0}
    monkeypatch.setattr(choice, "_time", seconds.__getitem__)
    for kernels in ([slow, fast], [fast, slow]):
        monkeypatch.setattr(choice, "load_searches", lambda *_, found=kernels: found)
        assert load_search(tmp_path) is fast
