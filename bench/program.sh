# For the scripts of the benchmarks, to be sourced from the top of the repository: compiles programs as a release is.
built=build/bench/server
optimised=-O3

# Whether $built/NAME is older than something that it was compiled from.
is_stale() { # NAME
    local file
    [[ -x $built/$1 && -f $built/$1.d ]] || return 0
    while read -r file; do
        if [[ ! -e $file || $file -nt $built/$1 ]]; then return 0; fi
    done < <(sed 's/^[^:]*: *//; s/\\$//' "$built/$1.d" | tr -s ' ' '\n' | grep .)
    return 1
}

# program NAME SOURCE OPTION...: $built/NAME, compiled if it is not there or stale.
program() {
    local name=$1 source=$2
    shift 2
    if ! is_stale "$name"; then return; fi
    mkdir -p "$built"
    g++-12 "$optimised" -DNDEBUG -MMD -MF "$built/$name.d" -Iinclude -Iexamples -Ibench/server "$source" -o "$built/$name.new" -pthread "$@" &&
        mv "$built/$name.new" "$built/$name"
}

build_generator() { program load bench/load/main.cpp -std=c++20 -lssl -lcrypto -lz; }
