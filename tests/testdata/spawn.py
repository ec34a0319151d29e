"""The article's third example in Python 3; the program to talk to is on the command line."""
import os, sys


def spawn(prog, *args):
    stdin_fd = sys.stdin.fileno()
    stdout_fd = sys.stdout.fileno()
    parent_stdin, child_stdout = os.pipe()
    child_stdin, parent_stdout = os.pipe()
    pid = os.fork()
    if pid:
        os.close(child_stdin)
        os.close(child_stdout)
        os.dup2(parent_stdin, stdin_fd)
        os.dup2(parent_stdout, stdout_fd)
    else:
        os.close(parent_stdin)
        os.close(parent_stdout)
        os.dup2(child_stdin, stdin_fd)
        os.dup2(child_stdout, stdout_fd)
        os.execvp(prog, (prog,) + args)


mypid = os.getpid()
spawn(*sys.argv[1:])

print('Hello 1 from parent', mypid)
sys.stdout.flush()
reply = input()
sys.stderr.write('Parent got: "%s"\n' % reply)

print('Hello 2 from parent', mypid)
sys.stdout.flush()
reply = sys.stdin.readline()
sys.stderr.write('Parent got: "%s"\n' % reply[:-1])
