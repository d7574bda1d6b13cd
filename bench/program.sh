# For the scripts of the benchmarks, to be sourced from the top of the repository: compiles programs as a release is.
built=build/bench/server

# program NAME SOURCE OPTION...: $built/NAME, made again if anything that it may include is newer.
program() {
    local name=$1 source=$2
    shift 2
    if [[ -x $built/$name && -z $(find bench/load bench/server include examples -type f -newer "$built/$name" -print -quit) ]]; then
        return
    fi
    mkdir -p "$built"
    g++-12 -O3 -DNDEBUG -Iinclude -Iexamples -Ibench/server "$source" -o "$built/$name.new" -pthread "$@" &&
        mv "$built/$name.new" "$built/$name"
}

build_generator() { program load bench/load/main.cpp -std=c++20 -lssl -lcrypto -lz; }
