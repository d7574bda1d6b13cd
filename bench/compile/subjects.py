# What is compiled: data for measure.py and report.py.
from typing import NamedTuple


class Subject(NamedTuple):
    name: str
    sources: list           # of a program: files, or text to be compiled; the first is the user's own
    header: bool = False    # only read: sources are headers
    standard: str = "c++20"
    flags: list = []


LEVELS = ["-O0 -g", "-O3 -DNDEBUG"]

SUBJECTS = [
    Subject("navette/protocol/protocol.hpp", ["navette/protocol/protocol.hpp"], header=True),
    Subject("navette/navette.hpp", ["navette/navette.hpp"], header=True),
    Subject("navette/server.hpp", ["navette/server.hpp"], header=True),
    Subject("navette/asio.hpp", ["navette/asio.hpp"], header=True),
    Subject("boost/beast/websocket.hpp", ["boost/beast/websocket.hpp"], header=True),
    Subject("websocketpp/server.hpp", ["websocketpp/config/asio_no_tls.hpp", "websocketpp/server.hpp"],
            header=True, standard="c++17"),

    Subject("navette", ["examples/server_echo.cpp"]),
    Subject("navette, its bodies apart", ["examples/server_echo.cpp", "#include <navette/src.hpp>\n"],
            flags=["-DNAVETTE_SEPARATE_COMPILATION"]),
    Subject("navette over Asio", ["examples/asio_echo.cpp"]),
    Subject("Boost.Beast", ["bench/server/beast.cpp"]),
    Subject("websocketpp", ["bench/server/websocketpp.cpp"], standard="c++17"),
]

# A header of navette against Beast's, by user time.
MOST_INCLUDE = 0.25
