"""The event stream: accepted before the caller goes on, spooled without Redis, replayed in order, never lost."""

from __future__ import annotations

import threading
import time

import pytest
import redis

from bridge.events import AddedToCart, OrderPlaced, decode_event
from bridge.queues import connect
from bridge.stream import EventStream, Reader, Spool
from tests.redis_server import start_redis

pytestmark = pytest.mark.redis


def wait_for(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def woken():
    return threading.Event()


@pytest.fixture
def stream(redis_server, redis_client, tmp_path, woken):
    made = EventStream(connect(redis_server.url, timeout=0.5), Spool(tmp_path / "spool"), woken.set)
    yield made
    made.close()


def test_an_ordinary_event_arrives_and_wakes_the_reader(stream, redis_client, woken):
    stream.put(AddedToCart(product="17", quantity=2))
    assert woken.wait(5)
    ((entry, data),) = Reader(redis_client).read(10)
    assert decode_event(data).product == "17"
    Reader(redis_client).acknowledge([entry])
    assert Reader(redis_client).waiting() == 0


def test_an_urgent_event_is_in_redis_when_the_call_returns(stream, redis_client):
    assert stream.put_urgent([OrderPlaced(order="101")])
    assert Reader(redis_client).waiting() == 1


def test_events_that_a_dead_reader_took_are_given_again(stream, redis_client):
    stream.put_urgent([OrderPlaced(order="101"), OrderPlaced(order="102")])
    taken = Reader(redis_client).read(1)
    assert len(taken) == 1
    again = Reader(redis_client).read(10)
    assert again == taken
    Reader(redis_client).acknowledge([again[0][0]])
    assert len(Reader(redis_client).read(10)) == 1


def test_without_redis_the_spool_takes_urgent_events_and_replays_them_in_order(tmp_path, woken):
    folder = tmp_path / "redis"
    folder.mkdir()
    server = start_redis(folder)
    stream = EventStream(connect(server.url, timeout=0.2), Spool(tmp_path / "spool"), woken.set)
    server.kill()
    for number in range(5):
        assert stream.put_urgent([OrderPlaced(order=str(number))])
    stream.put(AddedToCart(product="17"))
    assert len(list((tmp_path / "spool").iterdir())) == 1
    server = start_redis(folder)
    try:
        client = redis.Redis.from_url(server.url)
        wait_for(lambda: Reader(client).waiting() == 6)
        events = [decode_event(data) for _, data in Reader(client).read(10)]
        assert [event.order for event in events if isinstance(event, OrderPlaced)] == ["0", "1", "2", "3", "4"]
        assert not list((tmp_path / "spool").iterdir())
        assert woken.is_set()
    finally:
        stream.close()
        server.stop()


def test_a_full_spool_says_so_instead_of_pretending(tmp_path, woken):
    stream = EventStream(connect(f"unix://{tmp_path}/none", timeout=0.1), Spool(tmp_path / "spool", most=10), woken.set)
    assert not stream.put_urgent([OrderPlaced(order="1")])
    assert stream.dropped == 1
    stream.close()


def test_a_fault_while_replaying_repeats_events_rather_than_loses_them(tmp_path):
    spool = Spool(tmp_path)
    spool.append([b"one", b"two"])
    with pytest.raises(OSError):
        spool.replay(lambda _lines: (_ for _ in ()).throw(OSError("gone")))
    taken = []
    assert spool.replay(taken.extend) == 2
    assert taken == [b"one", b"two"]
    assert spool.empty()


def test_the_file_of_a_dead_process_is_replayed_by_another(tmp_path):
    import os

    Spool(tmp_path).append([b"left"])
    os.utime(next(tmp_path.iterdir()), (1, 1))
    taken = []
    Spool(tmp_path).replay(taken.extend)
    assert taken == [b"left"]


def test_a_file_that_another_process_replays_at_this_moment_loses_no_event(tmp_path, monkeypatch):
    other, spool = Spool(tmp_path), Spool(tmp_path)
    other.append([b"first"])
    real = type(tmp_path).stat

    def gone(path, **rest):
        if path.suffix == ".open" and path != spool._open_path:
            path.unlink(missing_ok=True)
        return real(path, **rest)

    monkeypatch.setattr(type(tmp_path), "stat", gone)
    assert spool.append([b"second"]), "the size of a file that is gone is nothing"


def test_an_append_while_another_process_replays_the_file_is_not_lost(tmp_path):
    import os

    spool, other, taken = Spool(tmp_path), Spool(tmp_path), []
    spool.append([b"one"])
    os.utime(next(tmp_path.iterdir()), (1, 1))
    late = threading.Thread(target=spool.append, args=([b"two"],))

    def send(lines):
        late.start()
        late.join(timeout=0.2)
        taken.extend(lines)

    other.replay(send)
    late.join()
    spool.replay(taken.extend)
    assert taken == [b"one", b"two"]


def test_a_disk_fault_while_replaying_does_not_end_the_stream(tmp_path, redis_server, redis_client, woken):
    class Broken(Spool):
        faults = 1

        def empty(self):
            if self.faults:
                self.faults -= 1
                raise FileNotFoundError
            return super().empty()

    stream = EventStream(connect(redis_server.url, timeout=0.5), Broken(tmp_path / "spool"), woken.set)
    stream.put(AddedToCart(product="17"))
    assert woken.wait(5)
    assert Reader(redis_client).waiting() == 1
    stream.close()


def test_half_a_line_is_taken_back_when_the_disk_is_full(tmp_path, monkeypatch):
    import os

    spool = Spool(tmp_path)
    spool.append([b"whole"])
    real = os.write

    def half(descriptor, data):
        if len(data) < 6:
            raise OSError("No space left on device")
        return real(descriptor, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", half)
    assert not spool.append([b"a long line"])
    monkeypatch.undo()
    spool.append([b"next"])
    taken = []
    spool.replay(taken.extend)
    assert taken == [b"whole", b"next"]


def test_a_long_spool_is_replayed_in_parts(tmp_path):
    spool, parts = Spool(tmp_path), []
    spool.append([b"%d" % number for number in range(1200)])
    assert spool.replay(parts.append) == 1200
    assert max(map(len, parts)) <= 500
    assert [line for part in parts for line in part] == [b"%d" % number for number in range(1200)]


def test_more_ordinary_events_than_fit_are_dropped_and_counted(tmp_path, woken, monkeypatch):
    monkeypatch.setattr("bridge.stream.WAITING_MOST", 50)
    monkeypatch.setattr("bridge.stream.FLUSH_SECONDS", 2.0)  # nothing leaves while these are put in
    stream = EventStream(connect(f"unix://{tmp_path}/none", timeout=0.1), Spool(tmp_path / "spool"), woken.set)
    for _ in range(60):
        stream.put(AddedToCart(product="1"))
    assert stream.dropped == 10
    stream.close()
