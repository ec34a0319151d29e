"""Counts the frames that cat writes, and their bytes: frames.py FILE..."""
import asyncio, struct, sys


async def main():
    child = await asyncio.create_subprocess_exec('cat', *sys.argv[1:], stdout=asyncio.subprocess.PIPE)
    frames = count = 0
    try:
        while True:
            (length,) = struct.unpack('>I', await child.stdout.readexactly(4))
            count += len(await child.stdout.readexactly(length))
            frames += 1
    except asyncio.IncompleteReadError:
        pass
    await child.wait()
    print(frames, count)


asyncio.run(main())
