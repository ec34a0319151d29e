"""Connects two programs: copy.py FIRST SECOND, each a command line for the shell."""
import subprocess, sys

first = subprocess.Popen(sys.argv[1], shell=True, stdout=subprocess.PIPE, bufsize=0)
second = subprocess.Popen(sys.argv[2], shell=True, stdin=subprocess.PIPE, bufsize=0)
while True:
    chunk = first.stdout.read(65536)
    if not chunk:
        break
    second.stdin.write(chunk)
second.stdin.close()
first.wait()
second.wait()
