#!/bin/sh
# The command `scriptrun`. Where a launch record proves which environment a script needs, this becomes the script by
# itself: built-ins only, no process but this one, or `cmp` for a lock; nothing written but the stamp. All else Python
# decides and explains. The record (launch.py writes it) sets the environment, the text that configuration and script
# must begin with, and a word for each line; sourced, as `read` takes byte by byte. Names but _sr_* may be the script's.
unset PYTHONHOME PYTHONEXECUTABLE __PYVENV_LAUNCHER__ # each breaks or redirects the Python of an environment

case ${SCRIPTRUN_CACHE_DIR:+:}${XDG_CACHE_HOME-} in
:*) _sr_cache=$SCRIPTRUN_CACHE_DIR _sr_home=/ ;;
/*) _sr_cache=$XDG_CACHE_HOME/scriptrun _sr_home=$XDG_CACHE_HOME ;;
*) _sr_cache=${HOME-}/.cache/scriptrun _sr_home=${HOME:-/} ;;
esac # root, who can write to /, asks Python under `sudo`: whose home it is may lead the cache elsewhere at any moment
case ${XDG_CONFIG_HOME-} in /*) _sr_config=$XDG_CONFIG_HOME ;; *) _sr_config=${HOME-}/.config ;; esac
_sr_options=${SCRIPTRUN_WITH-}${SCRIPTRUN_WITH_REQUIREMENTS-}${SCRIPTRUN_PYTHON-}${SCRIPTRUN_REFRESH-}${SCRIPTRUN_PRE-}
_sr_options=$_sr_options${SCRIPTRUN_ISOLATED-}${SCRIPTRUN_EXCLUDE_NEWER-}${SCRIPTRUN_INDEX_URL-}${SCRIPTRUN_ENV_FILE-}
_sr_options=$_sr_options${SCRIPTRUN_EXTRA_INDEX_URL-}${SCRIPTRUN_FIND_LINKS-}${SCRIPTRUN_NO_INDEX-}${SCRIPTRUN_LOCKED-}
_sr_options=$_sr_options${SCRIPTRUN_CONSTRAINT-}${SCRIPTRUN_NO_BUILD-}${SCRIPTRUN_MAX_AGE-}${SCRIPTRUN_NO_BINARY-}
_sr_options=$_sr_options${SCRIPTRUN_NO_OVERLAP-}
_sr_path='' _sr_record='' _sr_proven='' _sr_kind=launch _sr_kept=''
case $_sr_options:${1-} in
:-*) ;;
:/*) _sr_path=$1 ;;
:*/* | :*.py | :*.pyw) _sr_path=${PWD%/}/${1#./} ;;
esac
case $_sr_path/ in / | *//* | */./* | */../*) ;; *) _sr_record=$_sr_cache/v1/launch$_sr_path/@record ;; esac

# shellcheck disable=SC3067,SC3013,SC1090 # every shell in use knows `-O`, owned by the user, `-nt` and `-ef`
if [ -f "$_sr_record" ] && [ -O "$_sr_cache" ] && { [ -O "$_sr_home" ] || [ ! -w / ]; } && [ -f "$1" ] && [ -r "$1" ] &&
    IFS= read -r _sr_line <"$_sr_record" && [ "$_sr_line" = '# scriptrun launch record 4' ]; then
    _sr_env='' _sr_due='' _sr_real='' _sr_lock='' _sr_lines='' _sr_proof='' _sr_text='' _sr_newline='
'
    command . "$_sr_record" # data, found at run time; `command` keeps a damaged one from ending the shell
    _sr_root=${_sr_env%/v1/*} _sr_system=${SCRIPTRUN_SYSTEM_CACHE-/var/cache/scriptrun}
    [ -z "${ZSH_VERSION-}" ] || setopt no_multibyte # else it drops half a character at the end of a file
    for _sr_file in /etc/scriptrun/config.toml "$_sr_config/scriptrun/config.toml"; do
        [ -f "$_sr_file" ] || { { [ ! -e "$_sr_file" ] && [ ! -L "$_sr_file" ]; } || _sr_text=x$_sr_proof && continue; }
        _sr_text=$_sr_text$_sr_file$_sr_newline
        while IFS= read -r _sr_line; do _sr_text=$_sr_text$_sr_line$_sr_newline; done <"$_sr_file"
        _sr_text=$_sr_text$_sr_line$_sr_newline
    done
    for _sr_line in $_sr_lines; do
        IFS= read -r _sr_line || { _sr_text=$_sr_text$_sr_line && break; } # the file ends with this line
        _sr_text=$_sr_text$_sr_line$_sr_newline
    done <"$1"
    { [ "$1" -ef "$_sr_real" ] && { [ "$_sr_kept" ] || { [ ! -e "$_sr_lock" ] && [ ! -L "$_sr_lock" ]; }; }; } ||
        _sr_text=x$_sr_proof # it is another file, or has a lock; one that the record is for is compared below
    # First the stamp, then the mark: whoever removes sets the mark, then looks at the stamp. Last Python: is it there?
    # `[` is no special built-in: in a read-only cache, the failing redirection does not end the shell.
    if [ "$_sr_text" = "$_sr_proof" ] && { [ "$_sr_kept" ] || _sr_kind=proven; } && [ -r "$_sr_env/pyvenv.cfg" ] &&
        [ -f "$_sr_env/scriptrun.json" ] && [ ! "$_sr_env/pyvenv.cfg" -nt "$_sr_env/scriptrun.json" ] &&
        [ -f "$_sr_env/.stamp" ] && [ ! -L "$_sr_env/.stamp" ] && { [ -O "$_sr_root" ] || [ ! -w "$_sr_root" ]; } &&
        { [ "$_sr_root" = "$_sr_cache" ] || [ "$_sr_root" = "$_sr_system" ] || [ "$_sr_root" -ef "$_sr_cache" ]; }; then
        [ "$_sr_env" ] >"$_sr_env/.stamp"
        [ ! "$_sr_due" ] || [ "$_sr_due" -nt "$_sr_env/.stamp" ] && [ ! -e "$_sr_env/condemned" ] &&
            [ -x "$_sr_env/bin/python" ] && _sr_proven=x
    fi
fi 2>/dev/null
if [ "$_sr_proven" ] && [ "$_sr_kept" ]; then # by its path: what PATH leads to may be another `cmp`
    _sr_kept=${_sr_record%/*}/$_sr_kept
    { [ -f "$_sr_lock" ] && [ -f "$_sr_kept" ] && /usr/bin/cmp -s "$_sr_lock" "$_sr_kept" 2>/dev/null; } || _sr_proven=''
fi
if [ "$_sr_proven" ]; then
    unset SCRIPTRUN_ATTENDED # for scriptrun alone, and there is nothing to tell
    export PATH="$_sr_env/bin:${PATH:-/bin:/usr/bin}" VIRTUAL_ENV="$_sr_env"
    exec "$_sr_env/bin/python" "$@"
fi

_sr_self=$0
while
    case $_sr_self in /*) ;; *) _sr_self=./$_sr_self ;; esac # not an option, nor a name that CDPATH is asked about
    [ -L "$_sr_self" ]
do
    _sr_target=$(PATH=${PATH-}:/usr/bin:/bin && readlink "$_sr_self")
    case $_sr_target in /*) _sr_self=$_sr_target ;; *) _sr_self=${_sr_self%/*}/$_sr_target ;; esac
done
_sr_bin=$(cd -P "${_sr_self%/*}" && pwd -P)
_sr_main=$_sr_bin/scriptrun-python _sr_python=''
[ -f "$_sr_main" ] && IFS= read -r _sr_python <"$_sr_main" # where the installer wrote its Python: `#!/usr/bin/python3`
_sr_python=${_sr_python#'#!'}
[ -x "$_sr_python" ] || _sr_python=${_sr_python% -*} # some installers add an option
[ -f "${_sr_bin%/*}/pyvenv.cfg" ] && _sr_python=$_sr_bin/python3 # a virtual environment may have been moved
[ -f "$_sr_main" ] && [ -x "$_sr_python" ] && exec "$_sr_python" -I -S "$_sr_main" "--$_sr_kind-record=$_sr_record" "$@"
echo "scriptrun: error: the Python that scriptrun was installed with has gone: \`${_sr_python:-$_sr_main}\`
hint: install scriptrun again" >&2
exit 125
