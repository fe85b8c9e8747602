"""From LLVM's intermediate language to machine code, and to a search that Python can call."""

import ctypes
import struct
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeAlias

from llvmlite import binding as llvm

from minequeue.chain.protocol.header import MAX_U64, put_nonce
from minequeue.chain.protocol.proof_of_work import Search, meets_target
from minequeue.workers.kernels.loop import BLOCK_WORDS, FIXED_WORDS, SEARCH

_WORD_BITS = 32
_HALF = 1 << _WORD_BITS  # nonces that share their upper half
_CONTEXT = ctypes.c_uint32 * (BLOCK_WORDS + FIXED_WORDS)
_PREFIX = struct.Struct(f">{BLOCK_WORDS + FIXED_WORDS - 1}I")
# releases the interpreter's lock while it runs, as every function called by ctypes
SIGNATURE = ctypes.CFUNCTYPE(
    ctypes.c_uint64, ctypes.POINTER(ctypes.c_uint32), ctypes.c_uint32, ctypes.c_uint64,
    ctypes.c_uint32,
)  # fmt: skip
Entry: TypeAlias = Callable[[Any, int, int, int], int]

llvm.initialize_all_targets()
llvm.initialize_all_asmprinters()


@dataclass(frozen=True, slots=True)
class Processor:
    """What machine code is made for.

    Attributes:
        triple: LLVM's name for architecture and system.
        model: LLVM's name for the processor.
        features: LLVM's names of what it can do.
    """

    triple: str
    model: str
    features: frozenset[str]

    @classmethod
    def here(cls) -> "Processor":
        """This machine's processor."""
        features = llvm.get_host_cpu_features()
        return cls(
            llvm.get_process_triple(),
            llvm.get_host_cpu_name(),
            frozenset(name for name, has_it in features.items() if has_it),
        )

    def with_only(self, features: frozenset[str]) -> "Processor":
        """The least processor of this architecture and system that has ``features``."""
        return Processor(self.triple, "generic", features)

    @property
    def architecture(self) -> str:
        """The first part of the triple."""
        return self.triple.partition("-")[0]

    def describe(self) -> bytes:
        """What a piece of machine code depends on besides its source."""
        features = ",".join(sorted(self.features))
        return f"{self.triple} {self.model} {features} {llvm.llvm_version_info}".encode()


def make_object(source: str, processor: Processor) -> bytes:
    """Make the object file of a module of LLVM's intermediate language."""
    module = llvm.parse_assembly(source)
    module.verify()
    machine = _target_machine(processor)
    module.triple = processor.triple
    module.data_layout = str(machine.target_data)
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    passes.getModulePassManager().run(module, passes)
    code: bytes = machine.emit_object(module)
    return code


def load_object(code: bytes) -> Entry:
    """Load an object file that was made for this machine; it stays for the process's life.

    Raises:
        RuntimeError: LLVM cannot read it.
    """
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target_machine(Processor.here()))
    engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    return SIGNATURE(engine.get_function_address(SEARCH))


_engines: list[Any] = []  # an engine that is collected takes its machine code along


def make_search(entry: Entry) -> Search:
    """A search that calls ``entry``."""

    def search(header_prefix: bytes, start: int, count: int) -> int | None:
        bits = int.from_bytes(header_prefix[4:8], "big")
        bound = (1 << (_WORD_BITS - min(bits, _WORD_BITS))) - 1
        words = _PREFIX.unpack(header_prefix)
        end = min(start + count, MAX_U64 + 1)
        while start < end:
            upper, lower = divmod(start, _HALF)
            most = min(end - start, _HALF - lower)
            offset = entry(_CONTEXT(*words, upper), lower, most, bound)
            if offset >= most:
                start += most
                continue
            nonce = start + offset
            # the first word was looked at; beyond 32 bits the rest decides
            if meets_target(sha256(put_nonce(header_prefix, nonce)).digest(), bits):
                return nonce
            start = nonce + 1
        return None

    return search


def _target_machine(processor: Processor) -> Any:
    return llvm.Target.from_triple(processor.triple).create_target_machine(
        cpu=processor.model,
        features=",".join(f"+{name}" for name in sorted(processor.features)),
        opt=3,
        jit=True,
    )
