#!/bin/sh
# A file over HTTP: coop's server beside nginx with one worker, in turns.
usage="Usage: bench/http.sh [OPTION...] [COMMAND...]
COMMAND, with a folder as its last argument, serves that folder and prints its address,
http://HOST:PORT/; demos/httpd --port 0. Needs nginx-light and wrk (Debian).
Prints, for each number of connections, the medians of both: requests per second, the time
in which 99 of 100 were answered, processor time per request; and those of the ratios, ours
by nginx's.
  --connections N,N...  64
  --size BYTES          of the file; 1024
  --cache               nginx keeps files open (open_file_cache) rather than open each anew
  --rounds N            pairs; 7
  --seconds N           of each trial; 2
  --quick               one round of a second: to see that it runs"

connections=64 size=1024 rounds=7 seconds=2 cache=
while [ $# -gt 0 ]; do
    case $1 in
    --connections) connections=$2; shift ;;
    --size) size=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --seconds) seconds=$2; shift ;;
    --cache) cache='open_file_cache max=1000;' ;;
    --quick) rounds=1 seconds=1 ;;
    --help) echo "$usage"; exit 0 ;;
    -*) echo "$usage" >&2; exit 2 ;;
    *) break ;;
    esac
    shift || { echo "$usage" >&2; exit 2; }
done
[ $# -gt 0 ] || set -- demos/httpd --port 0
PATH=$PATH:/usr/sbin
for tool in nginx wrk "$1"; do
    command -v "$tool" >/dev/null || { echo "http: $tool was not found" >&2; exit 1; }
done

folder=$(mktemp -d) || exit 1
ours= theirs=
clean_up() {
    [ -z "$ours$theirs" ] || kill $ours $theirs 2>/dev/null
    wait
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 1' INT TERM
chmod 755 "$folder"                # for the user that nginx changes to
mkdir "$folder/www"
head -c "$size" /dev/zero | tr '\0' x >"$folder/www/file"

# The servers on the first processor, the load on the last.
on_first= on_last=
last=$(($(nproc) - 1))
if [ $last -gt 0 ] && taskset -c 0,$last true 2>/dev/null; then
    on_first='taskset -c 0' on_last="taskset -c $last"
fi

fail() {
    echo "http: $1" >&2
    cat "$folder"/*.log >&2
    exit 1
}

# wait_for PID COMMAND...: until the command succeeds, 10 s at most and while PID lives.
wait_for() {
    pid=$1 waits=0
    shift
    until "$@"; do
        waits=$((waits + 1))
        { [ $waits -le 200 ] && kill -0 "$pid" 2>/dev/null; } || return 1
        sleep 0.05
    done
}

start_ours() {
    $on_first "$@" "$folder/www" >"$folder/ours.log" 2>&1 &
    ours=$!
    wait_for $ours grep -q http:// "$folder/ours.log" || fail "$1 does not start"
    our_url=$(sed -n 's|.*\(http://[^ /]*\).*|\1/file|p' "$folder/ours.log" | head -n 1)
}

start_nginx() {
    port=$1
    cat >"$folder/nginx.conf" <<END
daemon off;
worker_processes 1;
pid $folder/nginx.pid;
error_log $folder/nginx.log;
events { worker_connections 16384; }
http {
    access_log off;
    sendfile on;
    $cache
    keepalive_requests 1000000000;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    server { listen 127.0.0.1:$port backlog=4096; root $folder/www; }
}
END
    $on_first nginx -p "$folder" -c "$folder/nginx.conf" >/dev/null 2>>"$folder/nginx.log" &
    theirs=$!
    their_url=http://127.0.0.1:$port/file
    wait_for $theirs test -s "$folder/nginx.pid"
}

# Processor time of a process and its children, in ticks.
ticks() {
    cat /proc/$1/stat $(sed 's|[0-9][0-9]*|/proc/&/stat|g' /proc/$1/task/$1/children) |
        awk '{ sum += $14 + $15 } END { print sum }'
}

# trial NAME PID URL CONNECTIONS: a line "rate p99 cpu", in 1/s and us.
trial() {
    before=$(ticks $2)
    $on_last wrk -t 1 -c $4 -d ${seconds}s --latency "$3" >"$folder/wrk.log" || fail wrk
    after=$(ticks $2)
    ! grep -E 'Socket errors|Non-2xx' "$folder/wrk.log" >&2 || echo "http: $1" >&2
    awk -v ticks=$((after - before)) -v hz=$(getconf CLK_TCK) '
        $1 == "99%" {
            us = $2 ~ /us$/ ? 1 : $2 ~ /ms$/ ? 1e3 : 1e6
            p99 = $2 * us
        }
        $2 == "requests" { n = $1 }
        $1 == "Requests/sec:" { rate = $2 }
        END { print rate, p99, n ? ticks / hz * 1e6 / n : 0 }' "$folder/wrk.log"
}

# The median of a column of what is read.
median() {
    awk -v column=$1 '{ print $column }' "$2" | sort -g |
        awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

name=${1##*/}
start_ours "$@"
port=$((20000 + $$ % 10000)) tries=0
until start_nginx $port; do
    tries=$((tries + 1)) port=$((port + 7))
    [ $tries -lt 5 ] || fail 'nginx does not start'
done

printf '%11s %10s %8s %8s %10s %8s %8s %6s %6s %6s\n' connections requests/s 'p99 us' \
    'CPU us' nginx 'p99 us' 'CPU us' rate p99 CPU
for n in $(echo "$connections" | tr , ' '); do
    : >"$folder/pairs"
    round=0
    while [ $round -lt $rounds ]; do
        round=$((round + 1))
        a=$(trial "$name" $ours "$our_url" $n) || exit 1
        b=$(trial nginx $theirs "$their_url" $n) || exit 1
        echo "$a $b" | awk '{ print $0, $1 / $4, $5 ? $2 / $5 : 0, $6 ? $3 / $6 : 0 }' \
            >>"$folder/pairs"
    done
    printf '%11d %10.0f %8.0f %8.2f %10.0f %8.0f %8.2f %6.3f %6.3f %6.3f\n' $n \
        $(for column in 1 2 3 4 5 6 7 8 9; do median $column "$folder/pairs"; done)
done
