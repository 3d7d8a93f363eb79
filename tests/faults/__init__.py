"""Faults: kill builders at random moments, start many runs at once, remove environments beside launches; and count.

    ./run-tests --faults                                   all of it: 200 + 200 kills, 64 runs, the hammer for 2 minutes
    ./run-tests --faults kills --kills 50 --seed 7         SIGKILL of scriptrun, and of its pip, 50 moments each
    ./run-tests --faults crowd --runs 64                   first runs at once, also while the cache is being removed
    ./run-tests --faults hammer --seconds 600              launches against a loop of removals
    ./run-tests --faults store --kills 50                  50 system calls of who keeps, links and removes distributions

It needs what the tests need, and makes its environment as they do. Everything happens in a directory of its own below
the temporary one, with wheels from an index of its own on loopback; the only caches it touches are there. Parts are
told as they end, then a table of all counts; what was lost is told in a sentence each, and makes the exit status 1.

Moments come from a random.Random whose seed is printed; as processes take the time they take, the same seed gives the
same moments and not the same states. The counts say in which state each builder was met. Nothing lost means:

- killed: the next run, started at once, prints what is right, which it does only after it has imported each file of
  each requirement in the right version; and the cache then holds what it holds after a run that nobody disturbed.
- crowd: all runs print what is right, and pip was started once for each key (where nothing is removed meanwhile).
- hammer: every launch finds its environment from its first to its last moment, and so does one that
  slept through all. Some launches are held (by strace) at the moment that is most dangerous to them.
- store: whichever system call is a process's last, or fails for want of room or a sound disk, while distributions are
  kept, put together or removed: the next run is right, `cache verify` finds nothing, nothing half-made stays, and no
  file of the store can be written to. So it is when many who share one are built at once, beside a loop of removals.
"""
