"""Which kernels a processor can run."""

from collections.abc import Iterator

from workers.kernels.instructions import ArmSha, X86Sha
from workers.kernels.loop import Hashing
from workers.kernels.machine_code import Processor
from workers.kernels.vectors import Vectors

_LANES = {"avx512f": 16, "avx2": 8}  # by the processor's feature, the widest first
_ANY_LANES = 4  # SSE2, NEON; LLVM splits them where a processor has no vectors at all


def list_for(processor: Processor) -> Iterator[tuple[str, Hashing]]:
    """Name each kernel that ``processor`` can run, and its way to hash."""
    if processor.architecture == "x86_64" and {"sha", "sse4.1"} <= processor.features:
        yield "x86-sha", X86Sha()
    if processor.architecture in {"aarch64", "arm64"} and "sha2" in processor.features:
        yield "arm-sha2", ArmSha()
    lanes = next((n for feature, n in _LANES.items() if feature in processor.features), _ANY_LANES)
    yield f"vectors-{lanes}", Vectors(lanes)
