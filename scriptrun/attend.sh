#!/bin/sh
# The command `scriptrun-attend MODE KEEP SCRIPT [ARG...]`: run a script for somebody who has not typed its name.
#
# MODE is `new-terminal` (of the user's emulator, the first that works), `terminal` (this is in one) or `window` (there
# is none). KEEP tells whether a terminal stays when the script has ended: `auto` (if it failed, or ended within
# seconds), `always`, `never`. The script runs in its own directory: that of what it is a link to, as modules are found
# there too. SCRIPTRUN_ATTENDED tells scriptrun of this process, which gets the signal USR1 when scriptrun has told of a
# failure of its own, and of the file for `PID TIME`, when a script that had to be prepared for a terminal begins.
mode=$1 keep=$2 script=$3 told='' status=125
shift 3
case $script in /*) ;; *) script=${PWD%/}/$script ;; esac
name=${script##*/} self=$0
case $name in *[[:cntrl:]]*) name='The script' ;; esac
case $self in /*) ;; *) self=$PWD/$self ;; esac
[ -x "${self%/*}/scriptrun" ] || self=$(readlink -f "$self")
scriptrun=${self%/*}/scriptrun
state=${HOME:-/dev/null}/.local/state/scriptrun # in `/dev/null` there is no place for anything
case ${XDG_STATE_HOME-} in /*) state=$XDG_STATE_HOME/scriptrun ;; esac
[ -d "$state" ] || (umask 077 && mkdir -p "$state") 2>/dev/null

new_terminal() { # run this, in the first of the user's terminal emulators that works, with "$@"
    token=$(mktemp -d) # goes when a terminal has begun: some emulators only ask another process of theirs
    set -- "$self" "terminal=$token" "$keep" "$script" "$@"
    for emulator in "${TERMINAL-}" xdg-terminal-exec x-terminal-emulator gnome-terminal kgx ptyxis konsole xfce4-terminal \
        mate-terminal lxterminal qterminal kitty alacritty foot wezterm terminator urxvt xterm; do
        opens "$emulator" "$@" && exit
    done
    [ -z "$token" ] || rmdir "$token" || exit 0 # one has begun after all
    report no-terminal "$script" </dev/null
} 2>/dev/null

opens() { # start the emulator $1, with options that belong to it, with "$@"; succeed if that has begun
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
    command -v "$1" >/dev/null && "$@" >/dev/null 2>&1 || return 1
    [ "$token" ] || return 0 # nothing can be written: it is believed
    patience=20
    while [ -d "$token" ] && [ $((patience -= 1)) -gt 0 ]; do sleep 0.5; done
    [ ! -d "$token" ]
}

terminal() { # run the script with "$@" in this terminal, and keep that where it is to stay
    token=${mode#terminal} mode=terminal
    [ -z "${token#=}" ] || rmdir "${token#=}" 2>/dev/null || exit 0 # another terminal was faster
    c1=$(printf '\302') # what controls a terminal may begin so
    case $name in *"$c1"*) name='The script' ;; esac
    printf '\033]0;%s\007' "$name"
    trap : INT QUIT # they are for the script
    began=$state/began since=$(date +%s)
    run "$@"
    { # what somebody has left there is older
        read -r who when <"$began" && [ "$who" = $$ ] && [ "$when" -ge "$since" ] && rm -f "$began" && since=$when
    } 2>/dev/null
    case $keep:$status in
    never:*) ;;
    auto:0) [ $(($(date +%s) - since)) -ge 5 ] || linger ;;
    *) linger ;;
    esac
}

window() { # run the script with "$@", and tell if it dies; what it writes is in a file that has no name any more
    log=$state/running.$$.log
    (umask 077 && set -C && : >"$log") 2>/dev/null || log=$(mktemp 2>/dev/null) || log=/dev/null
    {
        [ "$log" = /dev/null ] || rm -f "$log" & # while the script starts
        run "$@" >&3 2>&1 3>&-
        case $told:$status in
        x:* | *:0 | *:129 | *:130 | *:143) ;; # somebody knows, or it went well
        *) report died "$script" "$status" <&3 3>&- ;;
        esac
    } 3<>"$log"
}

run() { # the script, with "$@"; set how it ended, and whether scriptrun has told of that
    directory=$script
    [ ! -L "$script" ] || directory=$(readlink -f "$script")
    cd -P "${directory%/*}/" 2>/dev/null || : # where it has gone, scriptrun says so
    trap 'told=x' USR1
    SCRIPTRUN_ATTENDED="$$ $mode ${began-}" "$scriptrun" "$script" "$@"
    status=$?
}

linger() { # say how the script ended, and wait for a key
    text="$name has failed, with exit status $status. "
    case $status in
    0) text="$name has ended. " ;;
    129 | 1[3-8]? | 19[0-2]) signal=$(kill -l $((status - 128))) && text="$name was ended by the signal $signal. " ;;
    esac 2>/dev/null
    [ -z "$told" ] || text=''
    stty sane -icanon -echo -isig min 0 time 1 2>/dev/null || return # the terminal has gone
    dd bs=4096 count=1 >/dev/null 2>&1 # what was typed before is no answer
    printf '\033[0m\n%s\n' "${text}Press any key to close this window."
    stty min 1 time 0 && dd bs=4096 count=1 >/dev/null 2>&1
    stty sane
} </dev/tty

report() { # let scriptrun tell what "$@" says, or where it cannot, what can
    "$scriptrun" desktop report "$@" >/dev/null 2>&1 && return
    sentence="$name cannot run: scriptrun, which runs it, is damaged or was removed. Install scriptrun again."
    for words in 'zenity --error --no-markup --text' 'kdialog --error' 'xmessage -center' notify-send; do
        # shellcheck disable=SC2086 # words
        command -v ${words%% *} >/dev/null && $words "$sentence" && return
    done
} 2>/dev/null

case $mode in
new-terminal) new_terminal "$@" ;;
terminal*) terminal "$@" ;;
*) window "$@" ;;
esac
exit "$status"
