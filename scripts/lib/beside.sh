# Sourced by scripts/test, which sets $groups and $logs and has is_chosen and run_group: groups beside each other. Most of
# them wait more than they compute, so there are more at once than there are cores.

beside_max=3

# In this order they begin, where they may: those that take longest come first.
queue="unit unit-sanitized integration-sanitized integration checks faults deploy package fuzz cluster issuers dist"

# Those that would spoil a group. The unit tests have the machine to themselves. Among the faults are times and a load
# that are measured, so nothing is built meanwhile. The nodes of a cluster judge each other by how soon they answer, and
# how soon a worker finds another one is measured.
declare -A never_beside=(
    [unit]=$queue
    [unit-sanitized]=$queue
    [faults]="checks deploy package fuzz dist"
    [cluster]="checks integration integration-sanitized deploy fuzz dist"
)

# What does nothing but compute lets those go first that wait for an answer. scripts/fuzz sees to that itself.
giving_way="checks dist"

declare -A begun=() # the process of a group, which leads a process group
running=            # the groups that have not ended

has_word() {
    case " $1 " in *" $2 "*) ;; *) return 1 ;; esac
}

# What it says and counts is kept until its turn comes.
begin_group() {
    rm -f "$logs/group-$1.counts"
    : >"$logs/group-$1.log"
    set -m
    (
        set +m
        trap 'exit 130' INT
        ! has_word "$giving_way" "$1" || renice -n 10 -p "$BASHPID" >/dev/null
        passed=0 failed=0 skipped=0
        run_group "$1"
        echo "$passed $failed $skipped" >"$logs/group-$1.counts"
    ) >>"$logs/group-$1.log" 2>&1 </dev/null 3<&- 4<&- &
    begun[$1]=$!
    set +m
}

# ---- No other process here, as far as can be: bash does not hear Ctrl-C while it waits for one that ends by itself.

# Not by the number of a process alone, which another one may get.
find_running() {
    local name processes=()
    jobs -rp >"$logs/running"
    mapfile -t processes <"$logs/running"
    running=
    for name in "${!begun[@]}"; do
        ! has_word "${processes[*]}" "${begun[$name]}" || running="$running $name"
    done
}

may_begin() {
    local other
    # shellcheck disable=SC2086
    set -- "$1" $running
    [ $# -le "$beside_max" ] || return 1
    for other in "${@:2}"; do
        ! has_word "${never_beside[$1]:-}" "$other" && ! has_word "${never_beside[$other]:-}" "$1" || return 1
    done
}

begin_what_may() {
    local name
    find_running
    for name in $queue; do
        is_chosen "$name" && [ -z "${begun[$name]:-}" ] && may_begin "$name" || continue
        begin_group "$name"
        running="$running $name"
    done
}

is_over() { [ -n "${begun[$1]:-}" ] && ! has_word "$running" "$1"; }

# What was written to the log at descriptor 3 since; half a line waits for its end in $half.
tell_more() {
    local line
    while IFS= read -r line <&3; do
        say "$half$line"
        half=
    done
    half=$half$line
}

# The group, while it goes on or, where that was before its turn, at once.
tell_group() {
    local half=
    until [ -n "${begun[$1]:-}" ]; do pause; done
    exec 3<"$logs/group-$1.log"
    until is_over "$1"; do
        tell_more
        pause
    done
    tell_more
    exec 3<&-
    [ -z "$half" ] || say "$half"
}

pause() {
    begin_what_may
    read -rt 1 -u 4 || true # of a pipe that nobody writes to
}

take_counts() {
    local more=()
    if read -ra more 2>/dev/null <"$logs/group-$1.counts"; then
        passed=$((passed + more[0])) failed=$((failed + more[1])) skipped=$((skipped + more[2]))
    else
        bad "the group $1 ended before its end"
    fi
}

# ---- the whole

run_beside() {
    local name
    exec 4<> <(:)
    begin_what_may
    for name in $groups; do
        ! is_chosen "$name" || { tell_group "$name" && take_counts "$name"; }
    done
}

# However this ends, by Ctrl-C most of all: those in the background do not hear that by themselves. A second Ctrl-C does
# not wait for what they clear away.
end_all() {
    local process
    trap - INT TERM HUP
    for process in $(jobs -rp); do
        kill -INT -- "-$process" 2>/dev/null || kill -INT "$process" 2>/dev/null || true
    done
    wait
}

# Not at the signal itself: a command that it ends may end this script first.
watch_for_the_end() {
    trap end_all EXIT
    trap 'exit 130' INT TERM HUP
}
