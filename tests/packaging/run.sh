#!/usr/bin/env bash
# Every way by which a program comes to use navette, tried by one that shakes hands, echoes and closes (consumer/): the
# headers alone, as a subproject, fetched, installed and found, by pkg-config, by the port; with the oldest CMake that is
# supported and the newest. And what each of them has to refuse, and in which words.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
cd "$root" || exit 2
here=$root/tests/packaging
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export CMAKE_GENERATOR=Ninja CXX=g++-12
unset CMAKE_PREFIX_PATH PKG_CONFIG_PATH DESTDIR
python=${PYTHON:-python3}
version=$(sed -nE 's/^#define NAVETTE_VERSION "(.*)"$/\1/p' include/navette/version.hpp)

# --- cases: as many at a time as there are processors, told in the order of the script

names=()
start() { # NAME COMMAND...
    local name=$1 log=$scratch/case.${#names[@]}
    shift
    names+=("$name")
    while (($(jobs -rp | wc -l) >= ${NAVETTE_JOBS:-$(nproc)})); do wait -n; done
    { "$@" >"$log" 2>&1 && touch "$log.passed"; } &
}
tell() {
    local i log
    wait
    for i in "${!names[@]}"; do
        log=$scratch/case.$i
        if [[ -f $log.passed ]]; then
            pass "${names[i]}"
        else
            tail -n 40 "$log"
            fail "${names[i]}" "$(grep -m 1 -iE 'error|refused' "$log" || tail -n 1 "$log")"
        fi
        rm -f "$log" "$log.passed"
    done
    names=()
}

# echoes COMPONENT PROGRAM: it says what consumer/echo.hpp says, or the asynchronous one.
echoes() {
    local expected="navette $version: compressed" said
    if [[ $1 == navette ]]; then expected="navette $version: plain"; fi
    if [[ $1 == tls ]]; then expected="navette $version: TLSv1.3"; fi
    if [[ $1 == *asio ]]; then expected="navette $version: asynchronous"; fi
    said=$("$2") && [[ $said == "$expected" ]] && return
    echo "error: it says '$said', not '$expected'"
    return 1
}
# refuses TEXT COMMAND...: the command fails and says TEXT, however its lines are broken.
refuses() {
    local expected=$1 said
    shift
    if said=$("$@" 2>&1); then
        echo "$said"
        echo "error: it is not refused"
        return 1
    fi
    tr -s '\n ' ' ' <<<"$said" | grep -qF -- "$expected" && return
    echo "$said"
    echo "error: it does not say '$expected'"
    return 1
}

# --- what is tried: the tree as it is, in a repository of its own, at a path with a space; the oldest and the newest CMake

source=$scratch/the\ source
mkdir "$source"
cp -r include cmake CMakeLists.txt LICENSE README.md .github "$source"
in_source() { git -C "$source" -c user.name=navette -c user.email=navette@localhost -c commit.gpgsign=false "$@"; }
in_source init -q -b main && in_source add -A && in_source commit -q -m "The tree as it is" || exit 2

fetch_cmake() { # VERSION
    "build/cmake-$1/cmake/data/bin/cmake" --version 2>/dev/null | grep -qF "$1" && return
    rm -rf "build/cmake-$1"
    "$python" -m pip install -q --no-deps --disable-pip-version-check --root-user-action ignore \
        --target "build/cmake-$1" "cmake==$1"
}
fetch_cmake 3.22.6 && fetch_cmake 4.4.4 || exit 2
oldest=$root/build/cmake-3.22.6/cmake/data/bin/cmake
newest=$root/build/cmake-4.4.4/cmake/data/bin/cmake
adapters=(-DNAVETTE_DEFLATE=ON -DNAVETTE_LIBDEFLATE=ON -DNAVETTE_TLS=ON -DNAVETTE_ASIO=ON -DNAVETTE_BOOST_ASIO=ON)

# --- the headers alone

strict=(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror)
compiled() { # COMPONENT COMPILER OPTION...
    local program=$scratch/program.$BASHPID
    "$2" -Iinclude "${strict[@]}" "$here/consumer/$1.cpp" -o "$program" "${@:3}" && echoes "$1" "$program"
}
for compiler in g++-12 clang++-14 clang++-19; do
    for standard in 20 2b; do
        start "the core needs only -I include, $compiler, C++${standard/2b/23}" \
            compiled navette $compiler -std=c++$standard
    done
    start "the core runs without exceptions and run-time type information, $compiler" \
        compiled navette $compiler -std=c++20 -fno-exceptions -fno-rtti
done
start "deflate needs only -I include and -lz" compiled deflate clang++-19 -std=c++20 -lz
start "libdeflate needs only -I include, -ldeflate and -lz" compiled libdeflate clang++-19 -std=c++20 -ldeflate -lz
start "tls needs only -I include, -lssl and -lcrypto" compiled tls clang++-19 -std=c++20 -lssl -lcrypto
coroutines=(-DASIO_HAS_CO_AWAIT -DASIO_HAS_STD_COROUTINE)
start "asio needs only -I include, and with clang two macros" compiled asio clang++-19 -std=c++20 "${coroutines[@]}"
start "boost_asio needs only -I include, and with clang two macros" \
    compiled boost_asio clang++-19 -std=c++20 "${coroutines[@]/-D/-DBOOST_}"
start "asio needs only -I include with g++" compiled asio g++-12 -std=c++20
start "asio says which macros clang lacks" \
    refuses "-DASIO_HAS_CO_AWAIT -DASIO_HAS_STD_COROUTINE" compiled asio clang++-19 -std=c++20 -Wfatal-errors
start "boost_asio says which macros clang lacks" \
    refuses "-DBOOST_ASIO_HAS_CO_AWAIT -DBOOST_ASIO_HAS_STD_COROUTINE" compiled boost_asio clang++-19 -std=c++20 -Wfatal-errors

# Two translation units that include everything, but for one of the two Asios: as old as here they do not go together.
# Two copies of one object collide where two sources would.
everything=$scratch/everything.cpp
(cd include && find navette -name '*.hpp' -not -path navette/src.hpp -not -path navette/boost_asio.hpp | sort | sed 's|.*|#include <&>|') >"$everything"
# Asio's adapter has no bodies apart.
grep -v asio "$everything" >"$scratch/bodiless.cpp"
printf '#include <navette/%s>\n' src.hpp tls.ipp >"$scratch/src.cpp"
twice() { # SOURCE OPTION...
    local object=${1%.cpp}
    g++-12 -std=c++20 -Iinclude "${strict[@]}" "${@:2}" -c "$1" -o "$object-1.o" && cp "$object-1.o" "$object-2.o"
}
together() { # SOURCE OPTION-OR-SOURCE...
    compiled libdeflate g++-12 -std=c++20 "${@:2}" "${1%.cpp}"-{1,2}.o -ldeflate -lz -lssl -lcrypto
}
start "everything is compiled into an object" twice "$everything"
# All that calls a body is there, called or not.
start "everything but the bodies is compiled into an object" \
    twice "$scratch/bodiless.cpp" -DNAVETTE_SEPARATE_COMPILATION -fkeep-inline-functions
tell
start "translation units that include everything are one program" together "$everything"
start "translation units that include everything are one program, the bodies compiled once" \
    together "$scratch/bodiless.cpp" -DNAVETTE_SEPARATE_COMPILATION "$scratch/src.cpp"
start "without src.hpp the bodies are missing, so that they are really compiled once" \
    refuses "undefined reference" together "$scratch/bodiless.cpp" -DNAVETTE_SEPARATE_COMPILATION
tell

# --- the trees that are installed

# installed CMAKE PREFIX OPTION...: configured for /usr, staged, then moved to where nobody was told of.
installed() {
    "$1" -S "$source" -B "$2.build" -DCMAKE_INSTALL_PREFIX=/usr -DNAVETTE_BUILD_TESTS=OFF -DNAVETTE_BUILD_EXAMPLES=OFF \
        "${@:3}" && DESTDIR=$2.staged "$1" --install "$2.build" && mv "$2.staged/usr" "$2" || return 1
    if grep -rnE "$scratch|[\"= ]/usr" "$2/share"; then echo "error: an absolute path" && return 1; fi
    diff -r "$source/include" "$2/include" && [[ $(ls "$2" "$2/share" | tr '\n' ' ') == *'include share '*': navette pkgconfig ' ]]
}
start "everything is installed, by the oldest CMake" installed "$oldest" "$scratch/by-oldest" "${adapters[@]}"
start "everything is installed, by the newest CMake" installed "$newest" "$scratch/by-newest" "${adapters[@]}"
start "the core is installed where there is none of the libraries" installed cmake "$scratch/core" \
    -DCMAKE_DISABLE_FIND_PACKAGE_{ZLIB,libdeflate,OpenSSL,asio,Boost,Threads}=ON
tell

# Each component can be packed apart: together they are everything, and none has a file of another.
packed_apart() {
    local part
    for part in navette navette-{deflate,libdeflate,tls,asio,boost_asio}; do
        DESTDIR=$scratch/apart/$part cmake --install "$scratch/by-newest.build" --component $part || return 1
        (cd "$scratch/apart/$part/usr" && find . -type f) >>"$scratch/apart/files"
    done
    diff <(sort "$scratch/apart/files") <(cd "$scratch/by-newest" && find . -type f | sort) &&
        ! (cd "$scratch/apart/navette/usr" && find . \( -name '*deflate*' -o -name '*tls*' -o -name '*asio*' \) -path './share/*' | grep -v /Find)
}
start "each component can be packed apart" packed_apart

# --- CMake

# The oldest has the one compiler, the newest the other.
consumed() { # CMAKE COMPONENT TAKE OPTION...
    local build=$scratch/consumer.$BASHPID compiler=g++-12
    if [[ $1 == "$newest" ]]; then compiler=clang++-14; fi
    "$1" -S "$here/consumer" -B "$build" -DCMAKE_CXX_COMPILER=$compiler -DCOMPONENT="$2" -DTAKE="$3" "${@:4}" &&
        "$1" --build "$build" && echoes "$(brief "$2")" "$build/consumer" && rm -rf "$build"
}
brief() { # COMPONENT: what a program for it is that was compiled with BRIEF
    if [[ $1 == *asio ]]; then echo navette; else echo "$1"; fi
}
for component in navette deflate libdeflate tls asio boost_asio; do
    start "find_package, $component: installed by the newest CMake, found by the oldest" \
        consumed "$oldest" $component find -DCMAKE_PREFIX_PATH="$scratch/by-newest"
    start "find_package, $component: installed by the oldest CMake, found by the newest" \
        consumed "$newest" $component find -DCMAKE_PREFIX_PATH="$scratch/by-oldest"
done
for cmake in "$oldest" "$newest"; do
    named=$([[ $cmake == "$oldest" ]] && echo oldest || echo newest)
    start "add_subdirectory, the core, and nothing is left behind, $named CMake" \
        consumed "$cmake" navette subdirectory -DSOURCE="$source"
    start "add_subdirectory, with an option for zlib, $named CMake" \
        consumed "$cmake" deflate subdirectory -DSOURCE="$source"
    start "FetchContent from a repository, $named CMake" consumed "$cmake" navette fetch -DSOURCE="$source"
done
start "add_subdirectory, with an option for OpenSSL" consumed "$oldest" tls subdirectory -DSOURCE="$source"
start "add_subdirectory, with an option for Asio" consumed "$oldest" asio subdirectory -DSOURCE="$source"
start "add_subdirectory, with an option for Boost.Asio" consumed "$newest" boost_asio subdirectory -DSOURCE="$source"
start "FetchContent, with an option for Asio, and clang" consumed "$newest" asio fetch -DSOURCE="$source"
start "FetchContent, with options for zlib and libdeflate" consumed "$oldest" libdeflate fetch -DSOURCE="$source"
start "FetchContent with FIND_PACKAGE_ARGS takes what is installed" \
    consumed "$newest" deflate find-or-fetch -DCMAKE_PREFIX_PATH="$scratch/by-oldest" -DSOURCE=/nowhere
start "FetchContent with FIND_PACKAGE_ARGS fetches what is not" \
    consumed "$newest" navette find-or-fetch -DCMAKE_PREFIX_PATH=/nowhere -DSOURCE="$source"

# As a libdeflate that was built by CMake has it, which names its targets after the kind of library.
own_configuration() {
    local prefix=$scratch/libdeflate
    mkdir -p "$prefix/lib/cmake/libdeflate"
    cat >"$prefix/lib/cmake/libdeflate/libdeflate-config.cmake" <<CMAKE
message(STATUS "libdeflate's own configuration")
add_library(libdeflate::libdeflate_static INTERFACE IMPORTED)
set_target_properties(libdeflate::libdeflate_static PROPERTIES INTERFACE_LINK_LIBRARIES deflate)
CMAKE
    consumed "$oldest" libdeflate find -DCMAKE_PREFIX_PATH="$scratch/by-newest;$prefix" "$@" >"$prefix/log"
    local status=$?
    cat "$prefix/log"
    ((status == 0)) && grep -q "libdeflate's own configuration" "$prefix/log"
}
start "libdeflate is found by its own configuration, even where that is preferred" \
    own_configuration -DCMAKE_FIND_PACKAGE_PREFER_CONFIG=ON

# As a package manager has Asio, that exports a target.
own_asio() {
    local prefix=$scratch/asio
    mkdir -p "$prefix/share/asio"
    cat >"$prefix/share/asio/asio-config.cmake" <<CMAKE
message(STATUS "Asio's own configuration")
add_library(asio::asio INTERFACE IMPORTED)
set_target_properties(asio::asio PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "/usr/include")
CMAKE
    consumed "$oldest" asio find -DCMAKE_PREFIX_PATH="$scratch/by-newest;$prefix" >"$prefix/log"
    local status=$?
    cat "$prefix/log"
    ((status == 0)) && grep -q "Asio's own configuration" "$prefix/log"
}
start "Asio is found by its own configuration" own_asio

configured() { cmake -S "$1" -B "$scratch/configured.$BASHPID" "${@:2}"; } # SOURCE OPTION...

# A subproject installs nothing, unless asked to by a library whose own export set needs it.
installs_nothing() {
    configured "$here/consumer" -DCOMPONENT=navette -DTAKE=subdirectory -DSOURCE="$source" || return 1
    DESTDIR=$scratch/nothing cmake --install "$scratch/configured.$BASHPID" || return 1
    find "$scratch/configured.$BASHPID" -name CTestTestfile.cmake >"$scratch/tests"
    [[ ! -e $scratch/nothing && ! -s $scratch/tests ]] && return
    find "$scratch/nothing"
    cat "$scratch/tests"
    echo "error: it installs these files, or enables these tests"
    return 1
}
installs_with_its_user() {
    mkdir "$scratch/user" && cat >"$scratch/user/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.22)
project(user LANGUAGES CXX)
set(NAVETTE_INSTALL ON)
add_subdirectory("$source" navette)
add_library(user INTERFACE)
target_link_libraries(user INTERFACE navette::navette)
install(TARGETS user EXPORT user)
install(EXPORT user DESTINATION share/user)
CMAKE
    configured "$scratch/user" &&
        DESTDIR=$scratch/with-user cmake --install "$scratch/configured.$BASHPID" --prefix /opt &&
        grep -q 'navette::navette' "$scratch/with-user/opt/share/user/user.cmake" &&
        [[ -f $scratch/with-user/opt/share/navette/navette-config.cmake ]]
}
start "a subproject installs nothing and enables no tests" installs_nothing
start "a library that is installed over a subproject installs that, too" installs_with_its_user
# As FindOpenSSL reads the version. Only the newest OpenSSL 1 is one that anybody still has.
old_openssl() {
    mkdir -p "$scratch/old/openssl"
    echo '# define OPENSSL_VERSION_NUMBER 0x1010117fL' >"$scratch/old/openssl/opensslv.h"
    configured "$source" -DNAVETTE_TLS=ON -DOPENSSL_INCLUDE_DIR="$scratch/old" -DNAVETTE_BUILD_TESTS=OFF \
        -DNAVETTE_BUILD_EXAMPLES=OFF
}
start "an OpenSSL that is too old is refused with its version" \
    refuses 'Found unsuitable version "1.1.1w", but required is at least "3.0"' old_openssl
old_asio() {
    mkdir -p "$scratch/old-asio/asio"
    echo '#define ASIO_VERSION 101802 // 1.18.2' >"$scratch/old-asio/asio/version.hpp"
    configured "$source" -DNAVETTE_ASIO=ON -Dasio_INCLUDE_DIR="$scratch/old-asio" -DNAVETTE_BUILD_TESTS=OFF \
        -DNAVETTE_BUILD_EXAMPLES=OFF
}
start "an Asio that is too old is refused with its version" \
    refuses 'Found unsuitable version "1.18.2", but required is at least "1.22"' old_asio
planted_watch() {
    cp -r "$source" "$scratch/planted" && echo 'set(LEFT_BEHIND 1 CACHE STRING "")' >>"$scratch/planted/CMakeLists.txt"
    refuses "navette leaves behind: LEFT_BEHIND" configured "$here/consumer" -DCOMPONENT=navette -DTAKE=subdirectory \
        -DSOURCE="$scratch/planted"
}
start "what a subproject left behind would be seen" planted_watch
tell

# --- what find_package refuses

finds() { # PREFIX "ARGUMENTS" [TEST]
    local project=$scratch/finds.$BASHPID
    mkdir -p "$project"
    cat >"$project/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.22)
project(finds LANGUAGES NONE)
find_package(navette $2)
if(NOT (${3:-TRUE}))
    message(FATAL_ERROR "error: not so")
endif()
CMAKE
    cmake -S "$project" -B "$project/build" -DCMAKE_PREFIX_PATH="$scratch/$1" -DCMAKE_DISABLE_FIND_PACKAGE_{ZLIB,OpenSSL,asio}=ON
}
minor=${version%.*}
for other in 9.9 0.0 0.$((${minor#*.} + 1)) $minor.$((${version##*.} + 1)); do
    start "version $other is not found" refuses "version: $version" finds by-newest "$other CONFIG REQUIRED"
done
start "version $minor is found without zlib and OpenSSL" finds by-newest "$minor CONFIG REQUIRED COMPONENTS navette"
start "an unknown component is refused by name" \
    refuses "navette has no component 'nonsense'; it has navette, deflate, libdeflate, tls, asio, boost_asio." \
    finds by-newest "CONFIG REQUIRED COMPONENTS nonsense"
start "a component that is not installed is refused by name" \
    refuses "navette's component 'deflate' is not installed: it takes -DNAVETTE_DEFLATE=ON." \
    finds core "CONFIG REQUIRED COMPONENTS deflate"
start "a component without its library is refused by name" \
    refuses "navette's component 'deflate' needs ZLIB 1.2.11, which was not found." \
    finds by-newest "CONFIG REQUIRED COMPONENTS deflate"
start "a component without its library is refused by name, OpenSSL" \
    refuses "navette's component 'tls' needs OpenSSL 3.0, which was not found." \
    finds by-newest "CONFIG REQUIRED COMPONENTS tls"
start "a component without its library is refused by name, Asio" \
    refuses "navette's component 'asio' needs asio 1.22, which was not found." \
    finds by-newest "CONFIG REQUIRED COMPONENTS asio"
start "what is not required is not found, and says why" finds core "CONFIG COMPONENTS deflate" \
    "NOT navette_FOUND AND NOT navette_deflate_FOUND AND navette_NOT_FOUND_MESSAGE MATCHES installed"
start "optional components may be missing" \
    finds by-newest "CONFIG REQUIRED OPTIONAL_COMPONENTS nonsense deflate COMPONENTS navette" \
    "navette_FOUND AND navette_navette_FOUND AND NOT (navette_nonsense_FOUND OR navette_deflate_FOUND OR TARGET navette::deflate)"

# --- pkg-config

by_pkg_config() { # COMPONENT MODULE
    export PKG_CONFIG_PATH=$scratch/by-newest/share/pkgconfig
    local program=$scratch/program.$BASHPID flags
    [[ $(pkg-config --modversion "$2") == "$version" ]] || { echo "error: it is another version"; return 1; }
    read -ra flags <<<"$(pkg-config --cflags --libs "$2")"
    pkg-config --validate "$2" && g++-12 -std=c++20 -DBRIEF "$here/consumer/$1.cpp" -o "$program" "${flags[@]}" &&
        echoes "$(brief "$1")" "$program"
}
start "pkg-config navette" by_pkg_config navette navette
start "pkg-config navette-deflate" by_pkg_config deflate navette-deflate
start "pkg-config navette-libdeflate" by_pkg_config libdeflate navette-libdeflate
start "pkg-config navette-tls" by_pkg_config tls navette-tls
start "pkg-config navette-asio" by_pkg_config asio navette-asio
start "pkg-config navette-boost_asio" by_pkg_config boost_asio navette-boost_asio
tell

# --- the port

port() { # ROOT PORT "FEATURES" OPTION...
    cmake -D ROOT="$1" -D PORT_DIR="$2" -D FEATURES="$3" "${@:4}" -P "$here/vcpkg_standin.cmake"
}
ported() { # "FEATURES" COMPONENT...: each of the components is used from the result
    local at=$scratch/port.$BASHPID component
    port "$at" "$source/cmake/vcpkg/navette" "$1" || return 1
    for component in "${@:2}"; do
        consumed "$newest" "$component" find -DCMAKE_PREFIX_PATH="$at/installed" || return 1
    done
}
start "the port without features" ported "" navette
start "the port with deflate" ported deflate deflate
start "the port with libdeflate" ported libdeflate libdeflate
start "the port with ssl" ported ssl tls
start "the port with asio" ported asio asio
start "the port with boost-asio" ported boost-asio boost_asio
start "the port with all of them" ported "asio boost-asio deflate libdeflate ssl" libdeflate tls asio

# spoiled TEXT FILE SED: the port with such a change in it is refused with TEXT.
spoiled() {
    local at=$scratch/spoiled.$BASHPID
    cp -r "$source" "$at" && sed -i "$3" "$at/cmake/vcpkg/navette/$2" &&
        ! diff -q "$at/cmake/vcpkg/navette/$2" "$source/cmake/vcpkg/navette/$2" || return 1
    refuses "$1" port "$at.root" "$at/cmake/vcpkg/navette" deflate
}
elsewhere() { cp -r cmake/vcpkg/navette "$scratch/elsewhere" && port "$scratch/elsewhere.root" "$scratch/elsewhere" ""; }
start "a port without a licence would be seen" spoiled "no share/navette/copyright" portfile.cmake '/copyright/d'
start "a port with a debug build would be seen" spoiled "there is debug" portfile.cmake '/VCPKG_BUILD_TYPE/d'
start "a port with an unknown option would be seen" spoiled "does not know the option" portfile.cmake \
    's/-DNAVETTE_BUILD_TESTS=OFF/& -DNAVETTE_NO_TESTS=ON/'
start "a port that lies elsewhere says so" refuses "This port has to lie in a clone of navette" elsewhere
start "a port that does not name its dependency would be seen" spoiled "ZLIB" vcpkg.json 's/"zlib"/"bzip2"/'

# The manifest is in the form that `vcpkg format-manifest` gives it, and its features are the components.
manifest_is_right() {
    "$python" - cmake/vcpkg/navette/{vcpkg.json,portfile.cmake} "$scratch/by-newest/share/navette/navette-config.cmake" <<'PYTHON'
import json, re, sys
text = open(sys.argv[1]).read()
manifest = json.loads(text)
order = ["name", "version", "description", "homepage", "license", "dependencies", "features"]
of_dependency = ["name", "host", "default-features", "features"]
name = lambda d: d if isinstance(d, str) else d["name"]
assert text == json.dumps(manifest, indent=2) + "\n", "error: it is not formatted"
assert list(manifest) == [k for k in order if k in manifest], "error: the order of its keys"
assert list(manifest["features"]) == sorted(manifest["features"]), "error: the order of its features"
for owner in [manifest, *manifest["features"].values()]:
    names = [name(d) for d in owner["dependencies"]]
    assert names == sorted(names), "error: the order of the dependencies"
    for d in owner["dependencies"]:
        assert isinstance(d, str) or list(d) == [k for k in of_dependency if k in d], "error: the keys of a dependency"
assert "default-features" not in manifest, "error: features by default"
components = re.search(r'set\(navette_components "(.*)"\)', open(sys.argv[3]).read())[1].split(";")
options = dict(re.findall(r"^        ([\w-]+) +NAVETTE_(\w+)$", open(sys.argv[2]).read(), re.M))
assert sorted(options) == list(manifest["features"]), "error: the options are not the features'"
assert sorted(map(str.lower, options.values())) == sorted(components), "error: the features are not the components"
PYTHON
}
start "the port's manifest has the catalogue's form, and the components for features" manifest_is_right

versions_agree() {
    local macros manifest changelog
    macros=$(printf '#include <navette/version.hpp>\nNAVETTE_VERSION_MAJOR.NAVETTE_VERSION_MINOR.NAVETTE_VERSION_PATCH\n' |
        g++-12 -Iinclude -E -P -x c++ - | tail -n 1 | tr -d ' ')
    manifest=$(sed -nE 's/^  "version": "(.*)",$/\1/p' cmake/vcpkg/navette/vcpkg.json)
    changelog=$(sed -nE 's/^## \[([^]]*)\].*$/\1/p' .github/CHANGELOG.md | grep -m 1 '[0-9]')
    echo "error: version.hpp $version and $macros, the port $manifest, the changelog $changelog"
    [[ $version == "$macros" && $version == "$manifest" && $version == "$changelog" ]]
}
start "version.hpp, the port and the changelog agree on the version" versions_agree

# --- the release of the port, on a clone with a tag

# release CHANGE COMMAND...: runs CHANGE, then COMMAND, in a clone that is ready for a release; $archive is that of its tag.
release() {
    clone=$scratch/release.$BASHPID archive=$scratch/release.$BASHPID.tar.gz
    git clone -q "$source" "$clone" && cd "$clone" || return 1
    git config user.name navette && git config user.email navette@localhost
    sed -i "s/^## \[$version\] - .*/## [$version] - 2026-01-31/" .github/CHANGELOG.md
    git commit -q -a -m "Date the release" && git tag "v$version"
    eval "$1"
    # With another compression than git's own, as the one of a host may be.
    git archive --prefix="navette-$version/" "v$version" 2>/dev/null | gzip -1 >"$archive"
    "${@:2}"
}
write_port() { cmake/vcpkg/release.sh somebody/navette "${1:-$archive}" "$scratch/catalogue.$BASHPID"; }
released_port() {
    local at=$scratch/catalogue.$BASHPID
    write_port && grep -q "SHA512 $(sha512sum "$archive" | cut -d ' ' -f 1)$" "$at/navette/portfile.cmake" &&
        port "$at/root" "$at/navette" "deflate ssl" -D ARCHIVE="$archive" &&
        consumed "$newest" tls find -DCMAKE_PREFIX_PATH="$at/root/installed"
}
start "the catalogue's port is written from a tag and its archive, and works" release : released_port
start "no port is written without a tag" \
    release "git tag -d v$version" refuses "has no tag v$version" write_port
start "no port is written of a tree with changes" release "echo >>README.md" refuses "not committed" write_port
start "no port is written of a tag that is not the version" \
    release "git tag v9.9.9; git tag -d v$version" refuses "the tag is v9.9.9, but" write_port
start "no port is written of a version that the changelog does not date" \
    release "git reset -q --hard HEAD~; git tag -f v$version" refuses "no section '## [$version] - <date>'" write_port
start "no port is written of another archive" \
    release "git archive --prefix=x/ HEAD:cmake | gzip >\"$scratch/other.tar.gz\"" refuses "is not the archive of v$version" write_port "$scratch/other.tar.gz"
tell

finish
