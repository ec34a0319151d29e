"""Sends lines to a program and waits for each to come back: dialogue.py COUNT PROGRAM [ARG...]."""
import subprocess, sys

child = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
for n in range(int(sys.argv[1])):
    line = 'how are you %d\n' % n
    child.stdin.write(line)
    child.stdin.flush()
    assert child.stdout.readline() == line
child.stdin.close()
child.wait()
