"""Counts the lines that cat writes, and their letters: lines.py FILE."""
import subprocess, sys

child = subprocess.Popen(['cat', sys.argv[1]], stdout=subprocess.PIPE, text=True, encoding='utf-8')
lines = letters = 0
for line in child.stdout:
    lines += 1
    letters += len(line) - 1
child.wait()
print(lines, letters)
