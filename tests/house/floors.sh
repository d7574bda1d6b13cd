#!/usr/bin/env bash
# The floor rule: a header includes standard headers, headers of lower floors, and of its own floor if that makes no
# circle. frame/ and handshake/ know nothing of each other. System headers stay in .ipp files and adapters.
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}/include/navette" || exit 2
status=0
complain() {
    echo "include/navette/$1"
    status=1
}

floor() {
    case $1 in
        base/*) echo 0 ;; codec/*) echo 1 ;; frame/*) echo 2 ;; extension/*) echo 3 ;;
        handshake/*) echo 4 ;; protocol/*) echo 5 ;; stream/*) echo 6 ;;
        */*) echo none ;; *) echo 7 ;;
    esac
}

# header_of FILE: a .ipp is a part of the header of its name, or of the name that it adds a word to.
header_of() {
    local stem=${1%.*}
    while [[ ! -f $stem.hpp && ${stem##*/} == *_* ]]; do stem=${stem%_*}; done
    echo "$stem"
}

edges=()
while IFS=: read -r file number line; do
    included=$(sed -E 's/^ *# *include *([^ ]+).*/\1/' <<<"$line")
    own=$(floor "$file")
    case $included in
        '<navette/'*)
            target=${included#<navette/}
            target=${target%>}
            if [[ $own == none ]]; then
                complain "$file:$number: stands on no floor"
            elif [[ ! -f $target ]]; then
                complain "$file:$number: there is no $target"
            elif (($(floor "$target") > own)); then
                complain "$file:$number: climbs to $target"
            elif [[ $file == frame/* && $target == handshake/* || $file == handshake/* && $target == frame/* ]]; then
                complain "$file:$number: frame/ and handshake/ know nothing of each other"
            fi
            from=$(header_of "$file") to=$(header_of "$target")
            [[ $from == "$to" ]] || edges+=("$from $to")
            ;;
        '<'*[./]*'>')
            [[ $file == *.ipp || $own == 7 ]] || complain "$file:$number: $included is no standard header"
            ;;
        '<'*'>') ;;
        *) complain "$file:$number: $included is not written with < >" ;;
    esac
done < <(grep -rnE '^ *# *include' --include='*.hpp' --include='*.ipp' . | sed 's|^\./||' |
    grep -vE '^(navette|version|src)\.hpp:')

if circle=$(printf '%s\n' "${edges[@]}" | tsort 2>&1 >/dev/null) && [[ -z $circle ]]; then :; else
    complain "$(tr '\n' ' ' <<<"$circle" | sed 's/tsort: -: input contains a loop:/circle:/; s/tsort: //g')"
fi
exit $status
