#!/usr/bin/env bash
# The short programs are as short as promised, and talk to each other.
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/../support/results.sh"
examples=$here/../../examples

at_most() { # LINES FILE
    local lines
    lines=$(grep -c '[^[:space:]]' "$examples/$2") || return
    ((lines <= $1)) || { echo "$2 has $lines lines, more than $1" && return 1; }
    if grep -qE '^.{101}' "$examples/$2"; then echo "$2 has a line of more than 100 columns" && return 1; fi
}

check "short programs: print_client takes at most 12 lines" at_most 12 print_client.cpp
check "short programs: callback_client takes at most 7 lines" at_most 7 callback_client.cpp
check "short programs: server_echo takes at most 7 lines" at_most 7 server_echo.cpp
check "short programs: server_habit takes at most 10 lines" at_most 10 server_habit.cpp
check "short programs: simple_echo takes at most 12 lines" at_most 12 simple_echo.cpp
check "short programs: asio_echo takes at most 20 lines" at_most 20 asio_echo.cpp
check "short programs: asio_client takes at most 20 lines" at_most 20 asio_client.cpp
check "short programs: own_stream takes at most 25 lines" at_most 25 own_stream.cpp

PYTHONPATH=$here/../support PYTHONDONTWRITEBYTECODE=1 \
    "${PYTHON:-/usr/bin/python3}" "$here/short_programs.py" || failures=1
finish
