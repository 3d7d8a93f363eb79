"""Put an environment that has gone together once more, where the question that it answered is remembered.

It does what `scriptrun.prepare` would, without what it takes to work out what that is. Where anything is unusual, it
leaves all of it to that, which also says what is wrong.
"""

import os

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scriptrun.recipe import Recipe
    from scriptrun.request import Request

from scriptrun import generations, launch, layout, paths, recipe
from scriptrun.launch import Answer
from scriptrun.store import assembly
from scriptrun.store.listing import Unusable


def prepare(asked: "Request", before: Answer, environ: "Mapping[str, str]") -> "Answer | None":
    """Return the answer to what is `asked`, whose environment has gone, with a new one that is claimed.

    None where this is not for here.
    """
    cache = asked.caches.own
    environment = _claimed(cache, before.environment, environ) if _is_usual(asked, before) else ""
    if not environment:
        return None
    answer = Answer(environment, "", provable=before.provable, env_files=before.env_files, overlap=before.overlap)
    launch.remember(cache, asked.question, answer, launch.PROVABLE if before.provable else launch.VALID)
    return answer


def resume(record: str, words: "Sequence[str]", environ: "Mapping[str, str]") -> str:
    """Become the script that `words` name, if its environment has gone; return the word for the rest if not for here.

    The launcher has found the record to be proof that the script needs just this environment. What it does not look at
    is for the rest: a cache of the system, the wish to see each step.
    """
    try:
        before = Answer(launch.recorded(record) or "", "", provable=True)
        proof, cache = launch.proof(record, before), before.environment.rpartition(f"/{paths.LAYOUT}/envs/")[0]
        if proof and record.startswith(paths.records(cache) + "/") and _is_simple(cache, environ):
            environment = "" if os.path.lexists(before.environment) else _claimed(cache, before.environment, environ)
            if environment:
                launch.record_again(record, proof, Answer(environment, "", provable=True))
                launch.become(environment, words, environ)
    except OSError:
        pass
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    return f"--launch-record={record}"


def _is_simple(cache: str, environ: "Mapping[str, str]") -> bool:
    """Tell whether the cache is the user's alone, the only one, and one that programs run from; and nothing is told."""
    if environ.get("SCRIPTRUN_VERBOSE") or os.path.lexists(environ.get("SCRIPTRUN_SYSTEM_CACHE", paths.SYSTEM_CACHE)):
        return False
    own = [os.stat(one) for one in (cache, os.path.join(cache, paths.LAYOUT))]
    private = all(one.st_uid == os.geteuid() and not one.st_mode & 0o022 for one in own)
    return private and not layout.is_noexec(cache)


def _claimed(cache: str, before: str, environ: "Mapping[str, str]") -> str:
    """Return a new environment in the place of the one `before`, claimed; `""` where that is not for here."""
    directory, key = os.path.dirname(before), os.path.basename(os.path.dirname(before))
    found = recipe.read(paths.recipe(cache, key)) if directory == paths.environments(cache, key) else None
    if found is None or not found.holds(directory, environ):
        return ""
    current = os.path.join(directory, generations.current(cache, key) or "")  # another run may have made it
    environment = current if found.made(current) else _provide(cache, key, found)
    return environment if environment and launch.claim(environment) else ""


def _is_usual(asked: "Request", before: Answer) -> bool:
    """Tell whether the environment is the user's own, for as long as it is there, and nothing is to be told of it."""
    caches = asked.caches
    told = caches.note or asked.invocation.options.flag("verbose")
    return not (caches.system or told or before.due or layout.is_noexec(caches.own))


def _provide(cache: str, key: str, found: "Recipe") -> str:
    """Return the new environment of `key`, `""` where there is none: somebody else makes or keeps one, or it failed."""
    umask = os.umask(0o077)
    lock = -1
    try:
        lock = _take(paths.lock(cache, key))
        return "" if _is_inhabited(found.directory) else _make(cache, key, found)
    except (ImportError, OSError, Unusable):  # somebody has the lock, there are no locks, or no room
        return ""
    finally:
        if lock >= 0:
            os.close(lock)
        os.umask(umask)


def _take(path: str) -> int:
    """Lock the file at `path`, and return what holds the lock. Raises OSError where that cannot be done at once."""
    import fcntl

    descriptor = paths.open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not paths.is_at(path, descriptor):
            raise BlockingIOError(path)
        paths.sign(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _is_inhabited(directory: str) -> bool:
    """Tell whether anything is in the directory of a key: an environment, or what a dead builder left."""
    try:
        return bool(os.listdir(directory))
    except FileNotFoundError:
        return False


def _make(cache: str, key: str, found: "Recipe") -> str:
    """Make and publish the environment; nothing is left of it where that fails. Raises OSError and Unusable."""
    path = os.path.join(found.directory, os.urandom(4).hex())
    paths.make_directories(found.directory)
    os.mkdir(path, 0o700)
    try:
        python, version, threads = found.python
        layout.lay_out(path, python, version, free_threaded=bool(threads))
        assembly.put_together(cache, path, found.parts)
        paths.replace(paths.manifest(path), found.manifest_of(path), durable=False)
        generations.settle(path)  # until now nothing leads there, so the manifest need not wait for this
        generations.publish(cache, key, path)
    except BaseException:
        from scriptrun import deletion

        deletion.delete(path)
        raise
    return path
