#!/usr/bin/env bash
# Each piece of C++ in the guides, docs/from-*.md, compiles: it says behind ```cpp whose it is, and all that one library has
# in one guide is one translation unit, each piece in a namespace of its own, behind guides/<library>.hpp.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
cd "$root" || exit 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# pieces GUIDE LIBRARY: prints the translation unit; nothing if the guide has no such piece.
pieces() {
    awk -v guide="$1" -v library="$2" '
        /^```cpp/ { is_its = $2 == library; number = NR + 1; if (is_its) { print "namespace piece_" NR " {\n#line " number " \"" guide "\"" }; next }
        /^```/    { if (is_its) print "} // namespace"; is_its = 0; next }
        is_its' "$1" | { read -r first && printf '#include "guides/%s.hpp"\n%s\n' "$2" "$first" && cat; }
}
compiled() { # GUIDE LIBRARY OPTION...
    local source=$scratch/$2.cpp
    pieces "$1" "$2" >"$source"
    [[ -s $source ]] || { echo "$1 has nothing of $2"; return 1; }
    g++-12 -Iinclude -Itests/packaging "${@:3}" -fsyntax-only "$source"
}
all_told() { # GUIDE LIBRARY...: each piece is of one of these
    local guide=$1 wrong
    shift
    wrong=$(grep -nE '^```.+' "$guide" | grep -vE "^[0-9]+:\`\`\`cpp ($(IFS='|' && echo "$*"))\$")
    [[ -z $wrong ]] || { echo "$guide:$wrong"; return 1; }
}
spoiled() { # a mistake in a piece is seen, at its place
    sed 's/co_await ws->send("how are you?")/co_await ws->sned("how are you?")/' docs/from-beast.md >"$scratch/from-beast.md"
    ! compiled "$scratch/from-beast.md" navette "${strict[@]}" >"$scratch/said" 2>&1 &&
        grep -qE "from-beast.md:$(grep -n sned "$scratch/from-beast.md" | cut -d: -f1):.*sned" "$scratch/said"
}

strict=(-std=c++20 -Wall -Wextra -Wno-unused-function -Werror)
for guide in docs/from-*.md; do
    other=${guide#docs/from-} other=${other%.md}
    check "$guide: each piece of code says whose it is" all_told "$guide" navette "$other"
    check "$guide: the code for navette compiles" compiled "$guide" navette "${strict[@]}"
done
check "docs/from-beast.md: the code for Beast compiles" compiled docs/from-beast.md beast -std=c++20
check "docs/from-websocketpp.md: the code for websocketpp compiles" compiled docs/from-websocketpp.md websocketpp -std=c++17
check "a mistake in a guide would be seen" spoiled
finish
