"""Which kernels there are, and which of them a processor can run."""

from dataclasses import dataclass

from minequeue.workers.kernels.instructions import ArmSha, X86Sha
from minequeue.workers.kernels.loop import Hashing
from minequeue.workers.kernels.machine_code import Processor
from minequeue.workers.kernels.vectors import Vectors


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a kernel is made of.

    Attributes:
        name: as people see it.
        hashing: its way to hash.
        needs: LLVM's names of what a processor has to have for it.
    """

    name: str
    hashing: Hashing
    needs: frozenset[str]


def _vectors(lanes: int, *needs: str) -> Recipe:
    return Recipe(f"vectors-{lanes}", Vectors(lanes), frozenset(needs))


_SHA = {
    "x86_64": [Recipe("x86-sha", X86Sha(), frozenset({"sha", "sse4.1"}))],
    "aarch64": [Recipe("arm-sha2", ArmSha(), frozenset({"sha2"}))],
    "arm64": [Recipe("arm-sha2", ArmSha(), frozenset({"sha2"}))],
}
# the widest first
_WIDE = {"x86_64": [_vectors(16, "avx512f"), _vectors(8, "avx2")]}
# SSE2, NEON; LLVM splits them where a processor has no vectors at all
_ANY = _vectors(4)


def list_all(architecture: str) -> list[Recipe]:
    """Each kernel that some processor of ``architecture`` can run."""
    return [*_SHA.get(architecture, []), *_list_vectors(architecture)]


def list_for(processor: Processor) -> list[Recipe]:
    """Each kernel that ``processor`` can run; of the vectors, which come last, the widest alone."""

    def keep_able(recipes: list[Recipe]) -> list[Recipe]:
        return [one for one in recipes if one.needs <= processor.features]

    architecture = processor.architecture
    return [
        *keep_able(_SHA.get(architecture, [])),
        keep_able(_list_vectors(architecture))[0],
    ]


def _list_vectors(architecture: str) -> list[Recipe]:
    return [*_WIDE.get(architecture, []), _ANY]
