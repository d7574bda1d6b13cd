#!/usr/bin/env bash
# The house scripts must be able to fail: each is run on a copy of the repository with a violation planted in it, and
# has to name the place.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# planted SCRIPT EXPECTED WHAT COMMAND: runs COMMAND in a fresh copy; then SCRIPT must fail and say EXPECTED.
planted() {
    local script=$1 expected=$2 what=$3 command=$4 output copy=$scratch/copy
    rm -rf "$copy" && mkdir "$copy"
    (cd "$root" && cp -r include tests README.md examples "$copy")
    if (cd "$copy" && eval "$command") && output=$("$root/tests/house/$script" "$copy" 2>&1); then
        fail "$script sees $what" "it passes"
    elif ! grep -qF -- "$expected" <<<"$output"; then
        fail "$script sees $what" "it does not say '$expected'"
    else
        pass "$script sees $what"
    fi
}

lower=include/navette/base/planted.hpp
opening='// A planted header.\n// Two lines.\n#pragma once\n'

planted mirror.sh "$lower: has no test" "a header without a test" "printf '$opening' >$lower"
planted mirror.sh "does not include <navette/base/planted.hpp> first" "a test that includes another header first" \
    "printf '$opening' >$lower; mkdir -p tests/base
     printf '#include <vector>\n#include <navette/base/planted.hpp>\n' >tests/base/planted_test.cpp"
planted mirror.sh "planted_topic_test.cpp: does not include <navette/base/planted.hpp> first" "the same in a second file" \
    "printf '$opening' >$lower; mkdir -p tests/base
     printf '#include <navette/base/planted.hpp>\n' >tests/base/planted_test.cpp
     printf '#include <vector>\n' >tests/base/planted_topic_test.cpp"
planted mirror.sh "there is no include/navette/base/orphan.hpp" "a test without a header" \
    "mkdir -p tests/base; printf '#include <vector>\n' >tests/base/orphan_test.cpp"
planted mirror.sh "tests/base/forgotten.cpp: is not named" "a test that nothing builds" \
    "mkdir -p tests/base; echo >tests/base/forgotten.cpp"

planted floors.sh "base/planted.hpp:4: climbs to codec/utf8.hpp" "an include that climbs" \
    "printf '$opening#include <navette/codec/utf8.hpp>\n' >$lower"
planted floors.sh "handshake/planted.hpp:4: frame/ and handshake/" "a handshake that knows frames" \
    "mkdir -p include/navette/frame include/navette/handshake; echo >include/navette/frame/planted.hpp
     printf '$opening#include <navette/frame/planted.hpp>\n' >include/navette/handshake/planted.hpp"
planted floors.sh "circle" "headers in a circle" \
    "printf '$opening#include <navette/base/other.hpp>\n' >$lower
     printf '$opening#include <navette/base/planted.hpp>\n' >include/navette/base/other.hpp"
planted floors.sh "<sys/socket.h> is no standard header" "a system header" \
    "printf '$opening#include <sys/socket.h>\n' >$lower"
planted floors.sh '"bytes.hpp" is not written with' "an include with quotes" \
    "printf '$opening#include \"bytes.hpp\"\n' >$lower"
planted floors.sh "there is no base/nothing.hpp" "an include of nothing" \
    "printf '$opening#include <navette/base/nothing.hpp>\n' >$lower"

planted forbidden.sh "base/planted.hpp:4: this header is too costly" "a costly header" \
    "printf '$opening#include <chrono>\n' >$lower"
planted forbidden.sh "base/planted.hpp:4: this header alone costs a third" "a heavy header" \
    "printf '$opening#include <algorithm>\n' >$lower"
planted forbidden.sh "base/planted.hpp:4: costs half a second" "<immintrin.h>" \
    "printf '$opening#include <immintrin.h>\n' >$lower"
planted forbidden.sh "base/planted.hpp:4: reinterpret_cast" "a reinterpret_cast" \
    "printf '${opening}inline auto p = reinterpret_cast<int*>(0);\n' >$lower"
planted forbidden.sh "base/planted.hpp: more than 500 lines" "a long file" \
    "{ printf '$opening'; yes '//' | head -n 498; } >$lower"
planted forbidden.sh "base/planted.hpp: opens with 1 comment lines" "a header that does not say what it is" \
    "printf '// Planted.\n#pragma once\n' >$lower"
planted forbidden.sh "base/planted.hpp: is empty" "an empty header" ": >$lower"
planted forbidden.sh "base/planted.hpp: lacks #pragma once" "a header without a guard" \
    "printf '// A planted header.\n// Two lines.\n' >$lower"
planted forbidden.sh "base/planted.hpp:4: a leftover" "a leftover" "printf '$opening// TO''DO\n' >$lower"
planted forbidden.sh "base/planted.hpp:4: a tab" "a tab" "printf '$opening//\t\n' >$lower"
planted forbidden.sh "base/planted.hpp:4: white space" "white space at the end of a line" "printf '$opening// \n' >$lower"
planted forbidden.sh "base/planted.hpp:4: goto" "goto" "printf '${opening}void f() { end: goto end; }\n' >$lower"
planted forbidden.sh "planted_test.cpp:1: a test that cannot fail" "a test that cannot fail" \
    "printf 'CHECK(%s);\n' true >tests/planted_test.cpp"
planted forbidden.sh "planted_test.cpp:1: Catch2 is taken" "Catch2 taken another way" \
    "printf '#include <catch2/catch.hpp>\n' >tests/planted_test.cpp"

planted contents.sh "navette.hpp: does not list base/planted.hpp" "a header that navette.hpp forgets" \
    "printf '$opening' >$lower"
planted contents.sh "src.hpp: does not list base/planted.ipp" "a body that src.hpp forgets" \
    "printf '$opening' >include/navette/base/planted.ipp"

planted readme.sh "the block is not examples/planted.cpp" "a program in README.md that is not the compiled one" \
    "printf 'int main() {}\n' >examples/planted.cpp
     printf 'examples/planted.cpp\n\`\`\`cpp\nint main() { }\n\`\`\`\n' >>README.md"
planted readme.sh "without the name of its file" "a program in README.md without a file" \
    "printf 'A program:\n\`\`\`cpp\nint main() {}\n\`\`\`\n' >>README.md"

planted rows.sh "C999" "a row without a test" "printf 'C999\\tboth\\t5\\n' >>tests/rows.tsv"
planted rows.sh "C999 (client)" "a row without a test for one role" \
    "printf 'C999\\tboth\\t5\\n' >>tests/rows.tsv
     echo 'TEST_CASE(\"x\", \"[C999][server]\") {}' >tests/planted_test.cpp"

# unproven EXPECTED WHAT SED: tests/rows.sh sees what is wrong with a row of rows.tsv.
unproven() {
    local expected=$1 what=$2 copy=$scratch/copy output
    rm -rf "$copy" && mkdir "$copy"
    (cd "$root" && cp -r include tests docs "$copy")
    sed -i -E "$3" "$copy/tests/rows.tsv"
    if output=$(NAVETTE_RESULTS='' "$copy/tests/rows.sh" --check 2>&1); then
        fail "rows.sh sees $what" "it passes"
    elif ! grep -qF -- "$expected" <<<"$output"; then
        fail "rows.sh sees $what" "it does not say '$expected'"
    else
        pass "rows.sh sees $what"
    fi
}
unproven "C110: has no line" "a row that is missing" '/^C110\t/d'
unproven "C110 (both): its edit changes nothing" "an edit that breaks nothing" 's/^(C110\t.*)\t([^\t]*)\t[^\t]*$/\1\t\2\t\2/'
unproven "with the tag [C110] for the client" "a test that proves another row" \
    's/^(C110\t.*): a Close with a payload of one byte[^\t]*/\1: of 65,536 close codes only those that may be sent are taken/'
unproven "stands in protocol/protocol.ipp 0 times" "an edit of a line that is not there" \
    's/^(C110\t.*\tprotocol\/protocol\.ipp\t)[^\t]*(\t[^\t]*)$/\1no such line\2/'
finish
