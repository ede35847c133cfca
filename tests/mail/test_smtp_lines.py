"""SMTP's bytes: what is a command, a path, the end of a message."""

from __future__ import annotations

import random

import pytest

from bridge.mail.smtp_lines import (
    AUTH_MOST,
    LINE_MOST,
    BadLine,
    DataReader,
    command,
    message_of,
    path,
    stuffed,
    unfit,
    unstuffed,
)


def refusal(call, *args):
    with pytest.raises(BadLine) as caught:
        call(*args)
    return caught.value


def test_a_verb_is_read_in_any_case_with_what_follows():
    assert command(b"mail FROM:<a@b.test>\r\n") == ("MAIL", "FROM:<a@b.test>")
    assert command(b"QUIT\r\n") == ("QUIT", "")
    assert command("RCPT TO:<zoë@b.test>\r\n".encode()) == ("RCPT", "TO:<zoë@b.test>")


@pytest.mark.parametrize(
    ("line", "code", "final"),
    [
        (b"QUIT\n", "500", False),
        (b"MAIL FROM:<a@b.test>\rRCPT TO:<c@d.test>\r\n", "500", False),
        (b"NOOP \x00\r\n", "500", False),
        (b"NOOP \x1b[2J\r\n", "500", False),
        (b"\r\n", "500", False),
        (b"\xff\xfe\r\n", "500", False),
        (b"MA1L x\r\n", "500", False),
        (b"NOOP " + b"x" * 4100 + b"\r\n", "500", False),
        (b"RCPT TO:<a@\xff.test>\r\n", "501", False),
        (b"GET / HTTP/1.1\r\n", "421", True),
        (b"POST /x HTTP/1.1\n", "421", True),
        (b"Host: shop.test\r\n", "421", True),
        (b"\x16\x03\x01\x02\x00\x01\n", "500", False),
    ],
)
def test_what_is_no_command_is_refused_with_its_code(line, code, final):
    bad = refusal(command, line)
    assert bad.reply.startswith(code + " ")
    assert bad.final is final


def test_a_line_of_credentials_may_be_long():
    line = b"AUTH PLAIN " + b"A" * 10_000
    assert command(line + b"\r\n")[0] == "AUTH"
    assert refusal(command, line + b"A" * AUTH_MOST + b"\r\n").reply.startswith("500")


@pytest.mark.parametrize(
    ("argument", "address", "parameters"),
    [
        ("TO:<ada@example.test>", "ada@example.test", {}),
        ("to: <ada@example.test> ", "ada@example.test", {}),
        ("TO:ada@example.test", "ada@example.test", {}),
        ('TO:<"ada b"@example.test>', '"ada b"@example.test', {}),
        (r'TO:<"a\"b>c"@example.test>', r'"a\"b>c"@example.test', {}),
        ('TO:<o"brien@example.test>', 'o"brien@example.test', {}),
        ("TO:<@relay.test,@other.test:ada@example.test>", "ada@example.test", {}),
        ("TO:<ada@münchen.test>", "ada@münchen.test", {}),
        ("TO:<Postmaster>", "Postmaster", {}),
        ("TO:<not an address>", "not an address", {}),
        ("TO:<ada@[IPv6:::1]>", "ada@[IPv6:::1]", {}),
        ("TO:<ada@example.test> NOTIFY=NEVER", "ada@example.test", {"NOTIFY": "NEVER"}),
    ],
)
def test_a_path_is_taken_as_it_was_sent(argument, address, parameters):
    found = path(argument, "TO")
    assert (found.address, found.parameters) == (address, parameters)


def test_the_null_sender_is_a_sender_but_no_recipient():
    assert path("FROM:<> SIZE=12 BODY=8BITMIME", "FROM").parameters == {"SIZE": "12", "BODY": "8BITMIME"}
    assert path("FROM:<>", "FROM").address == ""
    assert refusal(path, "TO:<>", "TO").reply.startswith("553")


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("", "501"),
        ("FROM:<a@b.test>", "501"),
        ("TO <a@b.test>", "501"),
        ("TO:<a@b.test", "501"),
        ("TO:<a@b.test><c@d.test>", "501"),
        ("TO:<a@b.test>x", "501"),
        ("TO:", "501"),
        ("TO:<a@b.test> !=x", "501"),
        ("TO:<" + "a" * 2000 + "@b.test>", "553"),
    ],
)
def test_what_is_no_path_is_refused_with_its_code(argument, code):
    assert refusal(path, argument, "TO").reply.startswith(code + " ")


def test_a_path_of_nothing_but_quotes_is_read_in_a_moment():
    refusal(path, "TO:<" + '"' * 3000 + "x", "TO")


def read(pieces, most=1_000_000):
    reader = DataReader(most)
    held = 0
    for piece in pieces:
        held += reader.feed(piece)
        if reader.done:
            break
    assert held == len(reader._held)
    return reader


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (b".\r\n", b""),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"...\r\n..x\r\n\r\n.\r\n", b"..\r\n.x\r\n\r\n"),
        (b".x\r\n.\r\n", b"x\r\n"),
        (b"a.\r\n.\r\n", b"a.\r\n"),
        (b"\r\n.\r\n", b"\r\n"),
    ],
)
def test_a_message_ends_at_its_dot_however_it_is_cut(sent, message):
    rest = b"QUIT\r\n.\r\n"
    for cut in range(len(sent) + 1):
        reader = read([sent[:cut], sent[cut:] + rest])
        assert reader.done
        assert message_of(reader.whole()) == message
        assert reader.rest == rest[len(rest) - len(reader.rest) :]
        assert reader.size == len(sent) - 3
    whole = read([bytes([byte]) for byte in sent])
    assert whole.done
    assert (message_of(whole.whole()), whole.rest) == (message, b"")


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\n.\r", b"\r\n.\r\r\n", b"\r\n\x00.\r\n"]
)
def test_no_other_end_ends_a_message(end):
    reader = read([b"a" + end + b"MAIL FROM:<evil@x.test>\r\n"])
    assert not reader.done


@pytest.mark.parametrize("bare", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\r\n", b"a\n\r\n", b"\n", b"\r"])
def test_a_bare_cr_or_lf_is_never_passed_on(bare):
    assert unfit(bare).startswith("554 5.6.0")
    assert refusal(message_of, read([b"Subject: x\r\n\r\n" + bare + b"\r\n.\r\n"]).whole()).reply.startswith(
        "554 5.6.0"
    )


@pytest.mark.parametrize(
    "odd", [b"\x00\r\n", bytes(set(range(256)) - {10, 13}) + b"\r\n", b"", b"x" * LINE_MOST + b"\r\n"]
)
def test_odd_bytes_within_lines_are_no_fault(odd):
    assert unfit(odd) == ""


def test_a_line_without_end_and_a_message_in_circles_are_refused():
    assert unfit(b"x" * (LINE_MOST + 1) + b"\r\n").startswith("554 5.6.0")
    hops = b"Received: from a by b\r\n" * 51
    assert unfit(hops + b"\r\nbody\r\n").startswith("554 5.4.6")
    assert unfit(b"Subject: x\r\n\r\n" + hops) == ""


def test_a_message_that_is_too_large_is_read_to_its_end_in_little_memory():
    reader = DataReader(1000)
    for _ in range(500):
        reader.feed(b"x" * 98 + b"\r\n")
        assert len(reader._held) <= 1100
    reader.feed(b".\r\nQUIT\r\n")
    assert reader.done
    assert reader.rest == b"QUIT\r\n"
    assert refusal(reader.whole).reply.startswith("552 5.3.4")


def test_a_message_that_is_shed_is_read_to_its_end_too():
    reader = DataReader(1000)
    held = reader.feed(b"abc\r\n")
    held -= reader.shed()
    held += reader.feed(b".")
    held += reader.feed(b"\r\nrest")
    assert reader.done
    assert reader.rest == b"rest"
    assert held == len(reader._held)
    assert reader.drop() == held


def test_dots_put_before_lines_come_off_again():
    random.seed(7)
    for _ in range(2000):
        raw = b"".join(random.choice([b".", b"..", b"a", b"\r\n", b"\x00", b"\xe9"]) for _ in range(12)) + b"\r\n"
        sent = stuffed(raw)
        assert b"\r\n.\r\n" not in b"\r\n" + sent
        assert unstuffed(sent) == raw
        assert message_of(read([sent + b".\r\n"]).whole()) == raw


@pytest.mark.parametrize("before", [b"", b"short\r\n" * 30_000, b"y" * LINE_MOST + b"\r\n"])
@pytest.mark.parametrize("after", [b"", b"short\r\n" * 30_000])
@pytest.mark.parametrize(("length", "fits"), [(LINE_MOST, True), (LINE_MOST + 1, False)])
def test_the_longest_line_is_found_wherever_it_stands(before, after, length, fits):
    assert (unfit(before + b"x" * length + b"\r\n" + after) == "") is fits
