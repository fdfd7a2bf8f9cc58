# SPDX-License-Identifier: MIT
"""A program under test as a process: its log, its end, what it uses."""

import os
import re
import signal
import subprocess
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from .waiting import pass_time, wait_until

STOP_DEADLINE = 10.0


class Process:
    """Owns one child. Standard output and error go to one log file."""

    _lately: "deque[Process]" = deque(maxlen=4)

    def __init__(self, name: str, command: Sequence[str], log: Path, cwd: Path | None = None):
        self.name = name
        self.log_path = log
        self._mark = log.stat().st_size if log.exists() else 0
        with open(log, "ab") as output:
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=cwd,
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent), "NO_COLOR": "1"},
            )
        Process._lately.append(self)

    @classmethod
    def started_lately(cls) -> "list[Process]":
        """Those whose logs may explain a failure: all that run, and the last that ended."""
        return [process for process in cls._lately if process.log_path.exists()]

    @property
    def pid(self) -> int:
        return self._child.pid

    def alive(self) -> bool:
        return self._child.poll() is None

    # Its log

    def log(self) -> str:
        """What it has written since it started."""
        with open(self.log_path, "rb") as file:
            file.seek(self._mark)
            return re.sub(r"\x1b\[[\d;]*m", "", file.read().decode(errors="replace"))

    def wait_for_log(self, pattern: str, deadline: float = 15.0, count: int = 1) -> re.Match:
        """The `count`-th line that matches."""

        def found():
            matches = list(re.finditer(pattern, self.log()))
            if len(matches) >= count:
                return matches[count - 1]
            if not self.alive():
                raise AssertionError(f"{self.name} ended with {self._child.returncode}:\n{self.log()}")
            return None

        return wait_until(found, f"{self.name} logs /{pattern}/", deadline)

    # Its end

    def wait(self, deadline: float = STOP_DEADLINE) -> int:
        try:
            return self._child.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {deadline:g} s") from None

    def runs_on_for(self, seconds: float) -> bool:
        """Whether it does not end meanwhile."""
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def signal(self, number: signal.Signals) -> None:
        self._child.send_signal(number)

    def stop(self, deadline: float = STOP_DEADLINE) -> int:
        """Asks it to end (SIGTERM) and returns its exit status; kills one that does not obey, which is a failure."""
        self.signal(signal.SIGTERM)
        try:
            return self.wait(deadline)
        except AssertionError:
            self.kill()
            raise

    def kill(self) -> None:
        self._child.kill()
        self.wait()

    # What it uses

    def resident_bytes(self) -> int:
        return self._status("VmRSS")

    def resident_bytes_peak(self) -> int:
        return self._status("VmHWM")

    def descriptor_count(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_share(self, window: float) -> float:
        """How much of one core it uses from now on for `window` seconds."""
        began, before = time.monotonic(), self._cpu_seconds()
        pass_time(window)
        return (self._cpu_seconds() - before) / (time.monotonic() - began)

    def _cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status(self, key: str) -> int:
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{key}:\s+(\d+) kB", text, re.M).group(1)) * 1024
