# For the scripts of tests/: counts what passed, and gives them a folder of their own.
#
#   . "$srcdir/tests/tally.sh"
#   check 'what is checked' command ...     passes when the command does
#   finish NAME                             says how many; the last command

srcdir=${srcdir-.}
passed=0
failed=0
scratch=$(mktemp -d "${TMPDIR-/tmp}/coop.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

check()
{
    what=$1
    shift
    if "$@" >"$scratch/said" 2>&1 </dev/null; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n' "$what"
        sed 's/^/    /' "$scratch/said"
    fi
}

# link_coop SOURCE PROGRAM: compiles as a user would, against the library just built.
link_coop()
{
    $CC -std=c11 -Wall -Wextra -pedantic -Werror $CFLAGS -I"$srcdir/include" \
        -c "$1" -o "$2.o" &&
        $LIBTOOL --silent --tag=CC --mode=link $CC $CFLAGS -o "$2" "$2.o" libcoop.la
}

finish()
{
    echo "$1: $passed passed, $failed failed"
    [ $failed = 0 ]
}
