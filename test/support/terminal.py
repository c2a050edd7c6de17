"""Runs a program on a pseudo-terminal: what it prints goes to stdout, what comes by stdin is typed.

Arguments: columns, rows, program and its arguments. A line "columns rows" on file descriptor 3 resizes the terminal.
Ends as the program did, and says on file descriptor 4 in which state it left the terminal.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios

columns, rows = int(sys.argv[1]), int(sys.argv[2])
child, terminal = pty.fork()
if child == 0:
    os.close(3)
    os.close(4)
    # Until the terminal has its size.
    sys.stdin.readline()
    os.execvp(sys.argv[3], sys.argv[3:])


def resize(columns, rows):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.kill(child, signal.SIGWINCH)


fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
os.write(terminal, b"\n")
sources = [terminal, 0, 3]
while terminal in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:
            # Linux says so when the program has closed its side.
            data = b""
        if not data:
            sources.remove(source)
        elif source == terminal:
            os.write(1, data)
        elif source == 0:
            os.write(terminal, data)
        else:
            for line in data.decode().splitlines():
                resize(*map(int, line.split()))
_, status = os.waitpid(child, 0)
local_modes = termios.tcgetattr(terminal)[3]
is_usual = local_modes & termios.ECHO and local_modes & termios.ICANON and local_modes & termios.ISIG
os.write(4, b"usual" if is_usual else b"raw")
if os.WIFSIGNALED(status):
    signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
    os.kill(os.getpid(), os.WTERMSIG(status))
sys.exit(os.WEXITSTATUS(status))
