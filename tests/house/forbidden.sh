#!/usr/bin/env bash
# What no file may hold: expensive headers on floors 0 to 5, reinterpret_cast outside its two places, files of more
# than 500 lines, headers that do not say what they are, leftovers, tabs, goto, a test that cannot fail.
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}" || exit 2
status=0
complain() {
    echo "$1"
    status=1
}
# none WHY PATTERN FILE...: complains of each line that matches.
none() {
    local why=$1 pattern=$2 line
    shift 2
    (($#)) || return
    while read -r line; do complain "${line%%:*}:$(cut -d: -f2 <<<"$line"): $why"; done < <(grep -nHE "$pattern" "$@")
}

mapfile -t headers < <(find include -name '*.hpp' -o -name '*.ipp' | sort)
mapfile -t fragments < <(find include -type f -not -name '*.hpp' -not -name '*.ipp' | sort)
mapfile -t core < <(printf '%s\n' "${headers[@]}" | grep -E '^include/navette/(base|codec|frame|extension|handshake|protocol)/')
mapfile -t without_cast < <(printf '%s\n' "${headers[@]}" | grep -vxE 'include/navette/(base/bytes\.hpp|tcp(_[a-z]+)?\.(hpp|ipp))')
mapfile -t all < <(find . \( -path ./build -o -path ./.git -o -path ./tests/house \) -prune -o -type f \
    \( -name '*.hpp' -o -name '*.ipp' -o -name '*.cpp' -o -name '*.sh' -o -name '*.py' -o -name '*.mjs' -o -name '*.md' \
    -o -name '*.txt' -o -name '*.cmake' -o -name '*.json' -o -name '*.html' -o -name '*.css' -o -name '*.js' \) -print |
    sed 's|^\./||' | sort)
mapfile -t sources < <(printf '%s\n' "${all[@]}" | grep -E '\.(hpp|ipp|cpp)$')
mapfile -t tests < <(printf '%s\n' "${sources[@]}" | grep '^tests/')

costly='^ *# *include *<(iostream|regex|random|chrono|mutex|ranges|functional|system_error)>'
none 'this header is too costly for floors 0 to 5' "$costly" "${core[@]}"
mapfile -t light < <(printf '%s\n' "${headers[@]}" | grep -vxE 'include/navette/(asio|boost_asio|(tcp|tls|websocket|server)(_[a-z]+)?)\.(hpp|ipp)')
none 'this header alone costs a third of what the library does' '^ *# *include *<(algorithm|iterator|memory)>' "${light[@]}"
none 'costs half a second; use vector types' '^ *# *include *<[a-z]*intrin\.h>' "${headers[@]}" "${fragments[@]}"
none 'reinterpret_cast belongs into base/bytes.hpp' 'reinterpret_cast *<' "${without_cast[@]}" "${fragments[@]}"
none 'a fragment of code includes nothing' '^ *# *include' "${fragments[@]}"
none 'goto' '^[^"/]*\bgoto +[a-z_]+;' "${sources[@]}"
none 'a leftover' '\b(TO[D]O|FIX[M]E|XXX)\b' "${all[@]}"
none 'a tab' $'\t' "${all[@]}"
none 'white space at the end of a line' ' +$' "${all[@]}"
none 'a test that cannot fail' '\b(CHECK|REQUIRE)\( *true *\)|\bSUCCEED\(' "${tests[@]}"
mapfile -t cases < <(printf '%s\n' "${tests[@]}" | grep -vx tests/support/catch.hpp)
none 'Catch2 is taken through support/catch.hpp' '^ *# *include *<catch2/' "${cases[@]}"

while IFS= read -r line; do complain "$line"; done < <(awk '
    function judge() {
        if (lines > 500) print file ": more than 500 lines"
        least = file ~ /\.ipp$/ ? 1 : 2
        if (opening < least || opening > 6) print file ": opens with " opening " comment lines, not " least " to 6"
        if (!guarded) print file ": lacks #pragma once"
    }
    BEGIN { for (i = 1; i < ARGC; ++i) unread[ARGV[i]] }
    FNR == 1 { if (file) judge(); file = FILENAME; opening = guarded = 0; opens = 1; delete unread[file] }
    { lines = FNR }
    opens && !/^\/\// { opens = 0 }
    opens { ++opening }
    $0 == "#pragma once" { guarded = 1 }
    END { judge(); for (file in unread) print file ": is empty" }' "${headers[@]}")
exit $status
