# What is compiled: data for measure.py and report.py.
from typing import NamedTuple


class Subject(NamedTuple):
    name: str
    sources: list           # of a program: files, or text to be compiled; the first is the user's own
    whose: str              # with which of the others it is compared
    header: bool = False    # only read: sources are headers
    standard: str = "c++20"
    flags: list = []
    libraries: list = []


LEVELS = ["-O0 -g", "-O3 -DNDEBUG"]

SUBJECTS = [
    Subject("navette/protocol/protocol.hpp", ["navette/protocol/protocol.hpp"], "navette", header=True),
    Subject("navette/navette.hpp", ["navette/navette.hpp"], "navette", header=True),
    Subject("navette/server.hpp", ["navette/server.hpp"], "navette", header=True),
    Subject("navette/asio.hpp", ["navette/asio.hpp"], "navette", header=True),
    Subject("boost/beast/websocket.hpp", ["boost/beast/websocket.hpp"], "Boost.Beast", header=True),
    Subject("websocketpp/server.hpp", ["websocketpp/config/asio_no_tls.hpp", "websocketpp/server.hpp"], "websocketpp",
            header=True, standard="c++17"),

    Subject("navette", ["examples/server_echo.cpp"], "navette"),
    Subject("navette, its bodies apart", ["examples/server_echo.cpp", "#include <navette/src.hpp>\n"], "navette",
            flags=["-DNAVETTE_SEPARATE_COMPILATION"]),
    Subject("navette over Asio", ["examples/asio_echo.cpp"], "navette"),
    Subject("Boost.Beast", ["bench/server/beast.cpp"], "Boost.Beast"),
    Subject("websocketpp", ["bench/server/websocketpp.cpp"], "websocketpp", standard="c++17"),
]

# A header of navette against Beast's, by user time.
MOST_INCLUDE = 0.25
