#!python
# ruff: noqa: EXE001 - installers replace the first line by the Python that they install for
"""Start the part of scriptrun that is written in Python; bytecode of this file is never cached, so it is short.

Installed twice: in the package, for `python -m scriptrun`, and as `scriptrun-python` beside the launcher, which learns
from its first line which Python to start.
"""

import os
import sys


def find_package() -> None:
    """Put the directory that holds the package on `sys.path`.

    The launcher starts Python without `site`, which takes as long as all the rest and is spared where an environment is
    ready. Only where the package is at none of the usual places (an editable installation) `site` has to find it.
    """
    root = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    library = os.path.join(root, "lib", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    for directory in (os.path.join(library, "site-packages"), os.path.join(library, "dist-packages"), root):
        if os.path.isfile(os.path.join(directory, "scriptrun", "decide.py")):
            sys.path.append(directory)
            return
    import site

    site.main()
    site.addsitedir(site.getusersitepackages())


def main() -> int:
    """Do what the command line asks for, and return the exit status."""
    if sys.flags.no_site:
        find_package()
    try:
        if sys.argv[1:] and sys.argv[1].startswith("--proven-record="):  # from the launcher
            from scriptrun import again

            sys.argv[1] = again.resume(sys.argv[1].partition("=")[2], sys.argv[2:], os.environ)
        from scriptrun import decide

        return decide.main(sys.argv[1:], os.environ)
    except ModuleNotFoundError as error:  # the Python was upgraded, or a dependency taken away
        sys.stderr.write(f"scriptrun: error: a part of it is missing for `{sys.executable}`: {error}\n")
        sys.stderr.write("hint: install scriptrun again\n")
        return 125
    except (ImportError, OSError) as error:  # no descriptors or no memory are left
        sys.stderr.write(f"scriptrun: error: a part of it cannot be loaded: {error}\n")
        return 125


if __name__ == "__main__":
    sys.exit(main())
