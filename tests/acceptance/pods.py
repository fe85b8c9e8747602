"""A pod without a cluster: its command, variables, user and file system, in a mount namespace."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.manifests import ROOT, Object

# the checkout is found at /mnt, since /tmp is the pod's own; a Python that lies in somebody's home
# is put where it was, with nothing around it that keeps the pod's user out
_START = """
set -e
mount --bind "$CHECKOUT" /mnt
if [ -n "$HOME_OF_PYTHON" ]; then
  mount --bind "$PYTHON" /media
  mount -t tmpfs -o mode=755 tmpfs "$HOME_OF_PYTHON"
  mkdir -p "$PYTHON"
  mount --bind -o ro /media "$PYTHON"
  mount -o remount,ro "$HOME_OF_PYTHON"
fi
mount --bind "$TMP" /tmp
mount -o remount,ro,bind /
mount -o remount,ro,bind /mnt
cd /mnt
exec setpriv --reuid="$USER_ID" --regid="$GROUP_ID" --clear-groups --no-new-privs \
  --bounding-set=-all --inh-caps=-all -- "$@"
"""
_PYTHON = Path("/mnt") / Path(sys.executable).relative_to(ROOT)


class Pod:
    """Runs the only container of a pod.

    Args:
        pod: its specification.
        variables: the container's.
        tmp: the directory that is its volume at /tmp.
    """

    def __init__(self, pod: Object, variables: Mapping[str, str], tmp: Path) -> None:
        [self.container] = pod["containers"]
        assert self.container["securityContext"]["readOnlyRootFilesystem"] is True
        self._grace_s = pod["terminationGracePeriodSeconds"]
        context = pod["securityContext"]
        home = str(Path(*Path(sys.base_prefix).parts[:2]))
        os.chown(tmp, context["runAsUser"], context["fsGroup"])
        self._start = {
            "CHECKOUT": str(ROOT),
            "TMP": str(tmp),
            "PYTHON": sys.base_prefix,
            "HOME_OF_PYTHON": "" if home.startswith("/usr") else home,
            "USER_ID": str(context["runAsUser"]),
            "GROUP_ID": str(context["runAsGroup"]),
        }
        self._variables = variables
        self._log = tmp.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Pod":
        """Start the container's command."""
        command = [*self.container["command"], *self.container["args"]]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                self._enter(command),
                env=self._start,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def run(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        """Run a command in it, as a probe does."""
        entered = self._enter(command)
        return subprocess.run(entered, env=self._start, capture_output=True, text=True, check=False)

    def stop(self) -> int:
        """Ask it to stop, and give it as long as its cluster would; the exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(self._grace_s)

    def kill(self) -> None:
        """Kill all that is left of it, as the end of a container does."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def said(self) -> str:
        return self._log.read_text()

    def _enter(self, command: list[str]) -> list[str]:
        """The command in a namespace of its own, by this installation's Python."""
        program = {"minequeue": [str(_PYTHON), "-m", "minequeue"], "python3": [str(_PYTHON)]}
        words = [*program.get(command[0], [command[0]]), *command[1:]]
        variables = [f"{name}={value}" for name, value in self._variables.items()]
        inside = ["env", "-i", f"PATH={os.defpath}", *variables, *words]
        return ["unshare", "--mount", "sh", "-c", _START, "pod", *inside]
