# For the scripts of fuzz/: the targets, what their first lines say, and how they are built. Sourced from the top of the
# repository; everything that is made lies in build/fuzz.
made=${NAVETTE_FUZZ_BUILD:-$PWD/build/fuzz}
source_tree=${NAVETTE_FUZZ_SOURCE:-$PWD} # fuzz/prove.sh has one with a bug
clang=${NAVETTE_FUZZ_CLANG:-14}          # the version; the LLVM tools must be of the same one

mapfile -t all_targets < <(for file in fuzz/targets/*.cpp; do basename "$file" .cpp; done)

# of TARGET WHAT: what a target's line `// WHAT: ...` says.
of() { sed -n "s|^// $2: ||p" "fuzz/targets/$1.cpp"; }
# kind TARGET: small, or whole for a conversation; longest TARGET: bytes of its longest input.
kind() { sed -nE 's|^// (small\|whole): .*|\1|p' "fuzz/targets/$1.cpp"; }
longest() { sed -nE 's|^// (small\|whole): at most ([0-9]+) bytes.*|\2|p' "fuzz/targets/$1.cpp"; }

is_target() { [[ -f fuzz/targets/$1.cpp ]]; }

need() {
    local program missing=0
    for program in "$@"; do
        command -v "$program" >/dev/null && continue
        echo "$program is missing; fuzz/ needs clang-$clang, libclang-rt-$clang-dev, llvm-$clang and zlib1g-dev" >&2
        missing=1
    done
    return $missing
}

common_flags=(-std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror -D_GLIBCXX_ASSERTIONS)
# Comparisons are not traced: the dictionaries and seeds know the words, and it would take half of the speed.
fuzz_level=-O2 replay_level=-O1
fuzz_flags=(-g1 -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fno-sanitize-coverage=trace-cmp)

is_newer() { [[ -f $1 && -z $(find "${@:2}" -newer "$1" -print -quit) ]]; } # FILE SOURCE...

# compile COMPILER NAME MAIN TARGET FLAG...: to $made/NAME/TARGET, with $made/NAME/MAIN.o. What is newer than its sources
# is kept.
compile() {
    local compiler=$1 name=$2 main=$3 target=$4 binary=$made/$2/$4
    shift 4
    local object=$made/$name/$main.o flags=("${common_flags[@]}" "$@" -I"$source_tree/include" -Ifuzz)
    mkdir -p "$made/$name"
    if ! is_newer "$object" "$source_tree/include" fuzz/bodies "fuzz/$main"; then
        "$compiler" "${flags[@]}" -c "fuzz/$main" -o "$object.$BASHPID" && mv "$object.$BASHPID" "$object" || return
    fi
    is_newer "$binary" "$source_tree/include" fuzz/bodies "fuzz/targets/$target.cpp" "fuzz/$main" ||
        "$compiler" "${flags[@]}" "fuzz/targets/$target.cpp" "$object" -lz -o "$binary"
}
compile_fuzzer() { compile "clang++-$clang" fuzzers libfuzzer.cpp "$1" "$fuzz_level" "${fuzz_flags[@]}" -fsanitize=fuzzer; }
compile_replay() { compile "${CXX:-g++-12}" replay replay.cpp "$1" "$replay_level"; }
compile_coverage() { compile "clang++-$clang" coverage replay.cpp "$1" -O1 -fprofile-instr-generate -fcoverage-mapping; }

dictionary() { if [[ -f fuzz/dictionaries/$1.dict ]]; then echo "-dict=fuzz/dictionaries/$1.dict"; fi; }

# fuzz TARGET DIR OPTION...: libFuzzer over the inputs in DIR; what it finds goes to build/fuzz/finds. Entropic scheduling
# would take up to a third of the time for itself.
fuzz() {
    local target=$1 inputs=$2 dict
    shift 2
    mapfile -t dict < <(dictionary "$target")
    mkdir -p "$made/finds"
    "$made/fuzzers/$target" "${dict[@]}" "-artifact_prefix=$made/finds/$target-" "-max_len=$(longest "$target")" \
        -entropic=0 -timeout=10 -rss_limit_mb=1024 -detect_leaks=0 -print_final_stats=1 "$@" "$inputs"
}

# unpacked TARGET: a directory with the committed inputs of a target, made anew.
unpacked() {
    local directory=$made/corpus/$1
    rm -rf "$directory"
    mkdir -p "$directory"
    "$made/replay/$1" --unpack "fuzz/corpus/$1.hex" "$directory"
    echo "$directory"
}
