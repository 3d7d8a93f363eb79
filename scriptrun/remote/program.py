"""Read the program at a URL, as `source` reads one from a path."""

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping

    from scriptrun.arguments import Options

from scriptrun import location
from scriptrun.remote import kept
from scriptrun.source import Source


def read(url: str, options: "Options", environ: "Mapping[str, str]") -> Source:
    """Return the program at `url`: the copy that is kept, or what is fetched now, if it is trusted.

    Raises RemoteError, ConfigurationError, MetadataError, CacheError, UsageError and Interrupted.
    """
    cache = location.find(environ).writable()
    plain = kept.canonical(url)
    program = kept.find(cache, plain)
    if program is None or options.flag("refresh") or options.value("trust") or location.configured(environ):
        location.find_libraries()
        from scriptrun import signals
        from scriptrun.remote import acquisition  # all of HTTP

        with signals.interruptible("fetching the program"):
            program = acquisition.acquire(url, options, environ, cache)
    kept.touch(cache, plain)
    return program
