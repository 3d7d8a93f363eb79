"""Run pip inside the environment that it is to install into; started by the environment's own Python, of any version.

Arguments: the environment, pip's runner, the oldest Python that this pip runs on as `3.10`, and a file with pip's own
arguments, the rules of `pip_rules` and the target of `pip_target` (null: none), what is kept, where wheels are to be
copied, and the file that `pip_listings` is to write (empty: none), as JSON: everybody can read a command line, and a
requirement may hold a password.
"""

import gc
import glob
import json
import logging
import os
import re
import runpy
import shutil
import signal
import socket
import sys
import threading


class Unfetched(logging.Handler):
    """Tells which pages of an index pip could not fetch: it keeps that to itself, and then finds no distribution."""

    def emit(self, record):
        text = record.getMessage()
        if text.startswith("Could not fetch URL"):
            print("WARNING: " + text, flush=True)


def count_received():
    """Let a file grow by a byte for each 4 KiB that come from the network.

    scriptrun sees by the size of the directory of work that pip gets on; pip keeps the pages of an index in memory.
    """
    received, readinto = [0], socket.SocketIO.readinto
    file = open(os.path.join(os.environ["TMPDIR"], "received"), "wb", buffering=0)

    def readinto_and_count(self, buffer):
        size = readinto(self, buffer)
        whole, received[0] = divmod(received[0] + (size or 0), 4096)
        if whole:
            try:
                file.write(bytes(whole))
            except OSError:  # the disk is full: pip would take it for a failure of the network
                pass
        return size

    socket.SocketIO.readinto = readinto_and_count


def watch(lifeline):
    """See to it that all that pip starts ends with it, and that pip ends when the lifeline breaks.

    On Linux, pip goes on in a child: this process adopts what pip's children leave running, also in groups and sessions
    of their own, so that it finds and kills all of them. It kills them as well when scriptrun, at the other end of the
    lifeline, dies or closes it. Elsewhere the process group has to do.
    """
    if sys.platform == "linux":
        control(36, 1)  # PR_SET_CHILD_SUBREAPER
        pip = os.fork()
        if not pip:
            control(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: should the one that watches be killed, pip ends too
            os.close(lifeline)
            return
    threading.Thread(target=end_with, args=(lifeline,), daemon=True).start()
    if sys.platform == "linux":
        os._exit(await_end(pip))


def control(option, value):
    """Call Linux's prctl; a Python without `ctypes` has to do without what it would change."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        pass


def end_with(lifeline):
    """Kill pip and all that it started when the other end of the pipe is closed."""
    os.read(lifeline, 1)
    if not kill_descendants():
        os.killpg(0, signal.SIGKILL)


def await_end(pip):
    """Wait for the end of pip, end what it left running, and return its status as a shell would."""
    ended = None
    while ended != pip:
        ended, status = os.wait()
    while has_children() and kill_descendants():  # as a rule pip leaves none; another user's cannot be waited for
        os.wait()
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def has_children():
    """Tell whether this process has a child, also one that has ended and was not waited for."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except OSError:
        return False
    return True


def kill_descendants():
    """Kill all processes that descend from this one; tell whether there was one that could be killed."""
    family, killed = {os.getpid()}, False
    parents = dict(parents_of_processes())
    while True:
        found = {pid for pid, parent in parents.items() if parent in family} - family
        if not found:
            return killed
        family |= found
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
                killed = True
            except OSError:  # it has ended, or belongs to another user
                pass


def parents_of_processes():
    """Yield number and parent's number of each process; none where there is no /proc."""
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, "rb") as file:
                yield int(path.split("/")[2]), int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, IndexError):
            pass


def bundled_pip():
    """Return path and version, as (major, minor), of the pip that this Python brings along: it is too old for scriptrun's."""
    directories = ["/usr/share/python-wheels"]
    try:
        import ensurepip

        directories.insert(0, os.path.join(os.path.dirname(ensurepip.__file__), "_bundled"))
    except ImportError:  # a package of its own in some systems
        pass
    for directory in directories:
        for wheel in glob.glob(os.path.join(directory, "pip-*.whl")):
            version = re.search(r"pip-(\d+)\.(\d+)", wheel)
            return wheel, (int(version.group(1)), int(version.group(2)))
    fail("this Python is too old for scriptrun's pip, and brings none of its own (its module `ensurepip` is missing)")


def fail(text):
    """End with an error that scriptrun recognises among what pip says."""
    sys.exit("ERROR: scriptrun: " + text)


def adapt(arguments, version):
    """Take out what this old pip does not know, where it may be left out."""
    if arguments[0] == "lock":
        fail("this Python needs an old pip, %d.%d, which makes no locks; ask for another with --python" % version)
    if version < (26, 0) and "--uploaded-prior-to" in arguments:
        fail("this Python needs an old pip, %d.%d, which knows nothing like --exclude-newer" % version)
    if version < (26, 0) and "--only-final" in arguments:
        fail("this Python needs an old pip, %d.%d, which cannot leave out pre-releases altogether" % version)
    if "--editable" in arguments:  # else it may leave nothing in the environment that tells of the distribution
        arguments.insert(1, "--use-pep517")
    if "--use-feature" in arguments:
        at = arguments.index("--use-feature")
        del arguments[at : at + 2]
    if version < (24, 1):
        arguments[arguments.index("--progress-bar") + 1] = "off"
    if version < (22, 2):
        at = arguments.index("--report")
        del arguments[at : at + 2]


def beside(name):
    """Return what is in a program beside this one: it is run from its file, as this one is, and nothing is written."""
    return runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), name))


def keep(rules, old=False):
    """Let pip ask only where the rules say."""
    own = beside("pip_rules.py")
    own["keep"](rules)
    if old:
        own["refuse_builds"]()


def spare_collections():
    """Let Python look for garbage rarely; return what keeps it from doing so when it ends, several times over.

    pip makes little, and lives for a moment: a quarter of its time would go that way.
    """
    if not hasattr(gc, "freeze"):  # PyPy has collectors of another kind
        return lambda: None
    gc.set_threshold(100000, 50, 50)
    return gc.freeze


def spare_processes():
    """Keep pip from starting `lsb_release` and `uname` for its User-Agent: /etc/os-release has told it the same.

    In Debian the first is a shell with five programs. A pip in which these have other names starts them.
    """
    try:
        from pip._vendor.distro import distro

        distro._distro.include_lsb = distro._distro.include_uname = False
    except (ImportError, AttributeError):
        pass


def leave_out(kept):
    """Let pip unpack no wheel that is in the store, of which these are the names; say which in a file.

    Of what a URL names, pip itself writes down which. A pip that installs in another manner installs all.
    """
    try:
        from pip._internal.commands import install

        install_all = install.install_given_reqs
    except (ImportError, AttributeError):
        return
    names = {name.rpartition("-")[2]: name for name in kept}
    file = os.path.join(os.environ["TMPDIR"], "kept.txt")

    def name_of(requirement):
        try:
            digest = (
                "" if requirement.is_direct else requirement.download_info.to_dict()["archive_info"]["hashes"]["sha256"]
            )
        except (AttributeError, KeyError, TypeError):
            digest = ""
        return names.get(digest[:32])

    def install_rest(requirements, *arguments, **options):
        found = [(one, name_of(one)) for one in requirements]
        with open(file, "a", encoding="utf-8") as lines:
            lines.writelines("%s %s\n" % (one.name, name) for one, name in found if name)
        return install_all([one for one, name in found if not name], *arguments, **options)

    install.install_given_reqs = install_rest


def copy_wheels(directory):
    """Let pip copy each wheel that it installs, downloaded or built, into a directory."""
    from pip._internal.commands import install

    install_all = install.install_given_reqs

    def copy_and_install(requirements, *arguments, **options):
        requirements = list(requirements)
        for one in requirements:
            shutil.copy(one.local_file_path, directory)
        return install_all(requirements, *arguments, **options)

    install.install_given_reqs = copy_and_install


def run_own(runner, told):
    """Run scriptrun's pip; where it succeeds, write what it found of projects to a file (empty: nowhere)."""
    sys.path.append(os.path.dirname(os.path.dirname(runner)))
    spare_processes()
    if told["rules"] is not None:
        keep(told["rules"])
    if told["kept"]:
        leave_out(told["kept"])
    if told["target"] is not None:
        beside("pip_target.py")["aim"](told["target"])
    if told["wheels"]:
        copy_wheels(told["wheels"])
    file = told["listings"]
    listings = beside("pip_listings.py")["Listings"]()
    if file:
        listings.watch()
    sys.path.pop()
    settled = spare_collections()
    try:
        runpy.run_path(runner, run_name="__main__")
    except SystemExit as ended:
        if file and not ended.code:
            listings.write(file)
        raise
    finally:
        settled()


def main():
    environment, runner, oldest, file = sys.argv[1:]
    with open(file, encoding="utf-8") as content:
        told = json.load(content)
    arguments, rules = told["arguments"], told["rules"]
    if sys.prefix == sys.base_prefix or not os.path.samefile(sys.prefix, environment):
        fail("%s is not the environment %s: nothing is installed" % (sys.prefix, environment))
    lifeline = os.environ.pop("SCRIPTRUN_LIFELINE", "")
    if lifeline and hasattr(os, "killpg"):
        watch(int(lifeline))
    count_received()
    fetching = logging.getLogger("pip._internal.index.collector")
    fetching.setLevel(logging.DEBUG)
    fetching.addHandler(Unfetched())
    if sys.version_info[:2] >= tuple(int(part) for part in oldest.split(".")):
        sys.argv = [runner] + arguments
        run_own(runner, told)
        return
    wheel, version = bundled_pip()
    adapt(arguments, version)
    sys.argv = ["pip"] + arguments
    sys.path.insert(0, wheel)
    if rules is not None:
        keep(rules, old=True)
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


main()
