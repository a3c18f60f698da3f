#!/usr/bin/python3
"""Records the recorded part of the corpus anew: real programs of Debian, on files that Debian has.

  traces/tools/recordings.py -o DIR [NAME ...]    writes DIR/NAME.rep.gz, and how it came about to DIR/recorded.json

Two recordings of one program differ a little: hash seeds, directory order, versions. What is shipped was recorded once.
"""

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
TEXT = "/usr/share/common-licenses/GPL-3"
EXAMPLES = "/usr/share/doc/zlib1g-dev/examples"

SQL = """create table part(id integer primary key, name text, price real, kind text);
create index by_kind on part(kind, price);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1500)
  insert into part select i, 'part ' || hex(i * 7919), i % 97 * 1.25, char(65 + i % 26) from n;
select kind, count(*), avg(price) from part group by kind order by 3 desc limit 5;
select a.name, b.name from part a join part b on a.kind = b.kind and a.price < b.price where a.id < 40 limit 200;
update part set name = name || ' (old)' where id % 3 = 0;
delete from part where id % 5 = 0;
create table label(id, label); insert into label select id, upper(name) from part;
select count(*) from label join part using (id) where label like '%9%';
select group_concat(name, ', ') from part where kind in ('A', 'E', 'I');
with recursive f(a, b) as (select 1, 1 union all select b, a + b from f limit 80) select max(a) from f;
"""
PERL = r"""my %count; my @lines = <>; for (@lines) { $count{lc $_}++ for /\w+/g }
my @order = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
my %by; push @{$by{length $_}}, { word => $_, times => $count{$_} } for @order;
for my $n (sort { $a <=> $b } keys %by) { print "$n: ", join(' ', map { "$_->{word}=$_->{times}" } @{$by{$n}}), "\n" }
my $text = join '', @lines; $text =~ s/(\w+) (\w+)/$2 $1/g; print length $text, "\n";
"""
PYTHON = """class Node:
    def __init__(self):
        self.below, self.count = {}, 0
text = open('text').read()
root, seen = Node(), {}
for word in text.lower().split():
    node = root
    for letter in word[:4]:
        node = node.below.setdefault(letter, Node())
    node.count += 1
    seen.setdefault(len(word), []).append(word)
def show(node, prefix=''):
    if node.count:
        yield f'{prefix}: {node.count}'
    for letter in sorted(node.below):
        yield from show(node.below[letter], prefix + letter)
lines = list(show(root))
squares = [n * n for n in range(2000) if n % 3]
digits = str(3 ** 3000)
print(len(lines), sum(squares), digits[:20], {length: len(set(words)) for length, words in seen.items()})
"""
BASH = r"""declare -A count
while read -r -a words; do
    for word in "${words[@]}"; do word=${word//[^a-zA-Z]/}; word=${word,,}; count[_$word]=$((count[_$word] + 1)); done
done < <(head -n 24 text)
for word in "${!count[@]}"; do printf '%d %s\n' "${count[$word]}" "${word#_}"; done > counts
longest=; for word in "${!count[@]}"; do (( ${#word} > ${#longest} )) && longest=$word; done
list=(); for ((i = 0; i < 150; i++)); do list+=("item $i"); done; echo "${#list[@]} $longest"
"""
AWK = r"""{ for (i = 1; i <= NF; i++) { word = tolower($i); gsub(/[^a-z]/, "", word); n[word]++; at[word] = at[word] " " NR } }
END { for (word in n) { m = split(at[word], lines, " "); s = s sprintf("%s:%d:%s\n", word, n[word], lines[m]) }
      k = split(s, rows, "\n"); for (i = 1; i <= k; i++) { sub(/:.*/, "", rows[i]); t[rows[i]] = rows[i] i }; print k, length(s) }
"""
GNUPLOT = """set terminal svg size 800,600
set samples 300; set isosamples 13
do for [i=1:1] { set title sprintf("Figure %d", i); set label i sprintf("label %d", i) at i,0
  plot [0:10] sin(x*i) title "sine", cos(x)/i with points, besj0(x*i) with impulses, norm(x) with filledcurves
  set hidden3d; splot x**2-y**2 with lines, sin(x)*cos(y*i); unset hidden3d }
set contour; set multiplot layout 2,2; splot x*y; splot sin(sqrt(x*x+y*y)); plot "data" using 1:2 smooth bezier
plot "data" using 1:2:3 with labels; unset multiplot
f(x,a,b) = a*x + b; fit f(x,a,b) "data" using 1:2 via a, b; stats "data" using 1:2
"""
VIM = (r"%s/\<the\>/THE/g", "g/^$/d", "g/license/m0", r"%s/\w\+/\=len(submatch(0)) > 6 ? toupper(submatch(0)) : submatch(0)/g",
       "undo", "let @q='ddp'", "normal 60@q", "sort", "wq! out")
GIT = """git init -q repository && cp -r /usr/share/perl/5.36/File /usr/share/perl/5.36/Math repository/ && cd repository &&
git config user.name none && git config user.email none@localhost && git add -A && git commit -q -m first &&
for change in my/our sub/func return/yield if/unless; do
  find . -name '*.pm' -exec sed -i "s/\\b${change%/*} /${change#*/} /" {} + && git commit -q -a -m "$change"; done"""


@dataclass(frozen=True)
class Recording:
    """One program's run. Files it needs are made by SETUP, a shell script, in an empty folder."""
    name: str
    command: list[str]
    packages: str
    setup: str = ""
    process: str = ""
    environment: str = ""
    says: str = ""  # what is recorded, for people


RECORDINGS = (
    Recording("cc1", ["gcc", "-O2", "-c", "-o", "zran.o", f"{EXAMPLES}/zran.c"], "gcc-12 zlib1g-dev", process="cc1",
              says="the C compiler proper, -O2, on zlib's zran.c"),
    Recording("ld", ["gcc", "-static", "-o", "minigzip", f"{EXAMPLES}/minigzip.c", "-lz"],
              "binutils gcc-12 libc6-dev zlib1g-dev", process="ld", says="the linker, minigzip linked statically"),
    Recording("python3", ["/usr/bin/python3", "-S", "script.py"], "python3.11-minimal", f"head -n 200 {TEXT} > text",
              environment="PYTHONMALLOC=malloc PYTHONHASHSEED=0",
              says="an interpreter, without its own allocator: a tree of dictionaries, lists, generators, long integers"),
    Recording("perl", ["perl", "script.pl", "text"], "perl-base", f"head -n 400 {TEXT} > text",
              environment="PERL_HASH_SEED=0", says="an interpreter: words counted, grouped and sorted"),
    Recording("sqlite3", ["sqlite3", "-init", "script.sql", ":memory:", ".quit"], "sqlite3",
              says="a database shell: tables, an index, joins, updates"),
    Recording("bash", ["bash", "script.sh"], "bash", f"cp {TEXT} text", says="a shell: words counted in an array"),
    Recording("git", ["git", "--no-pager", "-C", "repository", "log", "-p", "--stat"], "git perl-modules-5.36", GIT,
              says="the history of a small repository, with differences"),
    Recording("mawk", ["mawk", "-f", "script.awk", "text"], "mawk", f"cp {TEXT} text",
              says="awk: words, their lines, substitutions"),
    Recording("sort", ["sort", "-S", "1k", "--batch-size=4", "-k2", "text"], "coreutils",
              f"for i in 1 2 3 4; do cat {TEXT}; done > text", says="an external sort with hardly any memory"),
    Recording("gnuplot", ["gnuplot", "script.gp"], "gnuplot-nox",
              "seq 200 | awk '{ print $1, $1 * 1.5 + $1 % 7, $1 % 13 }' > data", says="figures of many kinds, as SVG"),
    Recording("bc", ["bc", "-l", "script.bc"], "bc", says="a calculator: pi, e and square roots to 100 digits"),
    Recording("jq", ["jq", "-f", "script.jq", "data"], "jq", "seq 800 > data",
              says="JSON values made, filtered, grouped"),
    Recording("openssl", ["openssl", "storeutl", "-noout", "-text", "-certs", "some.crt"], "openssl ca-certificates",
              "head -n 400 /etc/ssl/certs/ca-certificates.crt | awk '{ print } /END/ { n++ } n == 12 { exit }' > some.crt",
              says="a dozen certificates parsed and printed"),
    Recording("sed", ["sed", "-E", r":a;N;$!ba;s/(\w+)\s+(\w+)/\2 \1/g", "text"], "sed", f"head -n 300 {TEXT} > text",
              says="a stream editor that joins all lines in its pattern space"),
    Recording("vim", ["vim", "-u", "NONE", "-es", *(word for command in VIM for word in ("-c", command)), "text"], "vim", f"head -n 120 {TEXT} > text",
              says="an editor: substitutions, moves, sorting, undo, a macro"),
)
SCRIPTS = {"script.sql": SQL, "script.pl": PERL, "script.py": PYTHON, "script.sh": BASH, "script.awk": AWK,
           "script.gp": GNUPLOT, "script.jq": "[inputs] | map({a: ., b: tostring, c: [., . % 7]}) | group_by(.a % 10) | "
           "map(map(select(.a % 3 == 0)) | length)\n",
           "script.bc": "scale = 100\n4 * a(1)\ne(1)\nfor (i = 1; i < 150; i++) s = s + sqrt(i)\ns\n2 ^ 2000\nquit\n"}


def versions(packages: str) -> str:
    """The packages with their versions."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages.split()],
                          capture_output=True, text=True, check=True)
    return ", ".join(sorted(set(done.stdout.strip().split("\n"))))


def make(recording: Recording, out: Path) -> dict[str, str]:
    """Records one; gives what is remembered of it."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in SCRIPTS.items():
            Path(folder, name).write_text(text, encoding="ascii")
        subprocess.run(["bash", "-e", "-c", recording.setup or ":"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        command = [str(TOOLS / "record"), "-o", str((out / f"{recording.name}.rep.gz").resolve())]
        if recording.process:
            command += ["--process", recording.process]
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": folder, "GIT_CONFIG_GLOBAL": "/dev/null"}
        environment |= dict(pair.split("=") for pair in recording.environment.split())
        done = subprocess.run([*command, "--", *recording.command], cwd=folder, env=environment, check=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    print(done.stderr.rstrip())
    words = recording.environment.split() + [shlex.quote(word) for word in recording.command]
    return {"says": recording.says, "command": " ".join(words),
            "packages": versions(recording.packages)}


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write to")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these (default: all)")
    args = parser.parse_args()
    unknown = set(args.names) - {recording.name for recording in RECORDINGS}
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: no such recording; there are "
                     f"{', '.join(recording.name for recording in RECORDINGS)}")
    args.output.mkdir(parents=True, exist_ok=True)
    index = args.output / "recorded.json"
    remembered = json.loads(index.read_text(encoding="utf-8")) if index.exists() else {}
    for recording in RECORDINGS:
        if not args.names or recording.name in args.names:
            remembered[recording.name] = make(recording, args.output)
            index.write_text(json.dumps(remembered, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
