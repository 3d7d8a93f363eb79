"""Run pip inside the environment that it is to install into; started by the environment's own Python, of any version.

Arguments: the environment, pip's runner, the oldest Python that this pip runs on as `3.10`, pip's own arguments.
"""

import glob
import os
import re
import runpy
import signal
import sys
import threading


def end_with(lifeline):
    """End this process group when the other end of the pipe is closed: scriptrun has died, and pip must not go on."""
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)


def bundled_pip():
    """Return the path of the pip that this Python brings along, for one that is too old for scriptrun's."""
    import ensurepip

    wheels = glob.glob(os.path.join(os.path.dirname(ensurepip.__file__), "_bundled", "pip-*.whl"))
    wheels += glob.glob("/usr/share/python-wheels/pip-*.whl")
    if not wheels:
        sys.exit("ERROR: this Python is too old for scriptrun's pip and brings none of its own")
    return wheels[0]


def main():
    environment, runner, oldest = sys.argv[1:4]
    arguments = sys.argv[4:]
    if sys.prefix == sys.base_prefix or not os.path.samefile(sys.prefix, environment):
        sys.exit("ERROR: %s is not the environment %s: nothing is installed" % (sys.prefix, environment))
    lifeline = os.environ.pop("SCRIPTRUN_LIFELINE", "")
    if lifeline and hasattr(os, "killpg"):
        threading.Thread(target=end_with, args=(int(lifeline),), daemon=True).start()
    if sys.version_info[:2] >= tuple(int(part) for part in oldest.split(".")):
        sys.argv = [runner] + arguments
        runpy.run_path(runner, run_name="__main__")
        return
    wheel = bundled_pip()
    version = re.search(r"pip-(\d+)\.(\d+)", wheel)
    if version and (int(version.group(1)), int(version.group(2))) < (22, 2):  # it knows no --report
        at = arguments.index("--report")
        del arguments[at : at + 2]
    sys.argv = ["pip"] + arguments
    sys.path.insert(0, wheel)
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


main()
