# What the codec must reach, and what it aims at beyond: data for report.py. Ratios are another row's time divided by
# navette's; a demand that depends on the instruction set is a table by set.

AVX512, AVX2 = "AVX-512", "AVX2"


def ratio(what, other, own, least):
    return {"what": what, "other": other, "own": own, "least": least}


def below(what, own, most_ns):
    return {"what": what, "own": own, "most_ns": most_ns}


def masks(what, size, least):
    return [ratio(f"unmask {what}, Beast's routine{where}", f"{group}/beast/{size}", f"{group}/navette/{size}", least)
            for group, where in (("mask", ""), ("mask-unaligned", ", behind a header"))]


FRAME = "receive-masked/navette/16"

DEMANDS = [
    *masks("1 KiB", 1024, {AVX512: 2.4, AVX2: 1.8}),
    *masks("64 KiB", 65536, {AVX512: 1.6, AVX2: 1.2}),
    *(ratio(f"UTF-8, mixed, {what}, {peer}", f"utf8-mixed/{row}/{size}", f"utf8-mixed/navette/{size}", least)
      for what, size in (("1 KiB", 1024), ("64 KiB", 65536)) for peer, row, least in (("websocketpp", "websocketpp", 20), ("Beast", "beast", 15))),
    ratio("UTF-8, ASCII, 64 KiB, memcpy", "utf8-ascii/memcpy/65536", "utf8-ascii/navette/65536", 0.6),
    ratio("UTF-8, ASCII, 64 B, Beast", "utf8-ascii/beast/64", "utf8-ascii/navette/64", 1),
    ratio("masked 16-byte frames, Beast", "receive-masked/beast/16", FRAME, 8),
    ratio("masked 16-byte frames, websocketpp", "receive-masked/websocketpp/16", FRAME, 10),
    ratio("masked 16-byte frames, wslay's event API", "receive-masked/wslay-event/16", FRAME, 10),
    ratio("masked 16-byte frames, wslay's frame API", "receive-masked/wslay-frame/16", FRAME, 5),
    ratio("server handshake, Beast", "handshake-server/beast/511", "handshake-server/navette/511", 6),
]

AIMS = [
    below("masked 16-byte frames in half of 12 ns", FRAME, 6),
    *(ratio(f"UTF-8, {name}, {what}, within 10 % of simdjson", f"utf8-{script}/simdjson/{size}",
            f"utf8-{script}/navette/{size}", 0.9)
      for name, script in (("ASCII", "ascii"), ("mixed", "mixed")) for what, size in (("64 B", 64), ("1 KiB", 1024), ("64 KiB", 65536))),
    below("server handshake under 500 ns", "handshake-server/navette/511", 500),
    *(ratio(f"fused pass, ASCII, {what}, two passes", f"fused-ascii/navette-two-passes/{size}",
            f"fused-ascii/navette/{size}", 1.8)
      for what, size in (("1 KiB", 1024), ("64 KiB", 65536))),
    ratio("masked 16-byte frames, wslay's event API without buffering", "receive-masked/wslay-event-unbuffered/16",
          FRAME, 10),
]
