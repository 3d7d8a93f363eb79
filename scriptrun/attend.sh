#!/bin/sh
# The command `scriptrun-attend MODE KEEP SCRIPT [ARG...]`: run a script for somebody who has not typed its name.
#
# MODE is `new-terminal` (of the user's emulator, the first that works), `terminal` (this is in one) or `window` (there
# is none). KEEP tells whether a terminal stays when the script has ended: `auto` (if it failed, or ended within
# seconds), `always`, `never`. The script runs in its own directory: that of what it is a link to, as modules are found
# there too. What scriptrun does meanwhile, it says in the file that SCRIPTRUN_ATTENDED ends with: `began TIME`, `told`.
mode=$1 keep=$2 script=$3
shift 3
case $script in /*) ;; *) script=${PWD%/}/$script ;; esac
name=${script##*/} self=$0
case $name in *[[:cntrl:]]*) name='The script' ;; esac
case $self in /*) ;; *) self=$PWD/$self ;; esac
[ -x "${self%/*}/scriptrun" ] || self=$(readlink -f "$self")
scriptrun=${self%/*}/scriptrun
case ${XDG_STATE_HOME-} in /*) state=$XDG_STATE_HOME/scriptrun ;; *) state=${HOME-}/.local/state/scriptrun ;; esac
[ -d "$state" ] || (umask 077 && mkdir -p "$state") 2>/dev/null
outcome=$state/outcome.$$ log=$state/running.$$.log

in_new_terminal() { # start the emulator $1, with options that belong to it, with "$@"; succeed if that has begun
    emulator=$1
    shift
    # shellcheck disable=SC2086 # $TERMINAL may hold options
    case ${emulator##*/} in
    '') return 1 ;;
    xdg-terminal-exec* | kitty* | foot*) set -- $emulator "$@" ;;
    gnome-terminal* | kgx* | ptyxis*) set -- $emulator -- "$@" ;;
    xfce4-terminal* | mate-terminal* | terminator*) set -- $emulator -x "$@" ;;
    wezterm*) set -- $emulator start -- "$@" ;;
    *) set -- $emulator -e "$@" ;; # what Debian asks of each x-terminal-emulator
    esac
    command -v "$1" >/dev/null || return 1
    "$@" >/dev/null 2>&1 && for _ in 1 2 3 4 5 6 7 8 9 10; do # some only ask another process of theirs
        [ -d "$token" ] || break
        sleep 0.5
    done
    [ ! -d "$token" ]
}

run() { # the script, with "$@"
    directory=$script
    [ ! -L "$script" ] || directory=$(readlink -f "$script")
    cd -P "${directory%/*}/" 2>/dev/null || : # where it has gone, scriptrun says so
    SCRIPTRUN_ATTENDED="$$ $mode $outcome" "$scriptrun" "$script" "$@"
}

ended() { # set what scriptrun said while it ran, and since when the script did
    said='' since=''
    { read -r said since <"$outcome" && rm -f "$outcome"; } 2>/dev/null
}

linger() { # say how the script ended, and wait for a key
    if [ "$said" = told ]; then
        text=''
    elif [ "$status" -gt 128 ]; then
        text="$name was ended by the signal $(kill -l "$status" 2>/dev/null || echo $((status - 128))). "
    elif [ "$status" -gt 0 ]; then
        text="$name has failed, with exit status $status. "
    else
        text="$name has ended. "
    fi
    stty sane -icanon -echo -isig min 0 time 1 2>/dev/null || return # the terminal has gone
    dd bs=4096 count=1 >/dev/null 2>&1 # what was typed before is no answer
    printf '\033[0m\n%s\n' "${text}Press any key to close this window."
    stty min 1 time 0 && dd bs=4096 count=1 >/dev/null 2>&1
    stty sane
} </dev/tty

bound() { # keep the log from filling the disk, for as long as this process lives
    trap 'kill $!; exit' TERM
    while sleep 10 & wait $!; do
        kill -0 $$ || exec rm -f "$log"
        [ "$(wc -c <"$log")" -lt 1000000 ] || : >"$log"
    done
}

report() { # let scriptrun tell what "$@" says, or where it cannot, what can
    "$scriptrun" desktop report "$@" </dev/null >/dev/null 2>&1 && return
    sentence="$name cannot run: scriptrun, which runs it, is damaged or was removed. Install scriptrun again."
    for words in 'zenity --error --no-markup --text' 'kdialog --error' 'xmessage -center' notify-send; do
        # shellcheck disable=SC2086 # words
        command -v ${words%% *} >/dev/null && $words "$sentence" && return
    done
} 2>/dev/null

case $mode in
new-terminal)
    token=$state/starting.$$
    mkdir "$token" 2>/dev/null || token=''
    set -- "$self" "terminal=$token" "$keep" "$script" "$@"
    for emulator in "${TERMINAL-}" xdg-terminal-exec x-terminal-emulator gnome-terminal kgx ptyxis konsole xfce4-terminal \
        mate-terminal lxterminal qterminal kitty alacritty foot wezterm terminator urxvt xterm; do
        in_new_terminal "$emulator" "$@" && exit
    done
    rmdir "$token" && report no-terminal "$script"
    exit 125
    ;;
terminal*)
    token=${mode#terminal} mode=terminal
    [ -z "${token#=}" ] || rmdir "${token#=}" 2>/dev/null || exit # another terminal was faster
    printf '\033]0;%s\007' "$name"
    begun=$(date +%s)
    trap : INT QUIT # they are for the script
    run "$@"
    status=$?
    ended
    case $keep:$status in
    never:*) ;;
    auto:0) [ $(($(date +%s) - ${since:-$begun})) -ge 5 ] || linger ;;
    *) linger ;;
    esac
    ;;
*)
    (umask 077 && : >"$log") 2>/dev/null || log=/dev/null
    [ "$log" = /dev/null ] || bound >/dev/null 2>&1 &
    run "$@" >>"$log" 2>&1
    status=$?
    ended
    kill $! 2>/dev/null
    case $said:$status in
    told:* | *:0 | *:129 | *:130 | *:143) ;; # it went well, or somebody knows
    *) report died "$script" "$status" "$log" ;;
    esac
    [ "$log" = /dev/null ] || rm -f "$log"
    ;;
esac
exit "$status"
