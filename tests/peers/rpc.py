"""JSON-RPC requests, so many open at once: rpc.py FRAMING OPEN COUNT PROGRAM [ARG...]."""
import asyncio, json, sys
from asyncio.subprocess import PIPE

framing, open_at_once, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


async def main():
    child = await asyncio.create_subprocess_exec(*sys.argv[4:], stdin=PIPE, stdout=PIPE)
    futures = {}

    async def receive():
        if framing == 'lines':
            return await child.stdout.readline()
        header = await child.stdout.readuntil(b'\r\n\r\n')
        return await child.stdout.readexactly(int(header.split(b':')[1]))

    async def read():
        for _ in range(count):
            message = json.loads(await receive())
            futures.pop(message['id']).set_result(message['result'])

    reading = asyncio.create_task(read())
    numbers = iter(range(count))

    async def work():
        for n in numbers:
            answer = futures[n] = asyncio.get_running_loop().create_future()
            request = {'jsonrpc': '2.0', 'id': n, 'method': 'echo', 'params': {'n': n}}
            body = json.dumps(request).encode()
            header = b'Content-Length: %d\r\n\r\n' % len(body)
            child.stdin.write(body + b'\n' if framing == 'lines' else header + body)
            await child.stdin.drain()
            assert await answer == {'n': n}

    await asyncio.gather(*(work() for _ in range(open_at_once)))
    await reading
    child.stdin.close()
    await child.wait()


asyncio.run(main())
