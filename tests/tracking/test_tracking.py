from __future__ import annotations

from bridge.events import LoggedOut
from bridge.tracking import Tracking
from tests.tracking.conftest import STATIC, KeptStream


class CountedStream(KeptStream):
    closed = 0

    def close(self):
        self.closed += 1


def wire(room, stream):
    return Tracking(
        app=room.app,
        config=room.tracking.tags._config,
        books=room.books,
        stream=stream,
        find_variants=lambda _skus: {},
        static_folder=STATIC,
    )


def test_a_stream_is_made_at_the_first_event_and_closed_at_the_end(room):
    made = []
    tracking = wire(room, lambda: made.append(CountedStream()) or made[-1])
    tracking.close()
    assert made == []
    tracking.observer._stream().put(LoggedOut())
    tracking.observer._stream().put(LoggedOut())
    tracking.close()
    assert [(len(stream.events), stream.closed) for stream in made] == [(2, 1)]


def test_a_stream_may_also_be_given_as_it_is(room):
    stream = CountedStream()
    wire(room, stream).observer._stream().put(LoggedOut())
    assert len(stream.events) == 1
