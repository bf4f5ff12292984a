# Sourced by scripts/test and scripts/bench, in the top folder: builds out of the tree, each in its folder of build/.

build_prepare() {
    [ configure -nt configure.ac ] && [ Makefile.in -nt Makefile.am ] && [ Makefile.in -nt configure.ac ] ||
        autoreconf -fi
}

# build_tree FOLDER "CONFIGURE ARGUMENTS" [MAKE TARGET]...
build_tree() {
    local top=$PWD folder=$PWD/build/$1 arguments=$2
    shift 2
    build_prepare || return 1
    mkdir -p "$folder" || return 1
    (
        cd "$folder"
        if [ ! -e config.status ] || [ "$top/configure" -nt config.status ]; then
            # shellcheck disable=SC2086
            "$top/configure" $arguments || exit 1
        fi
        make -j"$(nproc)" "${@:-all}"
    )
}
