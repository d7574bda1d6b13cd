# What is measured and what must be reached: data for measure.py and report.py. A ratio is navette's messages a second
# divided by the other server's.

FLOOR, OWN = "floor", "navette"
PEERS = ["beast", "websocketpp", "libwebsockets", "bun"]

# Name, what it is, options of the generator. The floor gets the same number of bytes, and knows no text.
ECHOES = [
    ("small", "16 B, 100 connections, one in flight", ["--connections", "100", "--size", "16"]),
    ("kilobyte", "1 KiB, 100 connections, one in flight", ["--connections", "100", "--size", "1024"]),
    ("pipelined", "16 B, 100 connections, 64 in flight on each",
     ["--connections", "100", "--size", "16", "--in-flight", "64"]),
    ("mixed-text", "16 KiB of text of two- and three-byte characters, 32 connections",
     ["--connections", "32", "--size", "16384", "--text", "--characters", "mixed"]),
    ("large", "64 KiB, 32 connections", ["--connections", "32", "--size", "65536"]),
    ("huge", "1 MiB, 16 connections", ["--connections", "16", "--size", "1048576"]),
]

# How many connections are held, and what each echoes in the end.
IDLE, IDLE_MESSAGE = 10_000, 1 << 20
SUBSCRIBERS, PUBLISHED = 1_000, 64

SPEEDS = [
    ("small", FLOOR, 0.95),
    ("kilobyte", FLOOR, 0.95),
    ("pipelined", FLOOR, 0.90),
    ("pipelined", "beast", 30),
    ("pipelined", "websocketpp", 10),
    ("mixed-text", FLOOR, 0.68),
    ("large", FLOOR, 0.88),
    ("large", "beast", 1.4),
    ("huge", "beast", 1.2),
]

# Bytes resident of a connection, more than the floor's, at most.
MOST_IDLE = 384
# Times as long as the same number of bare sends, at most.
MOST_FAN_OUT = 1.1
