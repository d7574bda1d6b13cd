# For shell tests: one line for each case, to the file $NAVETTE_RESULTS that tests/run.sh counts, and to the screen.
# Source this; end with `finish`, whose status is 0 if nothing failed. A skip has to be allowed by name.
failures=0

report() {
    printf '%s\n' "$1"
    if [[ -n ${NAVETTE_RESULTS:-} ]]; then printf '%s\n' "$1" >>"$NAVETTE_RESULTS"; fi
}

pass() { report "PASS $1"; }
skip() { report "SKIP $1: $2"; }
fail() {
    report "FAIL $1: $2"
    failures=$((failures + 1))
}

# check NAME COMMAND...: a case that passes if the command does; its output is shown if it does not.
check() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        pass "$name"
    else
        printf '%s\n' "$output"
        fail "$name" "$(tail -n 1 <<<"$output")"
    fi
}

finish() { exit $((failures > 0)); }
