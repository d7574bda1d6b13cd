#!/usr/bin/env bash
# The programs in README.md are the compiled ones: each C++ block stands under a line that names examples/<file>.cpp
# and is that file, word for word. A server and a client begin by line 25.
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}" || exit 2
status=0
complain() {
    echo "README.md:$1"
    status=1
}

blocks=0
while IFS=$'\t' read -r number name; do
    blocks=$((blocks + 1))
    if [[ -z $name ]]; then
        complain "$number: a C++ block without the name of its file above"
    elif [[ ! -f $name ]]; then
        complain "$number: there is no $name"
    elif ! diff -q "$name" <(tail -n +$((number + 1)) README.md | sed '/^```$/,$d') >/dev/null; then
        complain "$number: the block is not $name"
    fi
done < <(awk '/^```cpp/ { match(above, /examples\/[a-z_]+\.cpp/); print NR "\t" (RSTART ? substr(above, RSTART, RLENGTH) : "") }
              NF { above = $0 }' README.md)
((blocks >= 2)) || complain "1: there are $blocks C++ blocks, not two or more"
second=$(grep -n '^```cpp' README.md | sed -n '2s/:.*//p')
((${second:-999} <= 25)) || complain "1: the second program begins below line 25"
exit $status
