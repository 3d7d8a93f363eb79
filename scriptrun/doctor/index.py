"""Ask the index as pip would, with pip's configuration, and fetch nothing but a page."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Mapping

from packaging.requirements import Requirement

from scriptrun import consult, metadata, pip_options, request, resolve
from scriptrun.arguments import Invocation, Options
from scriptrun.doctor.findings import NOTE, OK, PROBLEM, Finding, of_error
from scriptrun.errors import InstallError
from scriptrun.order import Order
from scriptrun.pip_messages import UnknownDistribution, Unsatisfiable
from scriptrun.resolve import Wanted

_ASKING = {"PIP_RETRIES": "0", "PIP_TIMEOUT": "10"}
"""How pip asks: once, and it waits for so many seconds."""

_LIMIT = {"prepare-timeout": "20"}
"""After how many seconds without progress pip is ended, also where it waits for what has no limit, such as a name."""

_ANY = "pip"
"""What is asked for where no script says. An index that does not have it answers all the same."""


def of_machine(options: Options, environ: Mapping[str, str]) -> Finding:
    """Return whether the index answers, whatever script is run. Raises ScriptrunError."""
    nothing = Invocation("code", "", [], options)
    wanted = resolve.resolve(request.read(nothing, environ), environ)
    try:
        return _ask(wanted, environ, _ANY)
    except UnknownDistribution:
        return Finding(OK, "index", "answers")
    except InstallError as error:
        return of_error("index", error)


def of_script(wanted: Wanted, environ: Mapping[str, str], *, ready: bool) -> Finding:
    """Return whether the index answers for what a script asks for first; if it is `ready`, that is only worth a note.

    Raises ScriptrunError.
    """
    asked = wanted.order(environ, _silent).wanted
    names = [one.requirement.name for one in asked if one.requirement.url is None]
    if not names:
        return Finding(OK, "index", "not needed")
    try:
        return _ask(wanted, environ, names[0])
    except InstallError as error:
        return of_error("index", error, NOTE if ready else PROBLEM)


def _silent(_line: str) -> None:
    """Show nothing of what pip writes."""


def _ask(wanted: Wanted, environ: Mapping[str, str], name: str) -> Finding:
    """Return that the index answers, asked for a version of `name` that cannot be: a page is fetched, and no file.

    Raises InstallError where it does not, and other kinds of ScriptrunError.
    """
    order = _order(wanted, environ, f"{name}<0")
    if wanted.options.flag("offline"):
        return Finding(NOTE, "index", "not asked: offline")
    if pip_options.asks_no_index(order):
        return Finding(NOTE, "index", "not asked: no-index")
    with tempfile.TemporaryDirectory() as directory, contextlib.suppress(Unsatisfiable):  # the cache may be at fault
        consult.candidates(order, directory)
    return Finding(OK, "index", f"answers, and has `{name}`")


def _order(wanted: Wanted, environ: Mapping[str, str], requirement: str) -> Order:
    """Return an order for one requirement, from where `wanted` comes from."""
    options = Options({**dict(wanted.options.given()), **_LIMIT}, wanted.options.places())
    plain = wanted._replace(lock=None, options=options)
    order = plain.order({**environ, **_ASKING}, _silent)
    asked = (metadata.Asked(Requirement(requirement), ""),)
    spec = order.spec._replace(requirements=(requirement,), constraints=(), editable=(), lock="")
    return order._replace(spec=spec, asked=asked, constraints=())
