import socket
from typing import Any

import pytest
from celery.utils.nodenames import default_nodename
from click.testing import CliRunner

from compose import processes
from compose.cli import cli


@pytest.mark.parametrize("name", ["miner", "miner@somewhere"])
@pytest.mark.parametrize(
    ("arguments", "called"), [([], "run_worker"), (["--check"], "check_worker")]
)
def test_a_worker_has_one_name_for_celery_the_ledger_and_its_probe(
    monkeypatch: pytest.MonkeyPatch, name: str, arguments: list[str], called: str
) -> None:
    given: list[str] = []

    def remember(_settings: Any, whole: str) -> None:
        given.append(whole)

    monkeypatch.setattr(processes, called, remember)
    done = CliRunner().invoke(cli, ["worker", "--name", name, *arguments])
    assert done.exit_code == 0, done.output
    assert given == [name if "@" in name else f"{name}@{socket.gethostname()}"]
    assert default_nodename(given[0]) == given[0]  # Celery takes it as it is
