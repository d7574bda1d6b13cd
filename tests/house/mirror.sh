#!/usr/bin/env bash
# The mirror rule: include/navette/<path>.hpp has tests/<path>_test.cpp, which includes that header first, and so do
# tests/<path>_<topic>_test.cpp if it needs more than one file; no test there is without its header, and no source file
# escapes the build by its name. Programs that scripts build stand in folders of their own.
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}" || exit 2
status=0
complain() {
    echo "$1"
    status=1
}

first_include() { sed -n 's/^#include \([^ ]*\).*/\1/p' "$1" | head -n 1; }

while read -r path; do
    test=tests/${path%.hpp}_test.cpp
    if [[ ! -f $test ]]; then
        complain "include/navette/$path: has no test $test"
    elif [[ $(first_include "$test") != "<navette/$path>" ]]; then
        complain "$test: does not include <navette/$path> first"
    fi
done < <(cd include/navette && find . -name '*.hpp' | sed 's|^\./||' | grep -vxE '(navette|version|src)\.hpp' | sort)

# header_of TEST: the header that a test in the mirror belongs to; nothing if there is none.
header_of() {
    local path=${1#tests/}
    path=${path%_test.cpp}
    while [[ ! -f include/navette/$path.hpp ]]; do
        [[ ${path##*/} == *_* ]] || return
        path=${path%_*}
    done
    echo "$path.hpp"
}

while read -r test; do
    if [[ $test != *_test.cpp ]]; then
        complain "$test: is not named *_test.cpp, so nothing builds it"
    elif [[ $test != tests/behaviour/* && $test != tests/property/* ]]; then
        header=$(header_of "$test")
        if [[ -z $header ]]; then
            complain "$test: there is no include/navette/${test:6:-9}.hpp"
        elif [[ $test != "tests/${header%.hpp}_test.cpp" && $(first_include "$test") != "<navette/$header>" ]]; then
            complain "$test: does not include <navette/$header> first"
        fi
    fi
done < <(find tests -name '*.cpp' -not -path 'tests/support/*' -not -path 'tests/interop/*' -not -path 'tests/packaging/*' \
    -not -path 'tests/bench/*' -not -path 'tests/reliability/*' -not -path 'tests/differential/*' | sort)

exit $status
