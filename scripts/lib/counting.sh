# Sourced by scripts/test, which sets $logs: what passed and what did not, counted and told.

passed=0 failed=0 skipped=0

good() {
    passed=$((passed + 1))
    say "ok       $1"
}

bad() {
    failed=$((failed + 1))
    say "NOT OK   $1"
    [ -n "${2:-}" ] && [ -e "$2" ] && tail -n "${3:-40}" "$2" | sed 's/^/         | /'
    return 0
}

left_out() {
    skipped=$((skipped + 1))
    say "skipped  $1"
}

# check NAME COMMAND...: one test that passes when the command does.
check() {
    local name=$1 log
    shift
    log=$logs/$(printf %s "$name" | tr -c 'A-Za-z0-9' _).log
    if "$@" >"$log" 2>&1 </dev/null; then good "$name"; else bad "$name" "$log"; fi
}

# What goes on beside the rest, where there is a core for it: the process, and what to do with its end.
started=() ends=()

# start LOG FUNCTION-AND-ARGUMENTS PROGRAM...: the function is told at the end, with the status as one argument more.
start() {
    local log=$1 end=$2
    shift 2
    env --default-signal=INT "$@" >"$log" 2>&1 </dev/null & # which a shell's background does not hear otherwise
    started+=($!) ends+=("$end")
}

# Waits for all that was started.
finish() {
    local i status
    for i in "${!started[@]}"; do
        status=0
        wait "${started[$i]}" || status=$?
        # shellcheck disable=SC2086
        ${ends[$i]} "$status"
    done
    started=() ends=()
}
