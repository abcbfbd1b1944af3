"""JupyterHub for a class that works with posenb on CPUs; classroom.md beside it tells how.

The upper part is meant to be changed. Pupils are processes of the account that the hub runs
under, each with a folder of its own: good for a class, no fence against ill will.
"""

import json
import os
import resource
import sys
from pathlib import Path

from jupyterhub.spawner import SimpleLocalProcessSpawner

# --- what to change ------------------------------------------------------------------

FOLDER = Path(os.environ.get("POSENB_CLASSROOM", "/srv/classroom"))
URL = os.environ.get("POSENB_CLASSROOM_URL", "http://127.0.0.1:8000")  # http://:8000 for others
PUPILS = 30  # servers at once
MEMORY = "2G"  # of each notebook and each server, not of all together
LARGEST_FILE = 2 * 1024**3  # bytes
THREADS = 1  # of one pupil's analysis; the cores are shared by all anyway
IDLE = 30  # minutes until a forgotten notebook ends; finished files stay

# --- who may come in -----------------------------------------------------------------

password = os.environ.get("POSENB_CLASSROOM_PASSWORD", "")
if len(password) < 8:
    sys.exit(
        "The pupils share a password of at least 8 characters; POSENB_CLASSROOM_PASSWORD has "
        f"{len(password)}. Set it and start again."
    )

c = get_config()  # noqa: F821  # JupyterHub's own name in this file

c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = password
c.Authenticator.allow_all = True
c.Authenticator.username_pattern = r"[a-z][a-z0-9-]{0,30}"  # names become folders

# --- what a pupil gets ---------------------------------------------------------------


class PupilSpawner(SimpleLocalProcessSpawner):
    """A server with a folder of its own and limits that the system sees to."""

    def make_preexec_fn(self, name):
        """Return what the new process does before it becomes the server."""
        enter_folder, memory = super().make_preexec_fn(name), int(self.mem_limit)

        def prepare():
            os.umask(0o077)
            enter_folder()
            # A notebook that asks for more gets a MemoryError; the others notice nothing.
            resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
            resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
            os.nice(5)  # the hub answers while all pupils compute

        return prepare


c.JupyterHub.spawner_class = PupilSpawner
c.PupilSpawner.home_dir_template = str(FOLDER / "pupils" / "{username}")
c.Spawner.notebook_dir = str(FOLDER / "pupils" / "{username}")
c.Spawner.mem_limit = MEMORY
c.Spawner.cpu_limit = THREADS
c.Spawner.environment = {
    "POSENB_CACHE": str(FOLDER / "cache"),  # one for all; posenb only reads it
    "POSENB_ZOO": os.environ.get("POSENB_ZOO", ""),  # further models
    "OMP_NUM_THREADS": str(THREADS),
    "OPENBLAS_NUM_THREADS": str(THREADS),
    "MALLOC_ARENA_MAX": "2",  # less memory for each thread
    "CUDA_VISIBLE_DEVICES": "",  # no GPU, whatever the machine has
    "JUPYTER_CONFIG_PATH": str(FOLDER / "hub" / "jupyter"),
}
c.Spawner.args = [
    f"--MappingKernelManager.cull_idle_timeout={60 * IDLE}",
    "--MappingKernelManager.cull_interval=60",
    "--MappingKernelManager.cull_connected=True",  # a forgotten tab keeps nothing
    f"--ServerApp.shutdown_no_activity_timeout={120 * IDLE}",
]
c.Spawner.start_timeout = 180  # a whole class starts at once, on few cores
c.Spawner.http_timeout = 180
c.JupyterHub.active_server_limit = PUPILS

# --- the hub itself ------------------------------------------------------------------

for part, mode in (("hub", 0o700), ("pupils", 0o711)):
    (FOLDER / part).mkdir(parents=True, exist_ok=True)
    (FOLDER / part).chmod(mode)
# JupyterLab would ask each pupil whether it may fetch news.
look = FOLDER / "hub" / "jupyter" / "labconfig" / "page_config.json"
look.parent.mkdir(parents=True, exist_ok=True)
look.write_text(
    json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}})
)
c.JupyterHub.bind_url = URL
c.JupyterHub.db_url = f"sqlite:///{FOLDER / 'hub' / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(FOLDER / "hub" / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(FOLDER / "hub" / "proxy.pid")
