"""Runs a command in a pseudo-terminal and types: argv[1] is JSON of {"command": [...], "keys": [[wait for, type], ...]}."""
import fcntl, json, os, pty, select, signal, struct, sys, termios, time

job = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(job["command"][0], job["command"])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
seen = ""
keys = list(job["keys"])
deadline = time.time() + 50
while time.time() < deadline:
    ready, _, _ = select.select([terminal], [], [], 0.1)
    if ready:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data.decode(errors="replace")
    if keys and keys[0][0] in seen:
        seen = seen[seen.index(keys[0][0]) + len(keys[0][0]) :]
        time.sleep(0.05)
        os.write(terminal, keys.pop(0)[1].encode())
else:
    os.kill(pid, signal.SIGKILL)
_, status = os.waitpid(pid, 0)
print(json.dumps({"code": os.waitstatus_to_exitcode(status), "left": keys, "seen": seen}))
