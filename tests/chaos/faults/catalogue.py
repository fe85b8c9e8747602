"""Which faults there are."""

from collections.abc import Callable

import psutil

from tests.chaos.faults.clients import CutUploads
from tests.chaos.faults.clock import ClockJump
from tests.chaos.faults.cluster import ClusterFailover, ClusterRestart
from tests.chaos.faults.fault import Fault
from tests.chaos.faults.fleet import ScaleToZero, WrongClock
from tests.chaos.faults.freezes import Freeze
from tests.chaos.faults.kills import Kill, KillSupervisor
from tests.chaos.faults.network import SCRIPTS, Caught, Cuts, Delays, Silence
from tests.chaos.faults.second import SecondServer
from tests.chaos.faults.storage import FullDisk, FullMemory, TornLog
from tests.chaos.field import Field, Kind

CRASH_POINTS = ("submit", "open_candidate", "claim_range", "place_transactions", "connect_block")


def make_faults(kind: Kind) -> list[Fault]:
    """A fresh one of each that a field of ``kind`` can meet, in an order that never changes."""
    return [fault for fault in make_all_faults() if fault.kind == kind]


def make_all_faults() -> list[Fault]:
    """A fresh one of each."""
    return [
        Kill("kill pool process", Field.miners, is_all=False, times="moved"),
        Kill("kill workers", lambda field: field.stack.processes_of("worker"), times="moved"),
        Kill("kill web", Field.web),
        Kill("kill server", Field.servers, times="resumed"),
        KillSupervisor(),
        Freeze("freeze worker", _one(Field.worker_main)),
        Freeze("freeze pool process", Field.miners),
        Freeze("freeze web", Field.web),
        Freeze("freeze server", Field.servers),
        FullMemory(),
        FullDisk(),
        ScaleToZero(),
        CutUploads(),
        SecondServer(),
        Cuts(),
        Caught("cut replies", (*SCRIPTS, "claim_range", "read_queue"), "within", most=10),
        Delays(),
        Silence(),
        Caught("lost replies", SCRIPTS, "after", most=20),
        Caught("half a call", ("connect_block", "open_candidate"), "midway", most=10),
        TornLog(),
        WrongClock(),
        ClockJump(),
        *(
            Caught(f"crash {moment} {script}", (script,), moment, kill=True)
            for script in CRASH_POINTS
            for moment in ("before", "after")
        ),
        Caught("crash midway connect_block", ("connect_block",), "midway", kill=True),
        ClusterFailover(),
        ClusterRestart(),
    ]


def _one(find: Callable[[Field], psutil.Process | None]) -> Callable[[Field], list[psutil.Process]]:
    def find_all(field: Field) -> list[psutil.Process]:
        found = find(field)
        return [found] if found else []

    return find_all
