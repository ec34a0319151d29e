"""Counts the bytes of the blobs that one git gives: blobs.py REPOSITORY FILE, with their ids."""
import subprocess, sys

repository, path = sys.argv[1:]
with open(path) as ids:
    command = ['git', '-C', repository, 'cat-file', '--batch']
    git = subprocess.Popen(command, stdin=ids, stdout=subprocess.PIPE)
blobs = count = 0
while line := git.stdout.readline():
    count += len(git.stdout.read(int(line.split()[2])))
    git.stdout.read(1)
    blobs += 1
git.wait()
print(blobs, count)
