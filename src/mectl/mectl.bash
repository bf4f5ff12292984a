# bash completion of mectl, which says itself what may come next
_mectl()
{
    local current=${COMP_WORDS[COMP_CWORD]} paths= word IFS=$' \t\n'
    local -a before=() known=()
    # --for=worker is three words here
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word == = ]] || before+=("$word")
    done
    [[ $current == = ]] && current=
    while read -r word; do
        case $word in
        FILE) paths=-f ;;
        DIR) paths=-d ;;
        *) known+=("$word") ;;
        esac
    done < <("${COMP_WORDS[0]/#\~/${HOME-}}" completion "${before[@]}" 2>/dev/null)
    mapfile -t COMPREPLY < <(
        compgen -W "${known[*]}" -- "$current"
        [[ -z $paths || $current == -* ]] || compgen "$paths" -- "$current"
    )
    [[ -z $paths ]] || compopt -o filenames 2>/dev/null
}
complete -F _mectl mectl
