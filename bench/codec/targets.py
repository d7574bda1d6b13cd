# What the codec must reach, and what it aims at beyond: data for report.py. Ratios are another row's time divided by
# navette's; a demand that depends on the instruction set is a table by set.

AVX512, AVX2 = "AVX-512", "AVX2"


def row(what, group, peer, size, least):
    return {"what": what, "other": f"{group}/{peer}/{size}", "own": f"{group}/navette/{size}",
            "least": least}


def below(what, own, most_ns):
    return {"what": what, "own": own, "most_ns": most_ns}


def unmask(what, size, least):
    """From a 64-byte boundary on, and where a frame's header puts the payload."""
    return [row(f"unmask {what}, Beast", "mask", "beast", size, least),
            row(f"unmask {what}, Beast, behind a header", "mask-unaligned", "beast", size, least)]


def frames(what, peer, least):
    return row(f"masked 16-byte frames, {what}", "receive-masked", peer, 16, least)


DEMANDS = [
    *unmask("1 KiB", 1024, {AVX512: 2.4, AVX2: 1.8}),
    *unmask("64 KiB", 65536, {AVX512: 1.6, AVX2: 1.2}),
    row("UTF-8, mixed, 1 KiB, websocketpp", "utf8-mixed", "websocketpp", 1024, 20),
    row("UTF-8, mixed, 1 KiB, Beast", "utf8-mixed", "beast", 1024, 15),
    row("UTF-8, mixed, 64 KiB, websocketpp", "utf8-mixed", "websocketpp", 65536, 20),
    row("UTF-8, mixed, 64 KiB, Beast", "utf8-mixed", "beast", 65536, 15),
    row("UTF-8, ASCII, 64 KiB, memcpy", "utf8-ascii", "memcpy", 65536, 0.6),
    row("UTF-8, ASCII, 64 B, Beast", "utf8-ascii", "beast", 64, 1),
    frames("Beast", "beast", 8),
    frames("websocketpp", "websocketpp", 10),
    frames("wslay's event API", "wslay-event", 10),
    frames("wslay's frame API", "wslay-frame", 5),
    row("server handshake, Beast", "handshake-server", "beast", 511, 6),
]

AIMS = [
    below("masked 16-byte frames, half of uWebSockets' 12 ns", "receive-masked/navette/16", 6),
    frames("wslay's event API without buffering", "wslay-event-unbuffered", 10),
    row("UTF-8, ASCII, 64 B, simdjson", "utf8-ascii", "simdjson", 64, 0.9),
    row("UTF-8, ASCII, 1 KiB, simdjson", "utf8-ascii", "simdjson", 1024, 0.9),
    row("UTF-8, ASCII, 64 KiB, simdjson", "utf8-ascii", "simdjson", 65536, 0.9),
    row("UTF-8, mixed, 64 B, simdjson", "utf8-mixed", "simdjson", 64, 0.9),
    row("UTF-8, mixed, 1 KiB, simdjson", "utf8-mixed", "simdjson", 1024, 0.9),
    row("UTF-8, mixed, 64 KiB, simdjson", "utf8-mixed", "simdjson", 65536, 0.9),
    below("server handshake, 500 ns", "handshake-server/navette/511", 500),
    row("fused, ASCII, 1 KiB, two passes", "fused-ascii", "navette-two-passes", 1024, 1.8),
    row("fused, ASCII, 64 KiB, two passes", "fused-ascii", "navette-two-passes", 65536, 1.8),
]
