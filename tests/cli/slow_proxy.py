# SPDX-License-Identifier: EUPL-1.2
"""slow_proxy.py PORT BYTES_A_SECOND: passes one connection at a time on to a port of this machine, slowly. Prints its own port."""
import selectors
import socket
import sys
import time

target, rate = int(sys.argv[1]), int(sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    near, _ = listener.accept()
    far = socket.create_connection(("127.0.0.1", target))
    poll = selectors.DefaultSelector()
    poll.register(near, selectors.EVENT_READ, far)
    poll.register(far, selectors.EVENT_READ, near)
    going = True
    while going:
        for key, _ in poll.select(1):
            try:
                data = key.fileobj.recv(min(16384, rate // 20))
                if data:
                    key.data.sendall(data)
                    time.sleep(len(data) / rate)
                going = going and bool(data)
            except OSError:
                going = False
    near.close()
    far.close()
