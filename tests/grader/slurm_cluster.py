"""A real Slurm on localhost: munged, slurmctld and one slurmd with two CPUs, started and ended by a test."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

NEEDED = {"munged": "munge", "slurmctld": "slurm-wlm", "slurmd": "slurm-wlm", "sbatch": "slurm-wlm",
          "squeue": "slurm-wlm", "scontrol": "slurm-wlm"}
ENVIRONMENT = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}


def missing() -> list[str]:
    """Debian packages that are needed and not installed."""
    return sorted({package for program, package in NEEDED.items()
                   if shutil.which(program, path=ENVIRONMENT["PATH"]) is None})


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Cluster:
    """One node named node1. Everything it writes is under FOLDER; ends with `stop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conf = folder / "slurm.conf"
        self.processes: dict[str, subprocess.Popen] = {}
        for name in ("spool", "state"):
            (folder / name).mkdir()
        key = folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        os.chmod(key, 0o400)
        os.chmod(folder, 0o755)
        self.socket = folder / "munge.socket"
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        self.conf.write_text(f"""
ClusterName=test
SlurmctldHost={socket.gethostname().split('.')[0]}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={self.socket},cred_expire=5
CredType=cred/munge
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0
ReturnToService=2
SlurmdTimeout=5
SlurmctldTimeout=5
InactiveLimit=0
KillWait=1
BatchStartTimeout=1
MinJobAge=30
JobRequeue=1
NodeName=node1 NodeAddr=127.0.0.1 NodeHostname={socket.gethostname().split('.')[0]} CPUs=2 State=UNKNOWN
PartitionName=main Nodes=node1 Default=YES MaxTime=INFINITE State=UP
""".lstrip())
        self.environment = {**ENVIRONMENT, "SLURM_CONF": str(self.conf)}

    def start(self) -> None:
        """Starts all three daemons and waits until the node takes jobs."""
        self._start("munged", "--foreground", "--force", f"--socket={self.socket}",
                    f"--key-file={self.folder}/munge.key", f"--pid-file={self.folder}/munge.pid",
                    f"--log-file={self.folder}/munge.log", f"--seed-file={self.folder}/munge.seed")
        wait_for(self.socket.exists, "munged makes its socket", self)
        self._start("slurmctld", "-D", "-f", str(self.conf))
        self.start_node()

    def start_node(self) -> None:
        """Starts slurmd, at first or after kill_node."""
        self._start("slurmd", "-D", "-f", str(self.conf), "-N", "node1")
        wait_for(lambda: self.command("sinfo", "-h", "-o", "%T").stdout.strip() in ("idle", "mixed", "allocated"),
                 "the node is ready", self)

    def kill_node(self) -> None:
        """Power off: slurmd and every process of its jobs, all by SIGKILL."""
        daemon = self.processes.pop("slurmd")
        for pid in [*children(daemon.pid), *self._jobs()]:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
        daemon.kill()
        daemon.wait()

    def _jobs(self) -> list[int]:
        """slurmstepd leaves slurmd's family; it and its children are known by our folder in their environment."""
        found = []
        mark = f"SLURM_CONF={self.conf}".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if mark in words and any(word.startswith(b"SLURM_JOB_ID=") for word in words):
                found.append(int(entry.name))
            elif (entry / "comm").read_text().strip() == "slurmstepd" and mark in words:
                found.append(int(entry.name))
        return found

    def command(self, *argv: str) -> subprocess.CompletedProcess:
        """A Slurm command against this cluster."""
        return subprocess.run(argv, env=self.environment, capture_output=True, text=True, check=False, timeout=60)

    def stop(self) -> None:
        """Ends everything that was started."""
        if "slurmctld" in self.processes:
            self.command("scancel", "--user", self.command("id", "-un").stdout.strip(), "--signal=KILL")
            time.sleep(0.2)
        if "slurmd" in self.processes:
            self.kill_node()
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, program: str, *args: str) -> None:
        with open(self.folder / f"{program}.out", "ab") as log:
            self.processes[program] = subprocess.Popen([program, *args], env=self.environment, stdout=log,
                                                       stderr=log, stdin=subprocess.DEVNULL)


def children(pid: int) -> list[int]:
    """All descendants of PID."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            found += [child, *children(child)]
    return found


def wait_for(condition, what: str, cluster: Cluster, seconds: float = 40) -> None:
    """Waits until CONDITION holds, or fails with the daemons' last words."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            logs = "\n".join(f"--- {path.name}\n" + path.read_text(errors='replace')[-1500:]
                             for path in sorted(cluster.folder.glob("*.log")) + sorted(cluster.folder.glob("*.out")))
            raise AssertionError(f"not within {seconds} s: {what}\n{logs}")
        time.sleep(0.1)
