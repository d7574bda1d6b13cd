#!/usr/bin/env bash
# The contents lists: navette.hpp includes every header of floors 0 to 6 that proxies.hpp does not, src.hpp every .ipp, and
# neither anything else. A body that needs more than the standard library and POSIX stays out: those of tls.hpp.
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}/include/navette" || exit 2
status=0
listed() { sed -nE 's|^#include <navette/([^>]*)>.*|\1|p' "$1" | sort; }
same() {
    local difference
    if difference=$(diff <(listed "$1") <(sort)); then return; fi
    sed -nE "s|^< (.*)|include/navette/$1: must not list \1|p; s|^> (.*)|include/navette/$1: does not list \1|p" \
        <<<"$difference"
    status=1
}
same navette.hpp < <({ echo version.hpp; find */ -name '*.hpp'; } | grep -vxFf <(listed proxies.hpp))
same src.hpp < <(find . -name '*.ipp' | sed 's|^\./||' | grep -vxE 'tls(_engine)?\.ipp')
exit $status
