"""Pages packed and unpacked, whole and as a stream."""

from __future__ import annotations

import gzip
import itertools
import random
import sys
import threading
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.proxy.coding import BombError, CodingError, Memo, Recoder, TooLargeError, deflate, inflate, rewrite
from bridge.proxy.splice import Splicer

TAG = b"<script tag></script>"
PAGE = (
    b"<!doctype html><html><head><title>x</title></head><body>"
    + random.Random(3).randbytes(5000).hex().encode()
    + b"</body></html>"
)
TAGGED = PAGE.replace(b"<head>", b"<head>" + TAG)


def test_whole_bodies_are_unpacked_of_several_members_too():
    assert inflate(gzip.compress(PAGE)) == PAGE
    assert inflate(gzip.compress(PAGE) + gzip.compress(b"more")) == PAGE + b"more"
    assert inflate(gzip.compress(b"")) == b""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"\x1f\x8b",
        gzip.compress(PAGE, mtime=0)[:-1],
        gzip.compress(PAGE, mtime=0)[:-9],
        gzip.compress(PAGE, mtime=0)[:40] + b"x" * 50,
        gzip.compress(PAGE, mtime=0) + b"junk",
        zlib.compress(PAGE),
    ],
)
def test_what_is_no_gzip_is_an_error(body):
    with pytest.raises(CodingError):
        inflate(body)


def test_a_bomb_is_told_from_a_large_page():
    with pytest.raises(BombError):
        inflate(gzip.compress(b"\0" * 9_000_000))
    with pytest.raises(TooLargeError):
        inflate(gzip.compress(random.Random(1).randbytes(4_500_000).hex().encode()))
    assert len(inflate(gzip.compress(b"\0" * 1_000_000))) == 1_000_000
    with pytest.raises(TooLargeError):
        inflate(gzip.compress(b"abcdefgh"), 7)
    assert inflate(gzip.compress(b"abcdefg"), 7) == b"abcdefg"


@pytest.mark.parametrize("gzip_in", [False, True])
@pytest.mark.parametrize("gzip_out", [False, True])
def test_a_page_is_rewritten_whole_and_in_pieces_alike(gzip_in, gzip_out):
    body = gzip.compress(PAGE) if gzip_in else PAGE
    splicer = Splicer(TAG)
    whole = rewrite(body, splicer, gzip_in=gzip_in, gzip_out=gzip_out)
    assert splicer.placed
    assert (gzip.decompress(whole) if gzip_out else whole) == TAGGED
    for step in (1, 7, 1000, len(body)):
        recoder = Recoder(Splicer(TAG), gzip_in=gzip_in, gzip_out=gzip_out)
        out = b"".join(
            [b"".join(recoder.feed(body[at : at + step])) for at in range(0, len(body), step)] + recoder.finish()
        )
        assert (gzip.decompress(out) if gzip_out else out) == TAGGED, step


@given(cuts=st.lists(st.integers(0, 4000), max_size=6))
def test_what_was_fed_can_be_read_at_once(cuts):
    """Each piece leaves with all that could be made of it."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    recoder = Recoder(Splicer(TAG), gzip_in=True, gzip_out=True)
    reader = zlib.decompressobj(31)
    edges = sorted({0, *cuts, len(PAGE)})
    fed = read = b""
    for start, end in itertools.pairwise(edges):
        fed += PAGE[start:end]
        read += reader.decompress(
            b"".join(recoder.feed(packer.compress(PAGE[start:end]) + packer.flush(zlib.Z_SYNC_FLUSH)))
        )
        if recoder.splicer.placed:
            assert read == fed.replace(b"<head>", b"<head>" + TAG)
    read += reader.decompress(b"".join([*recoder.feed(packer.flush()), *recoder.finish()]))
    assert read == TAGGED
    assert reader.eof


def test_a_stream_cut_short_stays_cut_short():
    recoder = Recoder(Splicer(TAG), gzip_in=True, gzip_out=True)
    out = b"".join([*recoder.feed(gzip.compress(PAGE)[:-20]), *recoder.finish()])
    reader = zlib.decompressobj(31)
    assert TAGGED.startswith(reader.decompress(out))
    assert not reader.eof


def test_a_stream_takes_members_and_leaves_what_is_none():
    recoder = Recoder(Splicer(TAG), gzip_in=True, gzip_out=False)
    body = gzip.compress(PAGE[:100]) + gzip.compress(PAGE[100:]) + b"\0\0\0"
    assert b"".join([*recoder.feed(body), *recoder.finish()]) == TAGGED
    with pytest.raises(CodingError):
        Recoder(Splicer(TAG), gzip_in=True, gzip_out=False).feed(b"no gzip at all")


def test_a_bomb_in_a_stream_goes_out_in_steps():
    recoder = Recoder(Splicer(TAG), gzip_in=True, gzip_out=False)
    pieces = recoder.feed(gzip.compress(PAGE + b"\0" * 3_000_000))
    assert max(map(len, pieces)) <= 256 * 1024 + len(PAGE)
    assert sum(map(len, pieces)) == len(TAGGED) + 3_000_000


def test_packing_pieces_makes_one_body():
    assert gzip.decompress(deflate([b"a", memoryview(b"bc"), b""])) == b"abc"


def test_the_memo_forgets_the_longest_unused_within_its_bytes():
    memo = Memo(1000)
    keys = [(b"%d" % number * 20, TAG, True, True) for number in range(20)]
    for key in keys:
        memo.put(key, b"x" * 60)
        memo.get(keys[0])
        assert memo.size <= 1000
    assert memo.get(keys[0]) == b"x" * 60
    assert memo.get(keys[1]) is None
    assert memo.get((keys[0][0], b"other", True, True)) is None
    assert memo.get((keys[0][0], TAG, True, False)) is None
    memo.put((b"y" * 500, TAG, True, True), b"z")
    assert len(memo) <= 13
    assert memo.get((b"y" * 500, TAG, True, True)) is None


def test_threads_share_a_memo():
    """Under a threaded server: one forgets what another is about to use."""
    memo = Memo(2000)
    faults = []

    def work(seed):
        chosen = random.Random(seed)
        try:
            for _ in range(20_000):
                key = (b"%d" % chosen.randrange(40) * 20, TAG, True, True)
                if memo.get(key) is None:
                    memo.put(key, b"x" * 60)
        except KeyError as error:
            faults.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert faults == []
    assert memo.size == sum(len(key[0]) + len(made) for key, made in memo._bodies.items())
