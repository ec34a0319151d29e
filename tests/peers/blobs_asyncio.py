"""Counts the bytes of the blobs that one git gives: blobs_asyncio.py REPOSITORY FILE."""
import asyncio, sys


async def main():
    repository, path = sys.argv[1:]
    with open(path) as ids:
        command = ['git', '-C', repository, 'cat-file', '--batch']
        git = await asyncio.create_subprocess_exec(*command, stdin=ids, stdout=asyncio.subprocess.PIPE)
    blobs = count = 0
    while line := await git.stdout.readline():
        count += len(await git.stdout.readexactly(int(line.split()[2])))
        await git.stdout.readexactly(1)
        blobs += 1
    await git.wait()
    print(blobs, count)


asyncio.run(main())
