# Sourced by scripts/run and scripts/test: Debian packages that are missing, installed.

missing_packages() {
    local package
    for package; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
    done
}

# While packages are installed no service of theirs may start; whatever they enable is disabled again.
packages_forbid_services() {
    [ -e /usr/sbin/policy-rc.d ] && return
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 0755 /usr/sbin/policy-rc.d
    packages_policy_is_ours=yes
}

packages_allow_services() {
    [ "${packages_policy_is_ours:-no}" = yes ] || return 0
    rm -f /usr/sbin/policy-rc.d
    packages_policy_is_ours=no
}

packages_disable_service() {
    if command -v systemctl >/dev/null; then
        systemctl disable "$1" >/dev/null 2>&1 || true
    elif command -v update-rc.d >/dev/null; then
        update-rc.d "$1" disable >/dev/null 2>&1 || true
    fi
}

packages_run_apt() {
    DEBIAN_FRONTEND=noninteractive apt-get "$@" </dev/null && return 0
    packages_allow_services
    die "apt-get failed: mend what it says above, then run this again"
}

# Says which of the packages are missing, and ends where they cannot be installed: only root can.
packages_announce() {
    local missing
    missing=$(missing_packages "$@" | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    [ "$(id -u)" = 0 ] || die "packages are missing: as root, apt-get install ${missing% }"
    say "installing ${missing% }"
}

# Installs what is missing; what apt-get says is printed.
packages_install() {
    local missing service
    missing=$(missing_packages "$@" | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    packages_forbid_services
    trap packages_allow_services EXIT
    packages_run_apt update
    # shellcheck disable=SC2086
    packages_run_apt install -y --no-install-recommends $missing
    for service in lighttpd nginx apache2 caddy prometheus; do
        case " $missing " in *" $service "*) packages_disable_service "$service" ;; esac
    done
    case " $missing " in *" php-fpm "*) for service in /etc/init.d/php*-fpm; do packages_disable_service "${service##*/}"; done ;; esac
    packages_allow_services
    trap - EXIT
}

# Both, in silence unless it fails.
packages_ensure() {
    local log
    packages_announce "$@"
    log=$(mktemp)
    if ! (packages_install "$@") >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        exit 1
    fi
    rm -f "$log"
}

packages_build="gcc make autoconf automake pkg-config libc6-dev libfcgi-dev libjson-c-dev libssl-dev libmariadb-dev libcurl4-openssl-dev libseccomp-dev tzdata"
packages_database="mariadb-server-core mariadb-client-core"
packages_fuzz="clang libclang-rt-dev llvm libcmocka-dev python3"
packages_cluster="galera-4 rsync lsof iproute2"
# All that the examples of cgi-bin/examples name.
packages_servers="lighttpd lighttpd-mod-deflate lighttpd-mod-openssl apache2-bin libapache2-mod-fcgid apache2-suexec-custom \
    nginx caddy spawn-fcgi multiwatch systemd"
