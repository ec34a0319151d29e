"""The article's pipetest.py in Python 3, without its pauses."""
import os, sys

mypid = os.getpid()
parentpid = os.getppid()
sys.stderr.write('child %d of %d got arg: "%s"\n' % (mypid, parentpid, sys.argv[1]))

for i in range(2):
    recv = input()
    send = 'Child %d got: [%s]' % (mypid, recv)
    print(send)
    sys.stdout.flush()
