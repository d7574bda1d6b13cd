#!/usr/bin/env bash
# tests/run.sh must be able to fail: its stage `examples` runs on a copy that has one small script and nothing else.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# runs NAME STATUS LAST_LINE EXPECTED_CASES SCRIPT [OPTION...]
runs() {
    local name=$1 status=$2 last=$3 expected=$4 script=$5 output found copy=$scratch/copy
    shift 5
    rm -rf "$copy" && mkdir -p "$copy/tests/examples"
    cp "$root/tests/run.sh" "$copy/tests"
    printf 'stage\tseconds\nexamples\t20\n' >"$copy/tests/budget.tsv"
    printf 'stage\tcases\nexamples\t%s\n' "$expected" >"$copy/tests/expected.tsv"
    printf '#!/usr/bin/env bash\n%s\n' "$script" >"$copy/tests/examples/small.sh"
    chmod +x "$copy/tests/examples/small.sh"
    output=$("$copy/tests/run.sh" --only examples "$@" 2>&1)
    found=$?
    if ((found == status)) && [[ $(tail -n 1 <<<"$output") == "$last" ]]; then
        pass "run.sh $name"
    else
        printf '%s\n' "$output"
        fail "run.sh $name" "status $found, last line '$(tail -n 1 <<<"$output")'"
    fi
}

two='printf "PASS a\nPASS b\n" >>"$NAVETTE_RESULTS"'
runs "passes when all cases do" 0 "2 passed, 0 failed, 0 skipped" 2 "$two"
runs "fails when a case does" 1 "2 passed, 1 failed, 0 skipped" 3 "$two; echo 'FAIL c: why' >>\"\$NAVETTE_RESULTS\"; exit 1"
runs "counts a failed case of a script that exits with 0" 1 "2 passed, 1 failed, 0 skipped" 3 \
    "$two; echo 'FAIL c: why' >>\"\$NAVETTE_RESULTS\""
runs "fails when a script does without saying so" 1 "2 passed, 1 failed, 0 skipped" 2 "$two; exit 3"
runs "fails when a script dies" 1 "2 passed, 1 failed, 0 skipped" 2 "$two; kill -SEGV \$\$"
runs "fails when a script has no case" 1 "0 passed, 1 failed, 0 skipped" 0 "echo PASS a"
runs "fails when a stage has fewer cases than expected" 1 "2 passed, 1 failed, 0 skipped" 3 "$two"
runs "fails when the number of cases is not known" 1 "2 passed, 1 failed, 0 skipped" "" "$two"
runs "fails on a skip" 1 "2 passed, 0 failed, 1 skipped" 3 "$two; echo 'SKIP c: why' >>\"\$NAVETTE_RESULTS\""
runs "lets a skip pass that was allowed" 0 "2 passed, 0 failed, 1 skipped" 3 \
    "$two; echo 'SKIP c: why' >>\"\$NAVETTE_RESULTS\"" --allow-skip c
runs "fails on a skip when another was allowed" 1 "2 passed, 0 failed, 1 skipped" 3 \
    "$two; echo 'SKIP c: why' >>\"\$NAVETTE_RESULTS\"" --allow-skip d
runs "refuses an unknown option" 2 "tests/run.sh: unknown option --quick" 2 "$two" --quick
finish
