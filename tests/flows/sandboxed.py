"""`mailmoor sandbox` as a test has it: started, led to, watched, ended; and an LMTP server for the mail that leaves it."""
import json
import os
import signal
import subprocess

from peers import hold


class Sandbox:
    """One, running, on ports that any user may have. `told`: its own words at its start. `said()` is what it logged, for a row that fails."""

    def __init__(self, binary, folder, *options):
        self.log_path = os.path.join(folder, "log")
        self.popen = subprocess.Popen([binary, "sandbox", "--json", "--high-ports", "--log", self.log_path, *options], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": folder})
        line = self.popen.stdout.readline()
        hold(line, "it does not start: %s" % (self.popen.stderr.read() if not line else ""))
        self.told = json.loads(line)
        self.places = {}
        for text in self.told["connect_to"]:
            host, there = text.split("=")
            address, port = there.rsplit(":", 1)
            self.places[host.rsplit(":", 1)[0], int(host.rsplit(":", 1)[1])] = address, int(port)
        self.account = self.told["accounts"][0]

    def log(self):
        with open(self.log_path, encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def said(self):
        return "\n".join(json.dumps(line) for line in self.log()[-12:]) if os.path.exists(self.log_path) else ""

    def logins(self, how):
        return sum(line["login"] == how for line in self.log())

    def stop(self):
        """What it counted; its own words are the last line."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGINT)
        out, err = self.popen.communicate(timeout=30)
        hold(self.popen.returncode == 0, "it ended with %s: %s" % (self.popen.returncode, err))
        hold("ERROR: " not in err, err)
        return json.loads(out.splitlines()[-1]) if out else {}


def lmtp(listener, heard):
    """Takes one message."""
    line = listener.accept()[0].makefile("rwb")

    def say(text):
        line.write(text + b"\r\n")
        line.flush()
    say(b"220 here")
    for word in iter(line.readline, b""):
        heard.append(word)
        if word.startswith(b"DATA"):
            say(b"354 go")
            for text in iter(line.readline, b".\r\n"):
                heard.append(text)
            say(b"250 taken")
        elif word.startswith(b"QUIT"):
            return
        else:
            say(b"250-and\r\n250 fine" if word.startswith(b"LHLO") else b"250 fine")
