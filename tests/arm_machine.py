"""An emulated ARM processor that runs an object file, so that ARM's kernels run everywhere."""

import io
import struct
from typing import Any

import unicorn
from elftools.elf.elffile import ELFFile
from unicorn import arm64_const as arm

_CODE, _CONTEXT, _STACK, _END = 0x10_0000, 0x40_0000, 0x50_0000, 0x60_0000
_ROOM = 0x10_0000  # bytes of each
# R_AARCH64_MOVW_UABS_G0_NC and so on: which 16 bits of an address an instruction takes
_SHIFTS = {264: 0, 266: 16, 268: 32, 269: 48}


class ArmMachine:
    """Runs the function ``search`` of an object file, as ``workers.kernels.loop`` describes it."""

    def __init__(self, code: bytes) -> None:
        self._machine = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
        self._machine.ctl_set_cpu_model(arm.UC_CPU_ARM64_MAX)
        for start in (_CODE, _CONTEXT, _STACK, _END):
            self._machine.mem_map(start, _ROOM)
        self._entry = self._place(ELFFile(io.BytesIO(code)))

    def __call__(self, context: Any, low: int, count: int, bound: int) -> int:
        machine = self._machine
        machine.mem_write(_CONTEXT, bytes(context))
        for register, value in (
            (arm.UC_ARM64_REG_X0, _CONTEXT),
            (arm.UC_ARM64_REG_W1, low),
            (arm.UC_ARM64_REG_X2, count),
            (arm.UC_ARM64_REG_W3, bound),
            (arm.UC_ARM64_REG_SP, _STACK + _ROOM),
            (arm.UC_ARM64_REG_LR, _END),
            (arm.UC_ARM64_REG_CPACR_EL1, 3 << 20),  # the vector unit is on
        ):
            machine.reg_write(register, value)
        machine.emu_start(self._entry, _END)
        found: int = machine.reg_read(arm.UC_ARM64_REG_X0)
        return found

    def _place(self, elf: Any) -> int:
        """Load and relocate; gives the function's address."""
        addresses: dict[int, int] = {}
        free = _CODE
        for number, section in enumerate(elf.iter_sections()):
            if section["sh_type"] == "SHT_PROGBITS" and section["sh_size"]:
                addresses[number] = free
                self._machine.mem_write(free, section.data())
                free += -(-section["sh_size"] // 64) * 64
        for section in elf.iter_sections():
            if section["sh_type"] == "SHT_RELA" and section["sh_info"] in addresses:
                symbols = elf.get_section(section["sh_link"])
                for relocation in section.iter_relocations():
                    symbol = symbols.get_symbol(relocation["r_info_sym"])
                    target = addresses[symbol["st_shndx"]] + symbol["st_value"]
                    self._relocate(
                        addresses[section["sh_info"]] + relocation["r_offset"],
                        target + relocation["r_addend"] >> _SHIFTS[relocation["r_info_type"]],
                    )
        search = elf.get_section_by_name(".symtab").get_symbol_by_name("search")[0]
        return int(addresses[search["st_shndx"]] + search["st_value"])

    def _relocate(self, place: int, value: int) -> None:
        """Put 16 bits where MOVZ and MOVK have them."""
        (instruction,) = struct.unpack("<I", self._machine.mem_read(place, 4))
        self._machine.mem_write(place, struct.pack("<I", instruction | (value & 0xFFFF) << 5))
