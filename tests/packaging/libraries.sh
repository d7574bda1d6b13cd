#!/usr/bin/env bash
# The libraries that adapters stand on: one adapter names each, the core needs none, and a version that is too old is refused.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$root" || exit 2

includers() { # HEADER FILES, both as patterns: nobody else includes it, and somebody does
    local found
    found=$(grep -rlE "# *include *<$1>" include)
    [[ -n $found ]] && ! grep -vxE "include/navette/$2" <<<"$found"
}

# against ADAPTER HEADER MACRO VALUE: preprocesses the adapter with a header of the library that says it is that version.
against() {
    mkdir -p "$(dirname "$scratch/$2")"
    printf '#include_next <%s>\n#undef %s\n#define %s %s\n' "$2" "$3" "$3" "$4" >"$scratch/$2"
    echo "#include <navette/$1>" | g++-12 -std=c++20 -I"$scratch" -Iinclude -E -o /dev/null -x c++ - 2>"$scratch/said"
}
old_is_refused() { # TEXT ADAPTER HEADER MACRO OLD OLDEST NEWER
    against "${@:2:3}" "$6" && against "${@:2:3}" "$7" || { cat "$scratch/said"; echo "the oldest is refused"; return 1; }
    if against "${@:2:3}" "$5"; then echo "an older one is taken"; return 1; fi
    grep -q "error.*needs $1" "$scratch/said" || { cat "$scratch/said"; return 1; }
}

core_needs_none() {
    echo '#include <navette/navette.hpp>' | g++-12 -std=c++20 -Iinclude -M -x c++ - >"$scratch/read" &&
        ! grep -oE '[^ ]*/(zlib|libdeflate)\.h|[^ ]*/openssl/[^ ]*|[^ ]*/asio\.hpp' "$scratch/read"
}

check "one file includes zlib.h" includers 'zlib\.h' 'deflate\.hpp'
check "one file includes libdeflate.h" includers 'libdeflate\.h' 'libdeflate\.hpp'
check "tls.hpp and its bodies alone include OpenSSL" includers 'openssl/.*' 'tls(_[a-z]*)?\.[hi]pp'
check "one file includes standalone Asio" includers 'asio/.*' 'asio\.hpp'
check "one file includes Boost" includers 'boost/.*' 'boost_asio\.hpp'
check "a zlib older than 1.2.11 is an error [S39]" \
    old_is_refused "zlib 1.2.11" deflate.hpp zlib.h ZLIB_VERNUM 0x12a0 0x12b0 0x12d0
check "an OpenSSL older than 3.0 is an error" \
    old_is_refused "OpenSSL 3.0" tls.hpp openssl/opensslv.h OPENSSL_VERSION_NUMBER 0x1010117fL 0x30000000L 0x30500000L
check "an Asio older than 1.22 is an error" old_is_refused "Asio 1.22" asio.hpp asio/version.hpp ASIO_VERSION 102199 102200 102400
check "a Boost older than 1.74 is an error" \
    old_is_refused "Boost 1.74" boost_asio.hpp boost/version.hpp BOOST_VERSION 107300 107400 107600
check "the core includes none of them" core_needs_none
finish
