"""Sends lines to a program and prints each answer: printing.py COUNT PROGRAM [ARG...]."""
import os, subprocess, sys

child = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
for n in range(1, int(sys.argv[1]) + 1):
    child.stdin.write('Hello %d from parent %d\n' % (n, os.getpid()))
    child.stdin.flush()
    print('Parent got: "%s"' % child.stdout.readline()[:-1])
child.stdin.close()
child.wait()
