#!/usr/bin/env bash
# zlib: one file names it, the core needs none, and a version with known holes is refused.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$root" || exit 2

one_includer() { # LIBRARY FILE
    local found
    found=$(grep -rlE "# *include *<$1\.h>" include)
    [[ $found == "include/navette/$2" ]] || { echo "included by: $found"; return 1; }
}

# against VERNUM: compiles deflate.hpp with a zlib.h that says it is that version.
against() {
    printf '#include_next <zlib.h>\n#undef ZLIB_VERNUM\n#define ZLIB_VERNUM %s\n' "$1" >"$scratch/zlib.h"
    echo '#include <navette/deflate.hpp>' | g++-12 -std=c++20 -I"$scratch" -Iinclude -fsyntax-only -x c++ - 2>"$scratch/said"
}
old_is_refused() {
    against 0x12b0 && against 0x12d0 || { cat "$scratch/said"; echo "1.2.11 is refused"; return 1; }
    if against 0x12a0; then echo "1.2.10 is taken"; return 1; fi
    grep -q 'error.*needs zlib 1.2.11' "$scratch/said" || { cat "$scratch/said"; return 1; }
}

core_needs_none() {
    echo '#include <navette/navette.hpp>' | g++-12 -std=c++20 -Iinclude -M -x c++ - >"$scratch/read" &&
        ! grep -oE '[^ ]*/(zlib|libdeflate)\.h' "$scratch/read"
}

check "one file includes zlib.h" one_includer zlib deflate.hpp
check "one file includes libdeflate.h" one_includer libdeflate libdeflate.hpp
check "a zlib older than 1.2.11 is an error [S39]" old_is_refused
check "the core includes neither" core_needs_none
finish
