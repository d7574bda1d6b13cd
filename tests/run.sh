#!/usr/bin/env bash
# Every test there is, from a bare Debian 12: installs what is missing, builds, runs, and counts.
# The last line is `N passed, N failed, N skipped`; the status is 0 only if nothing failed, nothing was skipped that was
# not allowed by name, and no stage ran fewer cases than tests/expected.tsv says.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2

# In the order in which they begin: the long ones first, so that none is left over at the end; packaging, which has its time,
# when those that wait are over.
stages=(release-gcc dev-clang examples interop demo reliability autobahn dev-gcc release-clang fuzz packaging headers tsan aarch64 s390x i686 bench differential rows house instructions include-cost)

usage() {
    cat <<TEXT
usage: tests/run.sh [--long] [--allow-skip NAME]... [--only STAGE]...
  --long             also what is too slow for every run
  --allow-skip NAME  the case of that name may be skipped
  --only STAGE       only that stage, for developers: ${stages[*]}
TEXT
}

long=''
allowed=()
only=()
while (($#)); do
    case $1 in
        --long) long=yes ;;
        --allow-skip | --only)
            if (($# < 2)); then
                echo "tests/run.sh: $1 needs a name" >&2
                exit 2
            fi
            if [[ $1 == --only ]]; then only+=("$2"); else allowed+=("$2"); fi
            shift
            ;;
        --help)
            usage
            exit 0
            ;;
        *)
            echo "tests/run.sh: unknown option $1" >&2
            exit 2
            ;;
    esac
    shift
done
for stage in "${only[@]}"; do
    if [[ " ${stages[*]} " != *" $stage "* ]]; then
        echo "tests/run.sh: there is no stage $stage; the stages are: ${stages[*]}" >&2
        exit 2
    fi
done

# Two stages at a time, each with half of the processors: while one links, waits or has a single file left to compile, the
# other goes on.
lanes=2
jobs=$((($(nproc) + lanes - 1) / lanes))
results=$PWD/build/results # one file a stage, one line a case: PASS name, FAIL name: why, SKIP name: why
logs=$PWD/build/logs
rm -rf "$results" "$logs"
mkdir -p "$results" "$logs"

export NAVETTE_BUILD=$PWD/build/release
export NAVETTE_LONG=$long
export NAVETTE_JOBS=$jobs
export NODE_PATH=$PWD/build/node/node_modules
export PYTHON=/usr/bin/python3 # the one that sees Debian's packages
export PYTHONDONTWRITEBYTECODE=1

# --- installing

packages=(g++ g++-12 clang-14 clang-19 libclang-rt-14-dev llvm-14 cmake ninja-build catch2 g++-12-multilib g++-12-aarch64-linux-gnu
    g++-12-s390x-linux-gnu qemu-user libboost-dev libasio-dev libuv1-dev zlib1g-dev libdeflate-dev libssl-dev openssl python3-websockets python3-gi gir1.2-soup-3.0
    golang-github-gorilla-websocket-dev chromium strace ca-certificates
    valgrind libbenchmark-dev libwebsockets-dev libwebsocketpp-dev libwslay-dev libsimdjson-dev python3-wsproto python3 python3-pip pkg-config git
    squid tinyproxy dante-server stunnel4 nginx-light haproxy apache2-bin caddy libnss-wrapper libfaketime
    libjetty9-java libjetty9-extra-java)
node_packages=(ws@8.23.0 playwright-core@1.57.0)

as_root() { if ((EUID == 0)); then "$@"; else sudo "$@"; fi; }

install_packages() {
    local missing=() package
    for package in "${packages[@]}"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    command -v go >/dev/null || missing+=(golang-go)
    command -v javac >/dev/null || missing+=(default-jdk-headless)
    command -v cargo >/dev/null || missing+=(cargo-web)
    # Some machines have a Node.js that brings its own npm.
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    ((${#missing[@]})) || return 0
    echo "installing ${missing[*]}"
    if ! command -v apt-get >/dev/null; then
        echo "this is neither Debian nor Ubuntu: install these yourself"
        return 1
    fi
    # The tests start proxies and servers of their own; those that Debian would start need not run.
    local policy=/usr/sbin/policy-rc.d is_ours='' status
    if [[ ! -e $policy ]]; then
        is_ours=yes
        printf '#!/bin/sh\nexit 101\n' | as_root install -m 755 /dev/stdin "$policy" || return
    fi
    as_root apt-get update -q && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}"
    status=$?
    if [[ -n $is_ours ]]; then as_root rm "$policy"; fi
    return "$status"
}

install_node_packages() {
    local package name version
    for package in "${node_packages[@]}"; do
        name=${package%@*} version=${package#*@}
        grep -qs "\"version\": \"$version\"" "$NODE_PATH/$name/package.json" && continue
        mkdir -p build/node
        npm install --prefix build/node --no-save --no-package-lock --no-audit --no-fund "${node_packages[@]}"
        return
    done
}

# --- running; within a stage NAVETTE_RESULTS names its file

cases() { if [[ -f $NAVETTE_RESULTS ]]; then grep -cE '^(PASS|FAIL|SKIP) ' "$NAVETTE_RESULTS"; else echo 0; fi; }
failures() { if [[ -f $NAVETTE_RESULTS ]]; then grep -cE '^FAIL ' "$NAVETTE_RESULTS"; else echo 0; fi; }

# counted NAME SECONDS COMMAND...: the command appends its cases to the file. If it fails, stops or hangs without having
# said so, or has no case at all, that is a failure of its own.
counted() {
    local name=$1 seconds=$2 cases_before failures_before status
    shift 2
    cases_before=$(cases) failures_before=$(failures)
    echo "--- $name"
    timeout --kill-after=10 "$seconds" "$@" </dev/null
    status=$?
    if ((status == 124 || status == 137)); then
        echo "FAIL $name: did not end within $seconds s" >>"$NAVETTE_RESULTS"
    elif ((status != 0 && $(failures) == failures_before)); then
        echo "FAIL $name: exit status $status" >>"$NAVETTE_RESULTS"
    elif (($(cases) == cases_before)); then
        echo "FAIL $name: ran no case" >>"$NAVETTE_RESULTS"
    fi
}

# single NAME SECONDS COMMAND...: a case of its own, that passes if the command does.
single() {
    local name=$1 seconds=$2 status
    shift 2
    echo "--- $name"
    timeout --kill-after=10 "$seconds" "$@" </dev/null
    status=$?
    if ((status == 0)); then
        echo "PASS $name" >>"$NAVETTE_RESULTS"
    else
        echo "FAIL $name: exit status $status" >>"$NAVETTE_RESULTS"
    fi
}

# runner: compiles the tests' runner once for all build trees of this machine, by the compiler that is faster at it, and says
# where it is.
runner() {
    local archive=$PWD/build/runner/libnavette_test_main.a object=$PWD/build/runner/main.o
    mkdir -p build/runner
    (
        flock 9
        [[ -n $(find "$archive" -newer tests/support/main.cpp -newer tests/support/catch.hpp 2>/dev/null) ]] ||
            { clang++-14 -std=c++20 -Itests -c tests/support/main.cpp -o "$object" && ar rcs "$archive" "$object"; } >&2
    ) 9>build/runner/lock && echo "$archive"
}

build() { # PRESET [OPTION...]
    local preset=$1 cache=build/$1/CMakeCache.txt target=all compiler option
    shift
    # CMake does not change the compiler of a build tree that exists.
    for option in "$@"; do
        compiler=${option#-DCMAKE_CXX_COMPILER=}
        if [[ $compiler != "$option" && -f $cache ]] && ! grep -qE "^CMAKE_CXX_COMPILER:.*[=/]$compiler\$" "$cache"; then
            rm -rf "$cache" "build/$preset/CMakeFiles"
        fi
    done
    case $preset in
        i686 | s390x | aarch64) ;;
        *) set -- "-DNAVETTE_TEST_RUNNER=$(runner)" "$@" ;;
    esac
    # The programs are tried as they are released.
    if [[ $preset != release ]]; then target=navette_tests; fi
    if cmake --preset "$preset" -DCMAKE_COMPILE_WARNING_AS_ERROR=ON -DNAVETTE_BUILD_TESTS=ON "$@" &&
        cmake --build --preset "$preset" --parallel "$jobs" --target "$target" -- -k 0; then return 0; fi
    echo "FAIL build/$preset is built" >>"$NAVETTE_RESULTS"
    return 1
}

run_binaries() { # PRESET [EMULATOR...]: as many at a time as there are processors
    local preset=$1 binary name seconds=600 selected=()
    shift
    if [[ -n $long ]]; then seconds=1800 selected=('*,[.long]'); fi
    mkdir -p "$logs/$preset"
    while read -r binary; do
        while (($(jobs -rp | wc -l) >= jobs)); do wait -n; done
        name=$(basename "$binary")
        NAVETTE_RESULTS=$logs/$preset/$name.results \
            counted "$preset/$name" "$seconds" "$@" "$binary" "${selected[@]}" >"$logs/$preset/$name.txt" 2>&1 &
    done < <(tac "build/$preset/tests/binaries.txt") # the slow ones are the last
    wait
    cat "$logs/$preset"/*.txt
    cat "$logs/$preset"/*.results >>"$NAVETTE_RESULTS"
}

run_scripts() { # SECONDS SCRIPT...
    local seconds=$1 script
    shift
    for script in "$@"; do
        if [[ -x $script ]]; then counted "$script" "$seconds" "$script"; fi
    done
}

# --- the stages

stage_house() {
    single "each header has its test" 60 tests/house/mirror.sh
    single "no include climbs" 60 tests/house/floors.sh
    single "no file holds what is forbidden" 60 tests/house/forbidden.sh
    single "the contents lists are complete" 60 tests/house/contents.sh
    single "the programs in README.md are the compiled ones" 60 tests/house/readme.sh
    single "each demanded row has its test" 60 tests/house/rows.sh
    counted "tests/house/selftest.sh" 120 tests/house/selftest.sh
    counted "tests/house/selftest_run.sh" 120 tests/house/selftest_run.sh
}
stage_headers() {
    run_scripts 600 tests/packaging/headers.sh tests/packaging/libraries.sh tests/packaging/deflate_memory.sh \
        tests/packaging/guides.sh
}
# Ninety programs compiled one after the other: twice what it takes beside two other stages.
stage_packaging() { run_scripts 1200 tests/packaging/run.sh; }
stage_release-gcc() { build release -DCMAKE_CXX_COMPILER=g++-12 && run_binaries release; }
# g++ optimises all tests and clang sanitizes them, a third as long about it as g++. The other way round only those whose code
# depends most on its compiler, with --long all of them.
few=('-DNAVETTE_TEST_FOLDERS=codec;frame' -DNAVETTE_BODIES_ONCE=OFF)
if [[ -n $long ]]; then few=(); fi
stage_dev-gcc() { build dev -DCMAKE_CXX_COMPILER=g++-12 "${few[@]}" && run_binaries dev; }
stage_release-clang() { build release-clang "${few[@]}" && run_binaries release-clang; }
stage_dev-clang() { build dev-clang && run_binaries dev-clang; }
stage_tsan() { build tsan && run_binaries tsan; }
stage_i686() { build i686 && run_binaries i686; }
stage_s390x() { build s390x && run_binaries s390x qemu-s390x; }
stage_aarch64() { build aarch64 && run_binaries aarch64 qemu-aarch64; }
stage_examples() { run_scripts 300 tests/examples/*.sh; }
stage_interop() {
    local scripts=(tests/interop/*.sh)
    install_node_packages && run_scripts 600 "${scripts[@]/*autobahn.sh/}"
}
stage_autobahn() { run_scripts 3600 tests/interop/autobahn.sh; }
stage_demo() {
    if [[ -x examples/demo.sh ]]; then
        install_node_packages && single "examples/demo.sh --check" 300 examples/demo.sh --check
    fi
}
stage_reliability() { run_scripts 600 tests/reliability/run.sh; }
stage_include-cost() { run_scripts 300 tests/packaging/include_cost.sh; }
stage_bench() { run_scripts 600 tests/bench/*.sh; }
stage_instructions() { run_scripts 300 tests/instructions.sh; }
stage_rows() { run_scripts 7200 tests/rows.sh; }
stage_fuzz() { run_scripts 600 fuzz/check.sh; }
stage_differential() { run_scripts "$([[ -n $long ]] && echo 7200 || echo 600)" tests/differential/run.sh; }

column() { awk -F '\t' -v stage="$2" '$1 == stage { print $2 }' "$1"; } # FILE STAGE

run_stage() {
    local stage=$1 started=$SECONDS file=$results/$1.txt status seconds cpu budget expected ran
    local TIMEFORMAT='%U %S'
    touch "$file"
    { time NAVETTE_RESULTS=$file "stage_$stage" >"$logs/$stage.txt" 2>&1; } 2>"$logs/$stage.cpu"
    status=$?
    seconds=$((SECONDS - started))
    cpu=$(awk '{ printf "%d", $1 + $2 }' "$logs/$stage.cpu")
    if ((status != 0)) && ! grep -q '^FAIL ' "$file"; then echo "FAIL stage $stage: exit status $status" >>"$file"; fi

    ran=$(grep -cE '^(PASS|FAIL|SKIP) ' "$file")
    expected=$(column tests/expected.tsv "$stage")
    if [[ -z $expected ]]; then
        echo "FAIL stage $stage: tests/expected.tsv does not say how many cases it has" >>"$file"
    elif ((ran < expected)); then
        echo "FAIL stage $stage: ran $ran cases, not $expected as tests/expected.tsv says" >>"$file"
    fi
    if grep -q '^FAIL ' "$file"; then tail -n 200 "$logs/$stage.txt"; fi
    grep -E '^(FAIL|SKIP) ' "$file"
    grep -E '^STALE: ' "$logs/$stage.txt"

    budget=$(column tests/budget.tsv "$stage")
    printf '%-14s %5d cases %5d s of %4s s, %4d s of CPU%s\n' "$stage" "$ran" "$seconds" "${budget:-?}" "$cpu" \
        "$(if ((seconds > ${budget:-0})); then echo ', over its budget'; fi)"
}

if ! install_packages; then
    echo "could not install what the tests need" >&2
    exit 1
fi
if ((${#only[@]})); then stages=("${only[@]}"); fi

# next: the name of the stage to begin with now, to whichever lane asks; nothing, if there is none left.
queue=$logs/queue
next() {
    (
        flock 9
        head -n 1 "$queue"
        sed -i 1d "$queue"
    ) 9>"$queue.lock"
}
# lane: stage after stage, each told as a whole. A stage is a subshell, so that none waits for another's children.
lane() {
    local stage
    while stage=$(next) && [[ -n $stage ]]; do
        (run_stage "$stage") >"$logs/$stage.said"
        touch "$logs/$stage.said.done"
        cat "$logs/$stage.said"
    done
}
# These wait more than they work, for programs that the stage release-gcc builds: one after the other beside the lanes.
patient=' examples interop demo reliability autobahn '
patient_lane() {
    while [[ " ${stages[*]} " == *' release-gcc '* && ! -e $logs/release-gcc.said.done ]]; do sleep 1; done
    local stage
    for stage in "$@"; do
        (run_stage "$stage") >"$logs/$stage.said"
        cat "$logs/$stage.said"
    done
}
beside=()
running=()
# end PID...: and all that they have started, which would go on without them.
end() {
    local pid children
    for pid in "$@"; do
        mapfile -t -d ' ' children < <(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
        kill "$pid" 2>/dev/null
        end "${children[@]}"
    done
}
trap 'end "${running[@]}"' EXIT
trap 'exit 130' INT TERM
for stage in "${stages[@]}"; do
    if [[ $patient == *" $stage "* ]]; then beside+=("$stage"); else echo "$stage" >>"$queue"; fi
done
touch "$queue"
for ((i = 0; i < lanes; ++i)); do
    lane &
    running+=($!)
done
if ((${#beside[@]})); then
    patient_lane "${beside[@]}" &
    running+=($!)
fi
wait "${running[@]}"
running=()

# --- the sum

count() { cat "$results"/*.txt | grep -cE "^$1 "; }
passed=$(count PASS) failed=$(count FAIL) skipped=$(count SKIP) forbidden_skips=0
while IFS= read -r line; do
    skip_allowed=''
    for name in "${allowed[@]}"; do
        if [[ $line == "SKIP $name" || $line == "SKIP $name: "* ]]; then skip_allowed=yes; fi
    done
    if [[ -z $skip_allowed ]]; then
        echo "not allowed to be skipped: ${line#SKIP }"
        forbidden_skips=$((forbidden_skips + 1))
    fi
done < <(cat "$results"/*.txt | grep '^SKIP ')

echo "$SECONDS s in all, of $(awk -F '\t' '$2 ~ /^[0-9]+$/ { sum += $2 } END { print sum }' tests/budget.tsv) s"
if ((${#only[@]})); then echo "a partial run: only ${only[*]}"; fi
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0 && forbidden_skips == 0 && passed > 0))
