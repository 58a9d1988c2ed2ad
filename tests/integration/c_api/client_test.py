"""Tests of tools/python/ipnscast.py against the relay and node of the Catch2 test that runs this.

python3 client_test.py FOLDER RELAY GATEWAY RPC
"""

import asyncio
import gc
import os
import pathlib
import signal
import sys
import threading
import warnings

import ipnscast

folder, relay, gateway, rpc = pathlib.Path(sys.argv[1]), *sys.argv[2:]
KEY = ipnscast.Key.generate()
SETTINGS = {"relays.urls": [relay], "gateways.nodes": [gateway, rpc], "sources.poll_min": "24h",
            "sources.poll_max": "24h", "sources.poll_healthy": "24h", "relays.compat": True}
count = 0


def device(key=KEY):
    """A client with a state directory of its own."""
    global count
    count += 1
    return ipnscast.Client(folder / f"device-{count}", SETTINGS, key)


def content(text):
    path = folder / f"{text}.txt"
    path.write_text(text)
    return path


def fails_with(code, function, *arguments):
    try:
        function(*arguments)
    except ipnscast.Error as error:
        assert error.code == code, (error.code, error)
        assert str(error)
        return str(error)
    raise AssertionError(f"{function} did not fail")


def a_wrong_call_raises_an_error_with_its_code():
    fails_with(ipnscast.Code.PARSE, ipnscast.Key.parse, "nonsense")
    text = fails_with(ipnscast.Code.INVALID, ipnscast.Client, folder / "x", {"relays.url": relay})
    assert '"relays.url"' in text
    with device() as client:
        fails_with(ipnscast.Code.PARSE, client.follow, "k51nonsense")
        fails_with(ipnscast.Code.NOT_FOUND, client.unfollow, KEY.name)
        fails_with(ipnscast.Code.NOT_FOUND, client.resolve, KEY.name)
        fails_with(ipnscast.Code.NOT_FOUND, client.acknowledge_lost, KEY.name)
        try:
            client.publish(KEY, folder, hiden=True)
            raise AssertionError("an option that there is not was taken")
        except TypeError as error:
            assert "hiden" in str(error)
    fails_with(ipnscast.Code.CLOSED, client.follow, KEY.name)
    fails_with(ipnscast.Code.CLOSED, client.wait)
    assert list(client) == []


def a_change_is_waited_for_retried_and_applied():
    key = ipnscast.Key.generate()
    with device(key) as reader, device(key) as writer:
        reader.follow(key.name)
        assert reader.wait(0) is None
        assert reader.wait(0.05) is None
        outcome = writer.publish(key, content("one"), timeout=200)
        assert outcome.quorum_met and outcome.complete and outcome.sequence == 1
        assert {place.what for place in outcome.places} == {"content", "record", "hint"}
        first = reader.wait(200)
        assert (first.kind, first.source, first.attempt) == ("change", "nostr", 1), first
        assert (first.name, first.author, first.cid) == (key.name, key.author, outcome.cid)
        first.retry(after=0.1)
        again = reader.wait(200)
        assert again.attempt == 2 and again.sequence == 1
        again.applied()
        fails_with(ipnscast.Code.NOT_FOUND, again.applied)
        reader.get(again.cid, folder / "copy-of-one.txt")
        assert (folder / "copy-of-one.txt").read_text() == "one"
        found = reader.resolve(key.name)
        assert (found.cid, found.sequence, found.expired) == (outcome.cid, 1, False)
        status = reader.status()
        assert [name.name for name in status.names] == [key.name]
        assert status.places[relay] is True
        assert writer.lost(key.name) == []
        fails_with(ipnscast.Code.CONFLICT, lambda: writer.publish(key, content("two"), expected_sequence=7))
        based = writer.publish(key, content("two"), based_on=(1, "/ipfs/" + outcome.cid))
        second = reader.wait(200)
        assert second.previous == outcome.cid and second.cid == based.cid
        second.reject()


def ctrl_c_interrupts_the_waiting():
    with device() as client:
        client.follow(KEY.name)
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            client.wait()
            raise AssertionError("nothing was published")
        except KeyboardInterrupt:
            pass


def closing_on_another_thread_ends_the_iteration():
    client = device()
    client.follow(KEY.name)
    threading.Timer(0.2, client.close).start()
    assert list(client) == []


async def asyncio_gives_each_change_to_one_of_those_who_wait():
    key = ipnscast.Key.generate()
    async with device(key) as reader, device(key) as writer:
        reader.follow(key.name)
        seen = []

        async def take():
            async for change in reader:
                seen.append(change.sequence)
                change.applied()

        takers = [asyncio.create_task(take()) for _ in range(3)]
        given_up = asyncio.create_task(reader.next())
        await asyncio.sleep(0.1)
        given_up.cancel()
        for number, text in enumerate(("one", "two", "three"), 1):
            await asyncio.to_thread(writer.publish, key, content(text))
            while len(seen) < number:
                await asyncio.sleep(0.01)
        assert seen == [1, 2, 3]
        await asyncio.to_thread(reader.close)
        await asyncio.wait_for(asyncio.gather(*takers), 200)


def a_client_that_nobody_closed_ends_with_the_interpreter():
    globals()["left_open"] = device()
    left_open.follow(KEY.name)  # noqa: F821


warnings.simplefilter("error")
for test in [a_wrong_call_raises_an_error_with_its_code, a_change_is_waited_for_retried_and_applied,
             ctrl_c_interrupts_the_waiting, closing_on_another_thread_ends_the_iteration,
             asyncio_gives_each_change_to_one_of_those_who_wait,
             a_client_that_nobody_closed_ends_with_the_interpreter]:
    print(test.__name__, flush=True)
    asyncio.run(test()) if asyncio.iscoroutinefunction(test) else test()
    gc.collect()
print("passed", flush=True)
