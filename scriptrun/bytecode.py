"""Byte-compile all that is in an environment, so that no start has to, also where nobody can write to it."""

from __future__ import annotations

from collections.abc import Mapping

from scriptrun import generations, launch, paths, process
from scriptrun.errors import CacheError

_COMPILE = """\
import importlib.util, os, py_compile, sys
current = importlib.util.MAGIC_NUMBER + bytes([1, 0, 0, 0])
for directory, _, names in (found for top in sys.argv[1:] for found in os.walk(top)):
    for name in names:
        if name.endswith(".py"):
            source = os.path.join(directory, name)
            target = importlib.util.cache_from_source(source)
            try:
                with open(target, "rb") as file:
                    if file.read(8) == current:
                        continue
            except OSError:
                pass
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            try:
                py_compile.compile(source, doraise=True, invalidation_mode=mode)
            except OSError as error:
                sys.exit("%s: %s" % (target, error.strerror))
            except Exception:
                pass
"""
"""Compile every module that is not yet: byte code that counts whatever the time of its source, which never changes.

Copies and layers of images set times anew, and byte code that goes by them would be made again at each start. Files are
written by rename, so who imports them meanwhile sees none of it. What is no Python (templates, tests) is passed over.
"""


def compile_all(environment: str, environ: Mapping[str, str]) -> None:
    """Byte-compile the distributions in an environment, with its own Python. Raises CacheError and Interrupted."""
    variables = {name: value for name, value in environ.items() if name not in launch.BREAKS_VENV}
    command = [paths.python(environment), "-I", "-S", "-c", _COMPILE, f"{environment}/lib"]
    try:
        finished = process.run(command, environment=variables, directory=environment)
        if finished.status == 0:
            generations.settle(environment)
            return
        reason = finished.output.strip()[-2000:]
    except OSError as error:
        reason = str(error)
    raise CacheError(f"`{environment}` cannot be byte-compiled", details=reason)
