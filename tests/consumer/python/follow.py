"""Two devices of one person, in Python: the first follows a name, the second publishes a file under it.

python3 follow.py FOLDER RELAY GATEWAY RPC     an empty folder, and URLs of `ipnscast up --json`
"""

import asyncio
import pathlib
import sys

import ipnscast


async def open_device(folder, key, relay, *nodes):
    settings = {"relays.urls": [relay], "gateways.nodes": nodes}
    return await asyncio.to_thread(ipnscast.Client, folder, settings, key)


async def main(folder, *urls):
    folder, this = pathlib.Path(folder), pathlib.Path(__file__)
    key = ipnscast.Key.generate()
    async with await open_device(folder / "reader", key, *urls) as reader:
        async with await open_device(folder / "writer", key, *urls) as writer:
            reader.follow(key.name)
            publishing = asyncio.create_task(asyncio.to_thread(writer.publish, key, this))
            change = await reader.next()
            print(change.name, change.source, change.value)
            await asyncio.to_thread(reader.get, change.cid, folder / "copy.py")
            change.applied()
            outcome = await publishing
            print("published", outcome.cid)
            assert (folder / "copy.py").read_bytes() == this.read_bytes()


asyncio.run(main(*sys.argv[1:]))
