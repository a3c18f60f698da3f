# Utilization against speed. submission.tsv, shipped.tsv, real.tsv, invalid.tsv: x, y, low, high; front.tsv, iso.tsv:
# lines; levels.tsv, labels_left.tsv, labels_right.tsv: x, y, text; letters.tsv: for a terminal.
load COMMON
set xlabel 'utilization, as it counts for the score (percent)'
set ylabel AXIS
set logscale y
set xrange [X0:X1]
set yrange [Y0:Y1]
if (DUMB) {
    unset key
    set ylabel 'speed'
    # A character of room all around: the frame covers what stands on it.
    up = (Y1/Y0)**(1.0/(HEIGHT-7)); right = (X1-X0)/(WIDTH-14.0)
    set xrange [X0-right:X1+right]
    set yrange [Y0/up:Y1*up]
    plot 'iso.tsv' using 1:2 with points pt '.', 'letters.tsv' using 1:2:3 with labels
} else {
    load KEY_BELOW
    set lmargin at screen L; set rmargin at screen R; set bmargin at screen B; set tmargin at screen T
    set format y '%g'
    # Between powers of ten, the more the closer the bounds are.
    between = Y1/Y0 < 6 ? '1.2 1.5 2 3 4 5 6 7 8 9' : Y1/Y0 < 30 ? '2 5' : ''
    do for [m in between] { do for [d=-3:5] { set ytics add (m*10.0**d) } }
    n = CROWD ? 0.45 : 1.0
    # Labels have their places in the picture, not on the axes: x2 and y2 are the whole picture's.
    set x2range [0:1]; set y2range [0:1]
    S(x) = (x - L) / (R - L)
    V(y) = (y - B) / (T - B)
    plot 'iso.tsv' using 1:2 with lines lc rgb FAINT lw 0.9 dt 2 title (ISO ? 'equal score' : ''), \
         'levels.tsv' using 1:2:3 with labels offset -0.4,0.6 right font SMALL tc rgb 0x6A6A6A notitle, \
         'front.tsv' using 1:2 with lines lc rgb ACCENT lw 1.4 title 'Pareto front', \
         'submission.tsv' using 1:2:3:4 with yerrorbars lc rgb PAYLOAD pt 7 ps n lw (CROWD ? 0.4 : 1) \
             title (SUBMISSIONS ? 'submission' : ''), \
         'shipped.tsv' using 1:2:3:4 with yerrorbars lc rgb INK pt 5 ps 0.9 title (SHIPPED ? 'shipped' : ''), \
         'invalid.tsv' using 1:2 with points lc rgb METADATA pt 2 ps 0.8 title (INVALID ? 'fails traces' : ''), \
         'real.tsv' using 1:2 with points lc rgb OTHER pt 12 ps 1.3 lw 1.6 title (REAL ? 'real allocator' : ''), \
         'leaders.tsv' using (S($1)):(V($2)) axes x2y2 with lines lc rgb FAINT lw 0.7 notitle, \
         'labels_left.tsv' using (S($1)):(V($2)):3 axes x2y2 with labels left font SMALL tc rgb INK notitle, \
         'labels_right.tsv' using (S($1)):(V($2)):3 axes x2y2 with labels right font SMALL tc rgb INK notitle
}
