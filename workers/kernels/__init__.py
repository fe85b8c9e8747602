"""Nonce search by machine code that is made here, for processors like this, without a compiler.

Each kernel writes the same loop in LLVM's intermediate language with another way to do SHA-256:
vectors of nonces, or the processor's SHA-256 instructions. llvmlite turns it into machine code in
less than a second; what was made once is kept on disk. The only part that imports llvmlite.
"""

from minequeue.workers.kernels.choice import Kernel, load_search, load_searches, make_all

__all__ = ["Kernel", "load_search", "load_searches", "make_all"]
