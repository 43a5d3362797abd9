"""Run as a script between a parent and its child: ask the kernel to signal us when the parent dies, then become the child.

Usage: bind_to_parent.py SIGNAL PARENT_PID ACCOUNT PROGRAM [ARGUMENT…], where ACCOUNT is `USER_ID:GROUP_ID` to become or `-`.
PARENT_PID 0 is for who cannot know it beforehand: then a parent that dies before this asks the kernel is not noticed.
A script, because code between fork and exec is not safe in a process with threads. The request survives exec (of programs
without set-user-id) but not a change of user, so that comes first, here: the other user need not be able to run this Python.
Elsewhere than on Linux there is no such request, and this only becomes the child.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(death_signal: int, parent: int, account: str, argv: list[str]) -> None:
    if account != "-":
        user, group = map(int, account.split(":"))
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)
        if parent and os.getppid() != parent:  # it died before the request
            sys.exit(1)
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored_by_python, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        print(f"cannot run {argv[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
