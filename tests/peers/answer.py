"""Answers each line as pipetest.ts does."""
import os, sys

for line in sys.stdin:
    print('Child %d got: [%s]' % (os.getpid(), line[:-1]))
    sys.stdout.flush()
