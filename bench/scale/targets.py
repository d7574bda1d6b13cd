# What is measured: data for measure.py and report.py.

FLOOR, OWN, TLS, DEFLATE = "floor", "navette", "navette, TLS", "navette, deflate"
CONNECTIONS = [1, 10, 100, 1_000, 10_000]
SUBSCRIBERS, PUBLISHED = [1, 10, 100, 1_000, 10_000], 64

# Name, what it is, whom it loads, options of the generator. The floor gets the same number of bytes, and knows no text.
CURVES = [
    ("small", "16 B, one in flight on each connection", [OWN, FLOOR], ["--size", "16"]),
    ("kilobyte", "1 KiB of text, one in flight on each connection", [OWN, FLOOR, TLS, DEFLATE],
     ["--size", "1024", "--text"]),
]
