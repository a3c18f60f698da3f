# Cost of single requests. malloc.tsv, calloc.tsv, realloc.tsv, free.tsv: seconds, share of requests that cost more;
# longest.tsv: the same of the longest, and where it is.
load COMMON
set logscale xy
set xlabel 'cost of a request'
set ylabel 'share of requests that cost more'
set yrange [LEAST/3:1]
set format y '10^{%L}'
set format x '%.0s %cs'
if (DUMB) {
    unset key
    set lmargin 14
    set ylabel 'share' offset -5,0
    set format y '%.0e'
    plot 'malloc.tsv' with points pt 'm', 'calloc.tsv' with points pt 'c', 'realloc.tsv' with points pt 'r', \
         'free.tsv' with points pt 'f'
} else {
    load KEY_BELOW
    set format y '%g'
    set micro # µs, as the words have it
    A(x) = LOW*(HIGH/LOW)**x
    B(y) = (LEAST/3)**(1-y)
    set xrange [LOW:HIGH]
    plot 'malloc.tsv' with lines lc rgb PAYLOAD lw 2 dt 1 title 'malloc', \
         'calloc.tsv' with lines lc rgb OTHER lw 2 dt 4 title 'calloc', \
         'realloc.tsv' with lines lc rgb METADATA lw 2 dt 2 title 'realloc', \
         'free.tsv' with lines lc rgb INK lw 2 dt 3 title 'free', \
         'longest.tsv' using 1:2 with points pt 7 ps 0.8 lc rgb INK title 'the longest', \
         '' using (A(0.98)):(B(0.95 - 0.05*$4)):3 with labels right font SMALL tc rgb INK notitle
}
