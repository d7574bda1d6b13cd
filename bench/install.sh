# For the scripts of the benchmarks, to be sourced from the top of the repository: installs Debian packages by name,
# those that are missing.
as_root() { if ((EUID == 0)); then "$@"; else sudo "$@"; fi; }

install_packages() { # PACKAGE...
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
            missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    echo "installing ${missing[*]}"
    if ! command -v apt-get >/dev/null; then
        echo "this is neither Debian nor Ubuntu: install these yourself" >&2
        return 1
    fi
    as_root apt-get update -q && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# install_charts: what draws the charts, into build/charts, where support/chart.py looks for it.
install_charts() {
    local version=1.9.0.post1
    [[ -d build/charts/vl_convert_python-$version.dist-info ]] && return
    rm -rf build/charts
    "${PYTHON:-python3}" -m pip install -q --no-deps --disable-pip-version-check --root-user-action ignore \
        --target build/charts "vl-convert-python==$version"
}
