#!/usr/bin/env bash
# The floor rule: a header includes standard headers, headers of lower floors, and of its own floor if that makes no
# circle. frame/ and handshake/ know nothing of each other. System headers stay in .ipp files and adapters.
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}/include/navette" || exit 2
status=0
complain() {
    echo "include/navette/$1"
    status=1
}

# Each sets REPLY, for a subshell a line would take most of the time.
floor() {
    case $1 in
        base/*) REPLY=0 ;; codec/*) REPLY=1 ;; frame/*) REPLY=2 ;; extension/*) REPLY=3 ;;
        handshake/*) REPLY=4 ;; protocol/*) REPLY=5 ;; stream/*) REPLY=6 ;;
        */*) REPLY=none ;; *) REPLY=7 ;;
    esac
}

# header_of FILE: a .ipp is a part of the header of its name, or of the name that it adds a word to.
header_of() {
    REPLY=${1%.*}
    while [[ ! -f $REPLY.hpp && ${REPLY##*/} == *_* ]]; do REPLY=${REPLY%_*}; done
}

edges=()
while IFS=: read -r file number line; do
    read -r included _ <<<"${line#*include}"
    floor "$file"
    own=$REPLY
    case $included in
        '<navette/'*)
            target=${included#<navette/}
            target=${target%>}
            floor "$target"
            if [[ $own == none ]]; then
                complain "$file:$number: stands on no floor"
            elif [[ ! -f $target ]]; then
                complain "$file:$number: there is no $target"
            elif ((REPLY > own)); then
                complain "$file:$number: climbs to $target"
            elif [[ $file == frame/* && $target == handshake/* || $file == handshake/* && $target == frame/* ]]; then
                complain "$file:$number: frame/ and handshake/ know nothing of each other"
            fi
            header_of "$file"
            from=$REPLY
            header_of "$target"
            [[ $from == "$REPLY" ]] || edges+=("$from $REPLY")
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
