#!/usr/bin/env bash
# The mirror rule: include/navette/<path>.hpp has tests/<path>_test.cpp, which includes that header first;
# no test there is without its header, and no source file escapes the build by its name.
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

while read -r test; do
    path=${test#tests/}
    if [[ $test != *_test.cpp ]]; then
        complain "$test: is not named *_test.cpp, so nothing builds it"
    elif [[ $path != behaviour/* && $path != property/* && ! -f include/navette/${path%_test.cpp}.hpp ]]; then
        complain "$test: there is no include/navette/${path%_test.cpp}.hpp"
    fi
done < <(find tests -name '*.cpp' -not -path 'tests/support/*' -not -path 'tests/packaging/*' | sort)

exit $status
