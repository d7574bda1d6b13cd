#!/usr/bin/env bash
# Makes of the port in navette/ the one for a catalogue: it takes the source of a release from GitHub, by tag and SHA512.
# Refuses unless what is checked out is that release in every respect, and the archive is the archive of its tag.
set -euo pipefail

usage() {
    cat <<TEXT
usage: cmake/vcpkg/release.sh OWNER/REPOSITORY ARCHIVE OUTPUT
  ARCHIVE  the .tar.gz that GitHub serves for the tag v<version>, downloaded: compressed there, it has a SHA512 that
           nothing here could compute
  OUTPUT   a directory; the port is written to OUTPUT/navette
TEXT
}
refuse() {
    echo "release.sh: $1" >&2
    exit 1
}

if [[ ${1-} == --help ]]; then
    usage
    exit 0
fi
if (($# != 3)) || [[ ! $1 =~ ^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$ ]]; then
    usage >&2
    exit 2
fi
repository=$1 archive=$(realpath "$2") output=$(realpath -m "$3")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=$(sed -nE 's/^#define NAVETTE_VERSION "(.*)"$/\1/p' include/navette/version.hpp)
[[ -z $(git status --porcelain) ]] || refuse "there are changes that are not committed"
tags=$(git tag --points-at HEAD --list 'v*')
[[ -n $tags ]] || refuse "what is checked out has no tag v$version"
grep -qxF "v$version" <<<"$tags" || refuse "the tag is ${tags//$'\n'/, }, but include/navette/version.hpp says $version"
grep -qE "^## \[${version//./\\.}\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$" .github/CHANGELOG.md ||
    refuse ".github/CHANGELOG.md has no section '## [$version] - <date>'"
grep -qF "\"version\": \"$version\"," cmake/vcpkg/navette/vcpkg.json ||
    refuse "cmake/vcpkg/navette/vcpkg.json is not of version $version"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/tag" "$scratch/archive"
git archive "v$version" | tar -x -C "$scratch/tag"
tar -xzf "$archive" --strip-components=1 -C "$scratch/archive" || refuse "$archive is no .tar.gz"
diff -rq "$scratch/tag" "$scratch/archive" >&2 || refuse "$archive is not the archive of v$version"
sha512=$(sha512sum "$archive" | cut -d ' ' -f 1)

mkdir -p "$output/navette"
cp cmake/vcpkg/navette/usage "$output/navette"
sed "/\"description\": \"The/a\\  \"homepage\": \"https://github.com/$repository\"," cmake/vcpkg/navette/vcpkg.json \
    >"$output/navette/vcpkg.json"
{
    cat <<PORTFILE
vcpkg_from_github(
    OUT_SOURCE_PATH SOURCE_PATH
    REPO $repository
    REF "v\${VERSION}"
    SHA512 $sha512
    HEAD_REF main
)

PORTFILE
    sed -n '/^set(VCPKG_BUILD_TYPE/,$p' cmake/vcpkg/navette/portfile.cmake
} >"$output/navette/portfile.cmake"
echo "written: $output/navette"
