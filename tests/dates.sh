#!/usr/bin/env bash
# Plays the transcripts, the tests with real processes and the demo on other days: no promise may depend on the calendar.
# Usage: tests/dates.sh [MOMENT]...   what `date -d` reads, in the zone TZ (Europe/Berlin, where you name none)
# Without moments: the minute before a clock change, a leap day, a new year. Needs Linux, and a C compiler as the build does.
set -euo pipefail
cd "$(dirname "$0")/.."
export TZ=${TZ:-Europe/Berlin}
if [ $# -eq 0 ]; then set -- '2027-03-28 01:59' '2028-02-29 12:00' '2031-01-01 00:00'; fi

# What one moment may take, in seconds; more is a failure. A machine that is busy with other things may be given more.
patience=${PATIENCE:-180}

place=$(mktemp -d)
chmod 755 "$place" # also for daemons that run as somebody else
trap 'rm -rf "$place"' EXIT

# All is built under the true clock: cargo compares times of files. Later it is asked for nothing, and builds nothing.
cargo build --quiet --workspace --bin kith --bin kithd
cargo test --quiet --workspace --test transcripts --test e2e --no-run --message-format=json >"$place/built"
cc -shared -fPIC -O1 -o "$place/clock.so" tests/src/proc/clock.c -ldl
cargo=$(command -v true)

# The executable of a test target.
executable() { sed -nE "s/.*\"kind\":\[\"test\"\][^}]*\"name\":\"$1\".*\"executable\":\"([^\"]+)\".*/\1/p" "$place/built"; }
transcripts=$(executable transcripts)
processes=$(executable e2e)
folder=$(dirname "$(dirname "$transcripts")")
if [ ! -x "$transcripts" ] || [ ! -x "$processes" ]; then
  printf 'cargo names no executables of the transcripts and the process tests\n' >&2
  exit 1
fi

# Runs a program, and all that it starts, as if it were $shift seconds later.
later() { env LD_PRELOAD="$place/clock.so" CLOCK_SHIFT="$shift" CARGO="$cargo" "$@"; }

# A daemon must live at the shifted time, too, or nothing is tried here.
daemons_are_shifted() {
  local home="$place/home" written
  later "$folder/kith" --home "$home" init --name Amara --no-passphrase --no-input --quiet
  later "$folder/kith" --home "$home" circle new "Night shift" --quiet >/dev/null
  later "$folder/kith" --home "$home" note new --title "On-call" "Long night." --quiet >/dev/null
  written=$(later "$folder/kith" --home "$home" note list --json | sed -nE 's/.*"created_at":"([^"]+)".*/\1/p')
  later "$folder/kith" --home "$home" stop --quiet
  rm -rf "$home"
  local off=$(($(date +%s) + shift - $(date -d "$written" +%s)))
  if [ "${off#-}" -gt 60 ]; then
    printf 'a daemon writes at %s: its clock is not shifted\n' "$written" >&2
    return 1
  fi
}

failed=()
for moment in "$@"; do
  printf '\n== %s, %s\n' "$moment" "$TZ"
  for part in daemons_are_shifted transcripts processes demo; do
    # Each begins at the moment itself.
    shift=$(($(date -d "$moment" +%s) - $(date +%s)))
    [ "$part" != daemons_are_shifted ] || begin=$SECONDS
    left=$((begin + patience - SECONDS))
    [ "$left" -gt 0 ] || left=1 # 0 would be no limit
    case $part in
    daemons_are_shifted) daemons_are_shifted ;;
    # The tools (simulator, resolver) read no clock.
    transcripts | processes) (cd tests && later timeout "$left" "${!part}" --skip tools::) ;;
    demo) later timeout "$left" "$folder/kith" demo ;;
    esac >"$place/said" 2>&1 && ok=yes || ok=no
    if [ $ok = no ]; then
      cat "$place/said"
      failed+=("$moment: $part")
    fi
    printf '%s %s (%d s)\n' "$part" "$([ $ok = yes ] && printf 'ok' || printf 'FAILED')" $((SECONDS - begin))
  done
done

if [ ${#failed[@]} -gt 0 ]; then
  printf 'failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
