"""A flood of connections, as a process: `python flood.py PORT RATE COUNT`, and what each sends on standard input.

It opens so many a second, sends, and holds them all. With the last it prints how many it opened, and how many of them
the server has closed meanwhile; then it goes on holding until its standard input ends.
"""

import select
import socket
import sys
import time


def main() -> None:
    port, rate, count = (int(argument) for argument in sys.argv[1:])
    size = int.from_bytes(sys.stdin.buffer.read(4))
    sent = sys.stdin.buffer.read(size)
    held: list[socket.socket] = []
    began = time.perf_counter()
    while len(held) < count:
        due = min(count, int((time.perf_counter() - began) * rate) + 1)
        while len(held) < due:
            one = socket.create_connection(("127.0.0.1", port))
            if sent:
                one.send(sent)
            held.append(one)
        time.sleep(0.002)
    took = time.perf_counter() - began
    poll = select.poll()
    for one in held:
        poll.register(one, select.POLLIN)
    print(count, len(poll.poll(0)), f"{count / took:.0f}", flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    main()
